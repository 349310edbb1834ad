package hub_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// standIns has both substitutes, and one attempt, so that a test is quick.
func standIns(staleFor int, outputs string) func(*hub.Request) {
	return func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{"n": {Path: "n"}}
		r.Retry = &hub.Retry{Attempts: 1}
		r.Fallback = &hub.Fallback{StaleFor: staleFor, Outputs: json.RawMessage(outputs)}
	}
}

func numberIs(n int) hubtest.Answer { return hubtest.JSON(200, map[string]int{"n": n}) }

// What speaks of the moment has a substitute; what the call itself is refused for has none.
func TestWhichFailuresHaveASubstitute(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.Handler
		change func(*hub.Request)
		code   hub.Code
		stands bool
	}{
		"500":                          {hubtest.Status(500), nil, hub.Rejected, true},
		"503":                          {hubtest.Status(503), nil, hub.Rejected, true},
		"429":                          {hubtest.Status(429), nil, hub.RateLimited, true},
		"404":                          {hubtest.Status(404), nil, hub.Rejected, false},
		"401":                          {hubtest.Status(401), nil, hub.Unauthorized, false},
		"no answer in time":            {hubtest.Hang(), nil, hub.Timeout, true},
		"an answer cut off":            {numberIs(1).DropAfter(3), nil, hub.BadAnswer, true},
		"an answer without the output": {hubtest.JSON(200, 1), nil, hub.BadAnswer, true},
		"a rule that says fail":        {numberIs(1), func(r *hub.Request) { r.Responses = []hub.ResponseRule{{Then: hub.VerdictFail}} }, hub.Rejected, false},
		"a rule that says retry":       {numberIs(1), func(r *hub.Request) { r.Responses = []hub.ResponseRule{{Then: hub.VerdictRetry}} }, hub.Rejected, true},
		"a rule that says limited":     {numberIs(1), func(r *hub.Request) { r.Responses = []hub.ResponseRule{{Then: hub.VerdictRateLimited}} }, hub.RateLimited, true},
		"inactive":                     {numberIs(1), func(r *hub.Request) { r.State = hub.StateInactive }, hub.Inactive, false},
		"a host that is not allowed":   {numberIs(1), func(r *hub.Request) { r.State, r.URL = hub.StateInactive, "https://other.example" }, hub.Inactive, false},
		"nobody there":                 {nil, func(r *hub.Request) { r.URL = "https://127.0.0.1:1/" }, hub.Unreachable, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unhurried(t, func(ms int) bool {
				late := tt.code == hub.Timeout
				srv := hubtest.NewServer(t)
				if tt.answer != nil {
					srv.Handle("/", tt.answer)
				}
				var events []hub.Event
				h := open(t, func(o *hub.Options) {
					o.Observer = func(_ context.Context, e hub.Event) {
						if e.Op == "Execute" {
							events = append(events, e)
						}
					}
				}).Tenant("acme")
				connector(t, h, srv, manual("go", "GET", srv.URL, standIns(60, `{"n":0}`), func(r *hub.Request) {
					if late {
						r.Timeout = ms
					}
					if tt.change != nil {
						tt.change(r)
					}
				}), func(c *hub.Connector) { c.Hosts = append(c.Hosts, "127.0.0.1:1") })
				res, err := execute(t, h, "go")
				require.Len(t, events, 1)
				assert.Equal(t, tt.code, events[0].Code)
				if !tt.stands {
					failed(t, err, tt.code)
					assert.Empty(t, events[0].Substitute)
					return true
				}
				require.NoError(t, err)
				assert.Equal(t, hub.OnSuccess, res.Branch)
				assert.Equal(t, hub.SubstituteOutputs, res.Substitute)
				assert.Equal(t, map[string]any{"n": json.Number("0")}, res.Outputs)
				assert.Equal(t, `{"n":0}`, string(res.Body))
				assert.Equal(t, int64(0), res.Get("n").Int())
				if late && len(srv.Requests()) == 0 {
					return false
				}
				assert.Len(t, res.Attempts, 1)
				assert.Zero(t, res.Status)
				failed(t, res.Cause, tt.code)
				assert.Equal(t, 1, res.Cause.(*hub.Error).Attempts)
				assert.Equal(t, "Execute", res.Cause.(*hub.Error).Op)
				assert.Equal(t, hub.SubstituteOutputs, events[0].Substitute)
				assert.Equal(t, hub.OnSuccess, events[0].Branch)
				return true
			})
		})
	}
}

