package hub_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestEachAttemptIsReportedAsItEnds(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789", time.Hour))
	srv.Handle("/things/{id}", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Drop(), hubtest.JSON(200, map[string]int{"a": 1})))
	var events []hub.Event
	h := open(t, observeThose(&events, func(hub.Event) bool { return true })).Tenant("acme")
	con := connector(t, h, srv, oauth(srv),
		mapped("put", "PUT", srv.URL+"/things/{{id}}?q={{id}}", func(r *hub.Request) { r.MediaType, r.Body = "text/plain", "body of {{id}}" }))
	_, err := execute(t, h, "put", `{"id":"t-1"}`)
	require.NoError(t, err)

	var got []string
	for _, e := range events {
		got = append(got, e.Op+" "+e.CallOp)
		assert.Equal(t, "acme", e.Tenant)
		assert.Equal(t, con.ID, e.ConnectorID)
		assert.Equal(t, srv.Host(), e.Host)
	}
	require.Equal(t, []string{"Attempt Authenticate", "Authenticate ", "Attempt Execute", "Attempt Execute", "Attempt Execute", "Execute "}, got)
	assert.Equal(t, "POST /token", events[0].Method+" "+events[0].Path)
	assert.Equal(t, events[1].Attempts, events[0].Attempts)
	for i, e := range events[2:5] {
		assert.Equal(t, i+1, e.Number)
		assert.Equal(t, "put", e.Request)
		assert.Equal(t, "PUT /things/{{id}}", e.Method+" "+e.Path)
		assert.Equal(t, events[5].Attempts[i:i+1], e.Attempts)
		assert.Equal(t, e.Attempts[0].Status, e.Status)
		assert.Equal(t, e.Attempts[0].Start, e.Started)
		assert.Empty(t, e.Branch, "the call is judged")
	}
	assert.Equal(t, "PUT /things/{{id}}", events[5].Method+" "+events[5].Path)
	assert.Equal(t, []int{503, 0, 200}, []int{events[2].Status, events[3].Status, events[4].Status})
	assert.Equal(t, "read", events[3].Attempts[0].Failure)
	assert.EqualValues(t, len("body of t-1"), events[4].Attempts[0].BytesOut)
	assert.EqualValues(t, len(`{"a":1}`), events[4].Attempts[0].BytesIn)
}

// A token that is refused is renewed in between: the attempts of a call are counted on.
func TestAttemptsAreCountedOverReplays(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Sequence(hubtest.Status(401), hubtest.Status(200)))
	var events []hub.Event
	h := open(t, observeAttempts(&events)).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	_, err := execute(t, h, "read")
	require.NoError(t, err)
	require.Len(t, events, 4)
	assert.Equal(t, []int{1, 1, 1, 2}, []int{events[0].Number, events[1].Number, events[2].Number, events[3].Number})
}

// What an event says of a call comes from its definition, whatever a payload brings.
func TestEventsNameNoAddressThatAPayloadMade(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	wild := strings.Replace(srv.Host(), "127.0.0.1", "*.canary.test", 1)
	for name, tt := range map[string]struct {
		request          func(*hub.Connector)
		payload          string
		method, path, at string
	}{
		"path and query": {mapped("go", "GET", srv.URL+`/a%20b/{{id}}/x-{{n ?? "canary"}}-[[v]]?q={{id}}`), `{"id":"canary"}`,
			"GET", "/a%20b/{{id}}/x-{{n}}-[[v]]", srv.Host()},
		"no path": {manual("go", "GET", srv.URL+"?a=b"), "", "GET", "/", srv.Host()},
		"dynamic": {dynamic(func(r *hub.Request) { r.Name = "go" }), `{"url":"` + srv.URL + `/canary","method":"DELETE"}`, "DELETE", "", srv.Host()},
		"dynamic, within a wildcard": {dynamic(func(r *hub.Request) { r.Name = "go" }), `{"url":"https://canary.` + strings.TrimPrefix(wild, "*.") + `/","method":"GET"}`,
			"GET", "", wild},
		"dynamic, to another host": {dynamic(func(r *hub.Request) { r.Name = "go" }), `{"url":"https://canary.example","method":"GET"}`, "GET", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var events, attempts []hub.Event
			h := open(t, observeThose(&events, func(e hub.Event) bool {
				if e.Op == "Attempt" {
					attempts = append(attempts, e)
				}
				return e.Op != "Attempt"
			})).Tenant("acme")
			connector(t, h, srv, tt.request, func(c *hub.Connector) {
				c.Hosts = append(c.Hosts, wild)
				c.Variables = map[string]string{"v": "canary"}
			})
			var payload []string
			if tt.payload != "" {
				payload = append(payload, tt.payload)
			}
			_, _ = execute(t, h, "go", payload...)
			require.Len(t, events, 1)
			for _, e := range append(events, attempts...) {
				assert.Equal(t, tt.method, e.Method)
				assert.Equal(t, tt.path, e.Path)
				assert.Equal(t, tt.at, e.Host)
			}
			data, err := json.Marshal(append(events, attempts...))
			require.NoError(t, err)
			assert.NotContains(t, strings.ReplaceAll(string(data), "*.canary.test", ""), "canary")
		})
	}
}

