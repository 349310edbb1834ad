package hubotel_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// told is everything that OpenTelemetry was told, as text.
func (c *collected) told() string {
	var b strings.Builder
	for _, s := range c.spans.GetSpans() {
		fmt.Fprintf(&b, "%+v\n", s)
		for key, value := range attributes(s) {
			fmt.Fprintf(&b, "%s=%v\n", key, value)
		}
		for _, e := range s.Events {
			fmt.Fprintf(&b, "%s %v\n", e.Name, values(e.Attributes))
		}
	}
	for name, m := range c.metrics() {
		fmt.Fprintf(&b, "%s %+v %v\n", name, m, c.counted(name))
	}
	return b.String()
}

// views are the ways in which a text could show.
func views(text string) []string {
	quoted, _ := json.Marshal(text)
	return []string{
		text, strings.ToUpper(text), url.QueryEscape(text), url.PathEscape(text), strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(text)),
		base64.StdEncoding.EncodeToString([]byte(text))[4:20], base64.StdEncoding.EncodeToString([]byte("1" + text))[4:20],
		base64.StdEncoding.EncodeToString([]byte("12" + text))[4:20],
	}
}

const (
	secretCanary  = "s3cret/canary+0123456789"
	tokenCanary   = "t0ken/canary+0123456789"
	payloadCanary = "payl0ad/canary 0123456789"
	answerCanary  = "answ3r/canary+0123456789"
)

// leaky is a connector that puts secrets and values wherever they may stand.
func leaky(t *testing.T, h *hub.Tenant, srv *hubtest.Server) {
	t.Helper()
	put := mapped("put", "PUT", srv.URL+"/things/{{v}}/[[key]]?q={{v}}&key=[[key]]")
	put.Headers = []hub.Header{{Name: "X-Value", Value: "{{v}}"}, {Name: "X-Key", Value: "[[key]]"}}
	put.MediaType, put.Body = "application/json", `{"v":"{{v}}","key":"[[key]]"}`
	free := hub.Request{Name: "any", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic}
	con := connector(t, h, srv, oauth(srv), request(put), request(free), func(c *hub.Connector) {
		c.Secrets = []hub.Secret{{Name: "key"}}
		c.Auth.Request.Body = "key=[[key]]"
		c.Auth.Request.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	})
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New(secretCanary)))
}

func TestNoSecretNoPayloadAndNoAnswerIsTold(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token(tokenCanary, time.Hour))
	srv.Handle("/", hubtest.Sequence(
		hubtest.JSON(503, map[string]string{"error": answerCanary}).RetryAfter(0).Header("X-Answer", answerCanary),
		hubtest.JSON(401, map[string]string{"error": answerCanary}).Header("WWW-Authenticate", answerCanary),
		hubtest.Text(200, answerCanary).DropAfter(3), hubtest.JSON(422, map[string]string{"error": answerCanary})))
	h, c := open(t, sdktrace.AlwaysSample(), func(o *hubotel.Options) { o.Propagate = func(hub.Event) bool { return true } })
	leaky(t, h, srv)
	payload, err := json.Marshal(map[string]string{"v": payloadCanary})
	require.NoError(t, err)
	_, err = execute(t, h, "put", string(payload))
	require.Error(t, err)
	for _, u := range []string{srv.URL + "/" + url.PathEscape(payloadCanary), "https://canary.example/", "not a URL " + payloadCanary} {
		envelope, err := json.Marshal(map[string]any{"url": u, "method": "POST", "body": map[string]string{"v": payloadCanary}, "headers": map[string]string{"X-V": payloadCanary}})
		require.NoError(t, err)
		_, err = execute(t, h, "any", string(envelope))
		require.Error(t, err)
	}
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	resp, err := client.Get(srv.URL + "/sdk/" + url.PathEscape(payloadCanary))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	told := c.told()
	for _, want := range []string{"/things/{{v}}/[[key]]", "hub.Authenticate", "hub.RoundTrip", "error.type=read", "error.type=forbidden"} {
		assert.Contains(t, told, want, "the calls came as far as they should")
	}
	assert.Greater(t, len(srv.Requests()), 5)
	for _, canary := range []string{secretCanary, tokenCanary, payloadCanary, answerCanary, "canary.example"} {
		for _, view := range views(canary) {
			assert.NotContains(t, told, view)
		}
	}
}

// payloads is how many calls TestSeriesAreConstant makes: HUB_TELEMETRY_PAYLOADS, or 10,000.
func payloads(t *testing.T) int {
	given := os.Getenv("HUB_TELEMETRY_PAYLOADS")
	if given == "" {
		return 10_000
	}
	n, err := strconv.Atoi(given)
	require.NoError(t, err, "HUB_TELEMETRY_PAYLOADS")
	return n
}

// However many payloads, names and statuses there are, the series are those of the beginning:
// all of them come from lists.
func TestSeriesAreConstant(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // one that keeps nothing
		status, err := strconv.Atoi(r.Header.Get("X-Status"))
		if err != nil {
			status = 200
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	h, c := open(t, sdktrace.NeverSample())
	put := mapped("put", "PUT", srv.URL+"/things/{{v}}?q={{v}}")
	put.Headers = []hub.Header{{Name: "X-Status", Value: "{{status as string}}"}}
	put.Retry = &hub.Retry{Attempts: 1}
	connector(t, h, nil, request(put), request(hub.Request{Name: "any", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic}))
	call := func(i int) {
		status := 200 + i%800
		_, _ = execute(t, h, "put", fmt.Sprintf(`{"v":"v-%d","status":%d}`, i, status))
		switch i % 10 {
		case 1:
			_, _ = execute(t, h, "any", fmt.Sprintf(`{"url":"%s/any/%d","method":"DELETE"}`, srv.URL, i))
		case 2:
			_, _ = execute(t, h, "any", fmt.Sprintf(`{"url":"https://host-%d.example/","method":"POST"}`, i))
		case 3:
			_, _ = execute(t, h, fmt.Sprint("request-", i), `{}`)
		case 4:
			_, _ = h.Execute(t.Context(), hub.Call{Connector: fmt.Sprint("connector-", i), Request: "put"})
		}
	}
	n := payloads(t)
	first := max(n/10, 1000) // each status was met by then
	for i := range first {
		call(i)
	}
	before := c.series()
	for i := first; i < n; i++ {
		call(i)
	}
	assert.Less(t, len(before), 150)
	for series := range c.series() {
		if !before[series] { // what a busy machine does once in a million calls is in a list as well
			assert.Regexp(t, `"error.type":"(timeout|unreachable|read|bad-answer|rate-limited)"`, series)
		}
	}
	total := 0
	for _, count := range c.counted("hub.call.duration") {
		total += count
	}
	assert.Equal(t, n+n*4/10, total)
}
