package integration_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/internal/integration"
	"github.com/integrationhub/hub/secrets"
)

// connect makes a connector named "bin" to go-httpbin, whose only request is r, named "go".
func connect(t *testing.T, r hub.Request, change ...func(*hub.Connector)) (*hub.Tenant, *hubtest.Server, hub.Connector) {
	t.Helper()
	bin := integration.StartHTTPBin(t)
	h := hubtest.New(t, nil).Tenant("acme")
	r.Name, r.URL = "go", strings.Replace(r.URL, "BIN", bin.URL, 1)
	con := hub.Connector{Name: "bin", Hosts: []string{bin.Host()}, TLS: &hub.TLS{CA: string(bin.CA())}, Requests: []hub.Request{r}}
	for _, f := range change {
		f(&con)
	}
	if a := con.Auth.Request; a != nil {
		a.URL = strings.Replace(a.URL, "BIN", bin.URL, 1)
	}
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{
		Name: "httpbin", AuthType: con.Auth.Kind, Methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"},
	})
	require.NoError(t, err)
	con.Template = tpl.ID
	con, err = h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	return h, bin, con
}

func run(t *testing.T, h *hub.Tenant, payload ...string) (*hub.Result, error) {
	t.Helper()
	call := hub.Call{Connector: "bin", Request: "go"}
	if len(payload) > 0 {
		call.Payload = json.RawMessage(payload[0])
	}
	return h.Execute(t.Context(), call)
}

func TestAStudioCallArrivesAsItWasMeant(t *testing.T) {
	h, _, _ := connect(t, hub.Request{
		Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "PATCH", URL: "BIN/anything/{{customer.id}}",
		Query:     []hub.Param{{Name: "q", Value: "{{q}}"}},
		Headers:   []hub.Header{{Name: "X-Region", Value: "[[region]]"}},
		MediaType: "application/json", Body: `{"text":"Dear {{customer.name}}","n":"{{n}}","tags":"{{tags}}"}`,
		Outputs: map[string]hub.Output{"region": {Path: "headers.X-Region.0"}, "method": {Path: "method"}, "n": {Path: "json.n"}},
	}, func(c *hub.Connector) { c.Variables = map[string]string{"region": "eu-1"} })
	res, err := run(t, h, `{"customer":{"id":"a/ü ?","name":"\"Zoë\""},"q":"x&y=z#1","n":1234567.5,"tags":["a",null]}`)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"region": "eu-1", "method": "PATCH", "n": json.Number("1234567.5")}, res.Outputs)
	assert.Equal(t, "x&y=z#1", res.Get("args.q.0").String())
	assert.JSONEq(t, `{"text":"Dear \"Zoë\"","n":1234567.5,"tags":["a",null]}`, res.Get("json").Raw)
	sent, err := url.Parse(res.Get("url").String())
	require.NoError(t, err)
	assert.Equal(t, "/anything/a/ü ?", sent.Path)
}

func TestVerbs(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		h, _, _ := connect(t, hub.Request{Method: method, URL: "BIN/" + strings.ToLower(method)})
		res, err := run(t, h)
		require.NoError(t, err, method)
		assert.Equal(t, method, res.Get("method").String())
	}
	h, _, _ := connect(t, hub.Request{Method: "HEAD", URL: "BIN/head"})
	res, err := run(t, h)
	require.NoError(t, err)
	assert.Empty(t, res.Body)
}

func TestStatusesAreJudged(t *testing.T) {
	for status, code := range map[int]hub.Code{
		200: "", 201: "", 204: "", 301: hub.Rejected, 304: hub.Rejected, 400: hub.Rejected, 401: hub.Unauthorized,
		403: hub.Rejected, 404: hub.Rejected, 418: hub.Rejected, 429: hub.RateLimited, 500: hub.Rejected, 503: hub.Rejected,
	} {
		h, _, _ := connect(t, hub.Request{Method: "POST", URL: fmt.Sprintf("BIN/status/%d", status)})
		res, err := run(t, h)
		require.NotNil(t, res, status)
		assert.Equal(t, status, res.Status)
		if code == "" {
			require.NoError(t, err, status)
			continue
		}
		require.ErrorIs(t, err, code, status)
		assert.Equal(t, hub.OnError, res.Branch)
	}
}

func TestAnOutageIsRetriedAndToldAsWhatItIs(t *testing.T) {
	h, bin, _ := connect(t, hub.Request{Method: "GET", URL: "BIN/status/503"})
	_, err := run(t, h)
	require.ErrorIs(t, err, hub.Rejected)
	assert.Len(t, bin.Requests(), 3)
}

func TestCompressedAnswersAreRead(t *testing.T) {
	for path, field := range map[string]string{"gzip": "gzipped", "deflate": "deflated"} {
		h, _, _ := connect(t, hub.Request{Method: "GET", URL: "BIN/" + path})
		res, err := run(t, h)
		require.NoError(t, err, path)
		assert.True(t, res.Get(field).Bool(), "%s: %s", path, res.Body)
		assert.Empty(t, res.Header.Get("Content-Encoding"))
	}
}

func TestSlowAnswersAreTimeouts(t *testing.T) {
	for name, target := range map[string]string{
		"no answer":    "BIN/delay/9",
		"half a body":  "BIN/drip?duration=9&numbytes=10&delay=0",
		"late and bad": "BIN/drip?duration=0&numbytes=10&delay=9",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, _ := connect(t, hub.Request{Method: "GET", URL: target, Timeout: 300})
			_, err := run(t, h)
			require.ErrorIs(t, err, hub.Timeout)
		})
	}
	h, _, _ := connect(t, hub.Request{Method: "GET", URL: "BIN/drip?duration=0.1&numbytes=10&delay=0"})
	res, err := run(t, h)
	require.NoError(t, err)
	assert.Equal(t, "**********", string(res.Body), "slow is not late")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, target := range []string{"BIN/redirect/3", "BIN/absolute-redirect/1", "BIN/redirect-to?url=https%3A%2F%2Felsewhere.example%2F"} {
		h, bin, _ := connect(t, hub.Request{Method: "GET", URL: target})
		res, err := run(t, h)
		require.ErrorIs(t, err, hub.Rejected)
		assert.Equal(t, 302, res.Status)
		assert.NotEmpty(t, res.Header.Get("Location"))
		assert.Len(t, bin.Requests(), 1)
	}
}