func TestAnAttemptOfAnSDKIsReported(t *testing.T) {
	srv, gone := hubtest.NewServer(t), hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(404))
	gone.Close()
	var events []hub.Event
	h := open(t, observeAttempts(&events)).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.Hosts = append(c.Hosts, gone.Host()) })
	client := lend(t, h)
	resp, err := client.Post(srv.URL+"/canary?a=canary", "text/plain", strings.NewReader("four"))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, err = client.Get(gone.URL)
	failed(t, err, hub.Unreachable)
	require.Len(t, events, 2)
	assert.Equal(t, hub.Event{
		Op: "Attempt", CallOp: "RoundTrip", Number: 1, Tenant: "acme", Connector: "con", ConnectorID: events[0].ConnectorID,
		Method: "POST", Host: srv.Host(), Status: 404, Started: events[0].Started, Duration: events[0].Duration,
		Attempts: []hub.Attempt{{Start: events[0].Started, Duration: events[0].Duration, Status: 404, Address: "loopback", Sent: true, BytesOut: 4}},
	}, events[0])
	assert.Equal(t, "unreachable", events[1].Attempts[0].Failure)
	assert.False(t, events[1].Attempts[0].Sent)
}

// What repeating does not mend is logged as a warning, all else for those who look for it.
func TestAttemptsAreLoggedAsLoudAsTheyMatter(t *testing.T) {
	for name, tt := range map[string]struct {
		answer hubtest.Answer
		level  string
	}{
		"an answer":      {hubtest.Status(200), "DEBUG"},
		"an error":       {hubtest.Status(500), "DEBUG"},
		"a broken line":  {hubtest.Text(200, "ten bytes.").DropAfter(3), "DEBUG"},
		"no such coding": {hubtest.Text(200, "x").Header("Content-Encoding", "br-canary"), "WARN"},
		"too large":      {hubtest.Text(200, strings.Repeat("canary ", 100)), "WARN"},
	} {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
			t.Run(name+" at "+level.String(), func(t *testing.T) {
				srv := hubtest.NewServer(t)
				srv.Handle("/", tt.answer)
				var logged bytes.Buffer
				h := open(t, func(o *hub.Options) {
					o.Limits.AnswerBytes, o.Limits.WireBytes = 100, 100
					o.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: level}))
				}).Tenant("acme")
				connector(t, h, srv, manual("go", "POST", srv.URL+"/x?canary"))
				_, _ = execute(t, h, "go")
				line := ""
				for l := range strings.Lines(logged.String()) {
					if strings.Contains(l, `"attempt ended"`) {
						line = l
					}
				}
				if tt.level == "DEBUG" && level > slog.LevelDebug {
					assert.Empty(t, line)
					return
				}
				for _, want := range []string{`"level":"` + tt.level + `"`, `"op":"Execute"`, `"method":"POST"`, `"path":"/x"`, `"host":"` + srv.Host() + `"`, `"number":1`, `"sent":true`} {
					assert.Contains(t, line, want)
				}
				assert.NotContains(t, line, "canary")
			})
		}
	}
}

// A Result is the caller's to change; who was told of its attempts keeps what it was told.
func TestEventsKeepTheirAttempts(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(200)))
	for attempts := 2; attempts > 0; attempts-- {
		var events []hub.Event
		h := open(t, observeThose(&events, func(hub.Event) bool { return true })).Tenant("acme")
		connector(t, h, srv, manual("go", "GET", srv.URL))
		res, err := execute(t, h, "go")
		require.NoError(t, err)
		require.Len(t, res.Attempts, attempts)
		clear(res.Attempts[:cap(res.Attempts)])
		_ = append(res.Attempts, hub.Attempt{Status: 1})
		require.Len(t, events, attempts+1)
		whole := events[attempts].Attempts
		require.Len(t, whole, attempts)
		for n, a := range whole {
			assert.NotZero(t, a.Status)
			assert.Equal(t, []hub.Attempt{a}, events[n].Attempts)
			assert.Equal(t, 1, cap(events[n].Attempts))
		}
	}
}
