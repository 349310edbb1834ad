package hub_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// FuzzExecute hands over any payload to a mapped and a dynamic request, under any answer: the
// process stands, and every error is the hub's own.
func FuzzExecute(f *testing.F) {
	srv, err := hubtest.Start()
	require.NoError(f, err)
	defer srv.Close()
	var mu sync.Mutex // guards answer
	var answer []byte
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = w.Write(answer)
	}))
	h := open(f, func(o *hub.Options) { o.Limits.Attempts = 1 }).Tenant("acme")
	fuzzed(f, h, srv)
	for _, payload := range []string{
		`{"a":{"b":[1,2]},"h":"x","p":"p","n":1e5}`, `{"a":null}`, `{"a":"\u0000\ud83d\ude00"}`, `[1]`, `"x"`, ``, `{`, `{"a":1,"a":2}`, `{"n":1e400}`,
		`{"url":"/x","method":"POST","headers":{"X-A":"[[v]]"},"queryParameters":{"q":1},"mediaType":"application/xml","body":"<a>[[v]]</a>"}`,
		`{"method":"GET","headers":[{"name":"X-A","value":"1"}],"body":{"a":[[[]]]}}`, `{"mediaType":"multipart/form-data","method":"PUT","body":{"f":"[[v]]"}}`,
	} {
		for _, answer := range []string{`{"r":{"id":1}}`, `[`, `{"r":[{"id":"x"},{"id":null}]}`, "\x1f\x8b", "secret-0123456789", `"\ud800"`} {
			f.Add([]byte(payload), []byte(answer))
		}
	}
	f.Fuzz(func(t *testing.T, payload, body []byte) {
		mu.Lock()
		answer = body
		mu.Unlock()
		for _, request := range []string{"mapped", "dynamic"} {
			call := hub.Call{Connector: "con", Request: request, Payload: payload}
			_, _ = h.Plan(t.Context(), call)
			res, err := h.Execute(t.Context(), call)
			var own *hub.Error
			if err != nil && !errors.As(err, &own) {
				t.Fatalf("another library's error: %T", err)
			}
			if err == nil && (res == nil || res.Branch != hub.OnSuccess) {
				t.Fatalf("a success without a result: %v", res)
			}
			res.Get("r.id")
		}
	})
}

func fuzzed(f *testing.F, h *hub.Tenant, srv *hubtest.Server) {
	con := connector(f, h, srv, func(c *hub.Connector) {
		c.Variables, c.Secrets = map[string]string{"v": "1"}, []hub.Secret{{Name: "key", Places: []string{"header:X-Key"}}}
		c.Requests = []hub.Request{
			{Name: "mapped", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: srv.URL + "/{{p ?? \"p\"}}?q={{q ?? 1}}",
				Headers: []hub.Header{{Name: "X-H", Value: "{{h ?? \"h\"}}"}, {Name: "X-Key", Value: "[[key]]"}}, Body: `{"a":"{{a ?? null}}","n":"n is {{n ?? 0}}"}`,
				Outputs:       map[string]hub.Output{"id": {Path: "r.id", Default: []byte(`0`)}, "ids": {Path: "r.#.id", Default: []byte(`[]`)}, "n": {Path: "r.#", Default: []byte(`0`)}},
				PayloadSchema: []byte(`{"type":"object","properties":{"n":{"type":"number","maximum":100000,"multipleOf":0.5}}}`)},
			{Name: "dynamic", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic, Method: "POST", URL: srv.URL},
		}
	})
	setSecret(f, h, con.ID, "key", "secret-0123456789")
}