// The last successful answer stands in for as long as it may, for the same call alone.
func TestAnEarlierAnswerStandsIn(t *testing.T) {
	now := newClock()
	srv := hubtest.NewServer(t)
	h := open(t, now.on).Tenant("acme")
	con := connector(t, h, srv, mapped("go", "GET", srv.URL+"/things/{{id}}", standIns(60, ""), func(r *hub.Request) {
		r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	}), func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} })
	setSecret(t, h, con.ID, "key", "key-0123456789abcdef")
	good := func() { srv.Handle("/", numberIs(7).Header("X-Trace", "first")) }
	bad := func() { srv.Handle("/", hubtest.Status(503)) }

	good()
	res, err := execute(t, h, "go", `{"id":"a","contact":1}`)
	require.NoError(t, err)
	assert.Empty(t, res.Substitute)
	res.Outputs["n"], res.Body[0] = "the caller's own", 'x'
	res.Header.Set("X-Trace", "the caller's own")
	bad()
	for range 2 {
		now.advance(20 * time.Second)
		res, err = execute(t, h, "go", `{"id":"a","contact":2}`)
		require.NoError(t, err)
		assert.Equal(t, hub.SubstituteStale, res.Substitute)
		assert.Equal(t, map[string]any{"n": json.Number("7")}, res.Outputs)
		assert.Equal(t, 200, res.Status)
		assert.Equal(t, "first", res.Header.Get("X-Trace"))
		assert.Equal(t, `{"n":7}`, string(res.Body))
		failed(t, res.Cause, hub.Rejected)
		res.Outputs["n"], res.Body[0] = "the caller's own", 'x'
		res.Header.Set("X-Trace", "the caller's own")
	}
	assert.Equal(t, 40*time.Second, res.Age)
	_, err = execute(t, h, "go", `{"id":"b"}`)
	failed(t, err, hub.Rejected)

	now.advance(21 * time.Second)
	_, err = execute(t, h, "go", `{"id":"a"}`)
	failed(t, err, hub.Rejected)

	for name, change := range map[string]func(){
		"an edit":            func() { edit(t, h, con.ID, func(c *hub.Connector) { c.Requests[0].Description += "x" }) },
		"another secret":     func() { require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("another-0123456789"))) },
		"nothing of another": func() {},
	} {
		good()
		_, err = execute(t, h, "go", `{"id":"a"}`)
		require.NoError(t, err, name)
		change()
		bad()
		_, err = execute(t, h, "go", `{"id":"a"}`)
		assert.Equal(t, name == "nothing of another", err == nil, name)
	}
	_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "go", Payload: []byte(`{"id":"a"}`), NoSubstitute: true})
	failed(t, err, hub.Rejected)
}

// A stale answer goes before the outputs of the definition, also for a call that found no place.
func TestABusyHubHasASubstitute(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/fast", hubtest.Sequence(numberIs(7), hubtest.Hang()))
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.QueuedCalls = 1, 1 }).Tenant("acme")
	connector(t, h, srv, mapped("fast", "GET", srv.URL+"/fast", standIns(60, `{"n":0}`)), func(c *hub.Connector) { c.Timeout = 60_000 })
	_, err := execute(t, h, "fast", `{}`)
	require.NoError(t, err)

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	hold := func() {
		_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "fast", Payload: []byte(`{}`)})
		ended <- err
	}
	go hold()
	require.Eventually(t, func() bool { return received(srv, "/fast") == 2 }, time.Minute, time.Millisecond)
	go hold()
	require.Eventually(t, func() bool {
		health, err := h.Health(t.Context(), "con")
		return err == nil && health.Queued == 1
	}, time.Minute, time.Millisecond)
	res, err := execute(t, h, "fast", `{}`)
	require.NoError(t, err)
	assert.Equal(t, hub.SubstituteStale, res.Substitute)
	failed(t, res.Cause, hub.Busy)
	assert.Empty(t, res.Attempts)
	_, err = execute(t, h, "fast", `{"broken`)
	failed(t, err, hub.Busy)
	stop()
	for range 2 { // a caller that gives up has no use for a substitute
		failed(t, <-ended, hub.Canceled)
	}
}

// Scripts go on, with the substitute in their variables.
func TestStudioGetsTheSubstitute(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, standIns(0, `{"n":0}`)))
	act, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "go"})
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, act.Branch)
	assert.Equal(t, hub.SubstituteOutputs, act.Substitute)
	assert.Equal(t, `{"n":0}`, act.Variables()["requestBody"])
	assert.Empty(t, act.ERR)

	_, err = h.TestRequest(t.Context(), hub.Call{Connector: "con", Request: "go"})
	failed(t, err, hub.Rejected) // a test shows what there is
}

