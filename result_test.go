package hub_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// spoil writes over all that a Result holds.
func spoil(res *hub.Result) {
	for i := range res.Attempts {
		res.Attempts[i] = hub.Attempt{}
	}
	res.Attempts = append(res.Attempts, hub.Attempt{Status: 999})
	res.Header.Set("X-Spoiled", "yes")
	clear(res.Body)
	clear(res.Outputs)
}

// What a caller does to a Result changes neither what observers keep nor another Result.
func TestAResultIsTheCallersOwn(t *testing.T) {
	for name, change := range map[string]func(*hub.Request){
		"an answer": func(*hub.Request) {},
		"two attempts": func(r *hub.Request) {
			r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Path: "n"}, Then: hub.VerdictRetry}}
		},
		"a stand-in": func(r *hub.Request) {
			standIns(60, `{"n":7}`)(r)
			r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Path: "n"}, Then: hub.VerdictRetry}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.JSON(200, map[string]any{"n": 7}))
			var kept [][]hub.Attempt
			h := open(t, func(o *hub.Options) {
				o.Observer = func(_ context.Context, e hub.Event) { kept = append(kept, e.Attempts) }
			}).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
				r.Outputs, r.Retry = map[string]hub.Output{"n": {Path: "n"}}, &hub.Retry{Attempts: 2}
				change(r)
			}))
			for range 2 {
				res, _ := execute(t, h, "go")
				require.NotNil(t, res)
				require.NotEmpty(t, res.Attempts)
				assert.Empty(t, res.Header.Get("X-Spoiled"))
				assert.JSONEq(t, `{"n":7}`, string(res.Body))
				spoil(res)
			}
			require.NotEmpty(t, kept)
			for _, attempts := range kept {
				for _, a := range attempts {
					assert.Equal(t, 200, a.Status)
				}
			}
		})
	}
}

// What stands in outputs stays there when the body that it was taken from is written over.
func TestOutputsAreNoPartOfTheBody(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]any{"s": "a text", "n": 4711, "q": "12.0", "a": []any{"x", 1}}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{
			"any": {Path: "s"}, "text": {Path: "s", Type: hub.OutputString}, "found": {Path: `a.#(=="x")`, Type: hub.OutputString},
			"number": {Path: "n", Type: hub.OutputNumber}, "integer": {Path: "q", Type: hub.OutputInteger}, "digits": {Path: "n", Type: hub.OutputString},
			"anyNumber": {Path: "n"}, "list": {Path: "a", Type: hub.OutputArray},
		}
	}))
	res, err := execute(t, h, "go")
	require.NoError(t, err)
	clear(res.Body)
	assert.Equal(t, map[string]any{
		"any": "a text", "text": "a text", "found": "x", "number": json.Number("4711"), "integer": json.Number("12"), "digits": "4711",
		"anyNumber": json.Number("4711"), "list": []any{"x", json.Number("1")},
	}, res.Outputs)
}

// Where nobody is told of a call, its attempts lie beside its Result: and are no other Result's.
func TestAResultThatNobodyIsToldOfIsTheCallersOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503))
	h := open(t).Tenant("acme")
	connector(t, h, srv,
		manual("twice", "GET", srv.URL, func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 2} }),
		manual("once", "GET", srv.URL, func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1} }))
	for request, want := range map[string]int{"twice": 2, "once": 1} {
		first, _ := execute(t, h, request)
		second, _ := execute(t, h, request)
		require.Len(t, first.Attempts, want)
		kept := slices.Clone(second.Attempts)
		spoil(first)
		assert.Equal(t, kept, second.Attempts)
		assert.Equal(t, 503, second.Status)
	}
}

// Those who wait for one fetch each get an answer of their own. The race detector looks on.
func TestAnAnswerThatManyWaitForIsEachOnesOwn(t *testing.T) {
	const callers = 8
	srv := hubtest.NewServer(t)
	var waiting sync.WaitGroup
	waiting.Add(callers)
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		waiting.Wait()
		issuer("3600").ServeHTTP(w, r)
	}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			waiting.Done()
			res, err := h.Authenticate(t.Context(), "con")
			if assert.NoError(t, err) {
				assert.Equal(t, 200, res.Attempts[0].Status)
				assert.Empty(t, res.Header.Get("X-Spoiled"))
				spoil(res)
			}
		})
	}
	wg.Wait()
}