func TestBytesComeAsTheyAre(t *testing.T) {
	for _, target := range []string{"BIN/bytes/65536?seed=7", "BIN/stream-bytes/65536?seed=7&chunk_size=1000"} {
		h, _, _ := connect(t, hub.Request{Method: "GET", URL: target})
		first, err := run(t, h)
		require.NoError(t, err)
		require.Len(t, first.Body, 65536)
		again, err := run(t, h)
		require.NoError(t, err)
		assert.Equal(t, first.Body, again.Body)
	}
	h, _, _ := connect(t, hub.Request{Method: "GET", URL: "BIN/encoding/utf8"})
	res, err := run(t, h)
	require.NoError(t, err)
	assert.Contains(t, string(res.Body), "∮ E⋅da = Q,  n → ∞")
}

func TestForms(t *testing.T) {
	fields := []hub.FormField{{Name: "name", Value: "{{name}}"}, {Name: "a&b", Value: "1 + 1 = 2"}}
	for mediaType, file := range map[string]bool{"application/x-www-form-urlencoded": false, "multipart/form-data": true} {
		t.Run(mediaType, func(t *testing.T) {
			form := fields
			if file {
				form = append(form[:len(form):len(form)], hub.FormField{Name: "notes", Value: "line\r\n{{name}}", FileName: "notes.txt", MediaType: "text/plain"})
			}
			h, _, _ := connect(t, hub.Request{
				Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: "BIN/post", MediaType: mediaType, Form: form,
			})
			const name = `Zoë & "co" --x\r\n`
			payload, err := json.Marshal(map[string]string{"name": name})
			require.NoError(t, err)
			res, err := run(t, h, string(payload))
			require.NoError(t, err)
			assert.Equal(t, name, res.Get("form.name.0").String())
			assert.Equal(t, "1 + 1 = 2", res.Get("form.a&b.0").String())
			if file {
				assert.Equal(t, "line\r\n"+name, res.Get("files.notes.0").String())
			}
		})
	}
}

func TestCredentialsInAHeader(t *testing.T) {
	h, _, con := connect(t, hub.Request{Method: "GET", URL: "BIN/basic-auth/me/s3cret-password", Headers: []hub.Header{{Name: "Authorization", Value: "Basic [[basic]]"}}},
		func(c *hub.Connector) {
			c.Secrets = []hub.Secret{{Name: "basic", Places: []string{"header:Authorization"}}}
		})
	_, err := run(t, h)
	require.ErrorIs(t, err, hub.NotReady)
	for password, good := range map[string]bool{"s3cret-password": true, "another-password": false} {
		require.NoError(t, h.SetSecret(t.Context(), con.ID, "basic", secrets.New(base64.StdEncoding.EncodeToString([]byte("me:"+password)))))
		res, err := run(t, h)
		require.Equal(t, good, err == nil)
		if good {
			assert.True(t, res.Get("authenticated").Bool())
			continue
		}
		require.ErrorIs(t, err, hub.Unauthorized)
		assert.Equal(t, 401, res.Status)
	}
}

func TestATokenIsFetchedLentAndMasked(t *testing.T) {
	answer := `{"access_token":"tok-from-the-bin","token_type":"Bearer","expires_in":3600}`
	h, bin, _ := connect(t, hub.Request{Method: "GET", URL: "BIN/bearer", Outputs: map[string]hub.Output{"ok": {Path: "authenticated"}}},
		func(c *hub.Connector) {
			c.Auth = hub.Auth{Kind: hub.AuthOAuth2, Request: &hub.AuthRequest{Method: "GET", URL: "BIN/base64/" + base64.URLEncoding.EncodeToString([]byte(answer))}}
		})
	for range 2 {
		res, err := run(t, h)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"ok": true}, res.Outputs)
		assert.Equal(t, "[secret]", res.Get("token").String(), "what an API echoes is masked")
	}
	require.Len(t, bin.Requests(), 3)
	assert.Equal(t, "Bearer tok-from-the-bin", bin.Requests()[2].Header.Get("Authorization"))
}

func TestSecretsThatAreEchoedAreMasked(t *testing.T) {
	h, bin, con := connect(t, hub.Request{Method: "POST", URL: "BIN/anything", MediaType: "application/json",
		Query: []hub.Param{{Name: "key", Value: "[[key]]"}}, Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}, Body: `{"key":"[[key]]"}`},
		func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} })
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("k3y-0123456789/+=&")))
	res, err := run(t, h)
	require.NoError(t, err)
	assert.Contains(t, bin.Requests()[0].Header.Get("X-Key"), "k3y-0123456789")
	assert.NotContains(t, string(res.Body), "k3y-0123456789")
}

func TestACertificateOfAnotherAuthorityIsNotTrusted(t *testing.T) {
	h, bin, _ := connect(t, hub.Request{Method: "GET", URL: "BIN/get", Retry: &hub.Retry{Attempts: 1}}, func(c *hub.Connector) { c.TLS = nil })
	_, err := run(t, h)
	require.ErrorIs(t, err, hub.Unreachable)
	assert.Empty(t, bin.Requests())
}