// Answers are kept within their bound; what would take half of it is not kept at all.
func TestKeptAnswersAreBounded(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t, func(o *hub.Options) { o.Limits.StaleBytes = 64 << 10 }).Tenant("acme")
	connector(t, h, srv, mapped("go", "GET", srv.URL+"/{{size}}/{{id}}", standIns(60, "")))
	call := func(size, id string) (*hub.Result, error) {
		return execute(t, h, "go", `{"size":"`+size+`","id":"`+id+`"}`)
	}
	up := func(size int) {
		srv.Handle("/", hubtest.JSON(200, map[string]any{"n": 1, "pad": strings.Repeat("x", size)}))
	}
	up(10 << 10)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		_, err := call("10k", id)
		require.NoError(t, err)
	}
	_, err := call("10k", "a") // used again: the last to go
	require.NoError(t, err)
	_, err = call("10k", "f")
	require.NoError(t, err)
	up(40 << 10)
	_, err = call("40k", "a")
	require.NoError(t, err)
	srv.Handle("/", hubtest.Status(503))
	for id, kept := range map[string]bool{"a": true, "b": false, "f": true} {
		_, err := call("10k", id)
		assert.Equal(t, kept, err == nil, id)
	}
	_, err = call("40k", "a")
	failed(t, err, hub.Rejected)
}

func TestFallbacksAreChecked(t *testing.T) {
	typedN := map[string]hub.Output{"n": {Path: "n", Type: hub.OutputInteger}}
	for name, tt := range map[string]struct {
		method   string
		fallback hub.Fallback
		retry    *hub.Retry
		want     string // empty: it is taken
	}{
		"nothing":                 {"GET", hub.Fallback{}, nil, "fallback required"},
		"too old":                 {"GET", hub.Fallback{StaleFor: 604_801}, nil, "fallback.staleFor range"},
		"a POST's answer":         {"POST", hub.Fallback{StaleFor: 1}, nil, "fallback.staleFor unsafe"},
		"a DELETE's answer":       {"DELETE", hub.Fallback{StaleFor: 1}, nil, "fallback.staleFor unsafe"},
		"of a POST that searches": {"POST", hub.Fallback{StaleFor: 1}, &hub.Retry{Idempotent: true}, ""},
		"of a POST with a key":    {"POST", hub.Fallback{StaleFor: 1}, &hub.Retry{Idempotent: true, IdempotencyHeader: "Idempotency-Key"}, "fallback.staleFor idempotency-key"},
		"of a GET with a key":     {"GET", hub.Fallback{StaleFor: 1}, &hub.Retry{IdempotencyHeader: "Idempotency-Key"}, ""},
		"outputs of a POST":       {"POST", hub.Fallback{Outputs: json.RawMessage(`{"n":null,"more":[]}`)}, nil, ""},
		"no JSON":                 {"GET", hub.Fallback{Outputs: json.RawMessage(`{"n"`)}, nil, "fallback.outputs json"},
		"no object":               {"GET", hub.Fallback{Outputs: json.RawMessage(`[]`)}, nil, "fallback.outputs json"},
		"another type":            {"GET", hub.Fallback{Outputs: json.RawMessage(`{"n":"x","more":1}`)}, nil, "fallback.outputs.n default-type"},
		"another contract":        {"GET", hub.Fallback{Outputs: json.RawMessage(`{"n":1}`)}, nil, "fallback.outputs required"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			tpl := template(t, h)
			_, err := h.CreateConnector(t.Context(), hub.Connector{
				Name: "con", Template: tpl.ID, Hosts: []string{"api.example.com"}, Requests: []hub.Request{{
					Name: "go", Method: tt.method, URL: "https://api.example.com", Fallback: &tt.fallback, Retry: tt.retry, Outputs: typedN,
					OutputSchema: json.RawMessage(`{"required":["more"]}`),
				}},
			})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, []string{"requests[0]." + tt.want}, brokenRules(failed(t, err, hub.Invalid)))
		})
	}
}

// An edit in another process ends what was kept in this one.
func TestKeptAnswersBelongToADefinition(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", numberIs(7))
	store, keeper := memory.New(), generated(t)
	var hubs []*hub.Tenant
	for range 2 {
		h, err := hub.New(store, keeper, &hub.Options{
			Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}, Limits: hub.Limits{Freshness: -1},
		})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, h.Close(context.Background())) })
		hubs = append(hubs, h.Tenant("acme"))
	}
	con := connector(t, hubs[0], srv, manual("go", "GET", srv.URL, standIns(60, "")))
	_, err := execute(t, hubs[0], "go")
	require.NoError(t, err)
	srv.Handle("/", hubtest.Status(503))
	_, err = execute(t, hubs[0], "go")
	require.NoError(t, err)
	edit(t, hubs[1], con.ID, func(c *hub.Connector) { c.Requests[0].Description = "edited" })
	_, err = execute(t, hubs[0], "go")
	failed(t, err, hub.Rejected)
}

func generated(t *testing.T) *keyset.Keyset {
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	return keeper
}
