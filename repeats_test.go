package hub_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// What keeps a call from being sent again is told, to the caller, the observer and the log.
func TestACallTellsWhyItWasNotSentAgain(t *testing.T) {
	busy := hubtest.Status(503)
	for name, tt := range map[string]struct {
		method  string
		answer  http.Handler
		change  func(*hub.Request)
		options func(*hub.Options)
		want    hub.NotRepeated
	}{
		"nothing to mend":     {"GET", hubtest.Status(404), nil, nil, ""},
		"a POST":              {"POST", busy, nil, nil, hub.BecauseNotIdempotent},
		"a POST broken off":   {"POST", hubtest.Drop(), nil, nil, hub.BecauseNotIdempotent},
		"a POST after 500":    {"POST", hubtest.Status(500), nil, nil, ""},
		"all attempts used":   {"GET", busy.RetryAfter(0), nil, nil, hub.BecauseAttempts},
		"one attempt allowed": {"GET", busy, once, nil, hub.BecauseAttempts},
		"a pause too long": {"GET", busy.RetryAfter(61), func(r *hub.Request) { r.Timeout = 120_000 }, nil,
			hub.BecauseRetryAfter},
		"a pause that does not fit": {"GET", busy.RetryAfter(9), func(r *hub.Request) { r.Timeout = 9_000 }, nil, hub.BecauseDeadline},
		"no answer in time":         {"GET", hubtest.Hang(), nil, nil, hub.BecauseDeadline},
		"a circuit that opens": {"GET", busy.RetryAfter(0), nil,
			func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 2, Open: time.Hour} }, hub.BecauseCircuit},
		"no turn in time": {"GET", busy.RetryAfter(0), func(r *hub.Request) { r.RateLimit = rate(1) }, nil, hub.BecauseRateLimit},
		"a rule, and a POST": {"POST", hubtest.Status(200), func(r *hub.Request) {
			r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Statuses: []string{"200"}}, Then: hub.VerdictRetry}}
		}, nil, hub.BecauseNotIdempotent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unhurried(t, func(ms int) bool {
				late := name == "no answer in time"
				srv := hubtest.NewServer(t)
				srv.Handle("/", tt.answer)
				var events []hub.Event
				var logged bytes.Buffer
				options := []func(*hub.Options){observe(&events), func(o *hub.Options) {
					o.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
				}}
				if tt.options != nil {
					options = append(options, tt.options)
				}
				h := open(t, options...).Tenant("acme")
				connector(t, h, srv, func(c *hub.Connector) { c.Timeout = 120_000 }, manual("go", tt.method, srv.URL, func(r *hub.Request) {
					if r.Timeout = 60_000; late {
						r.Timeout = ms
					}
					if tt.change != nil {
						tt.change(r)
					}
				}))
				_, err := execute(t, h, "go")
				if late && len(srv.Requests()) == 0 {
					return false
				}
				var e *hub.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, tt.want, e.NotRepeated)
				assert.Equal(t, tt.want, events[len(events)-1].NotRepeated)
				assert.Contains(t, logged.String(), `"sent":true,"notRepeated":"`+string(tt.want)+`"`)
				return true
			})
		})
	}
}

func TestACallThatSucceedsNamesNoReason(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(200), hubtest.Status(503)))
	var events []hub.Event
	h := open(t, observe(&events)).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL), manual("fixed", "GET", srv.URL, once, func(r *hub.Request) {
		r.Fallback = &hub.Fallback{Outputs: []byte(`{}`)}
	}))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	_, err = execute(t, h, "fixed")
	require.NoError(t, err)
	assert.Empty(t, events[0].NotRepeated)
	assert.Equal(t, hub.BecauseAttempts, events[1].NotRepeated, "something stood in for the answer")
}

// Why its authentication was not sent again is told of that.
func TestACallThatWasNeverSentNamesNoReason(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Status(503))
	var events []hub.Event
	h := open(t, observe(&events), func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 2, Open: time.Hour} }).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	for range 3 {
		_, err := execute(t, h, "read")
		var e *hub.Error
		require.ErrorAs(t, err, &e)
		assert.False(t, e.Sent)
		assert.Empty(t, e.NotRepeated)
	}
	reasons := map[string][]hub.NotRepeated{}
	for _, e := range events {
		reasons[e.Op] = append(reasons[e.Op], e.NotRepeated)
	}
	assert.Equal(t, []hub.NotRepeated{hub.BecauseNotIdempotent, hub.BecauseNotIdempotent, ""}, reasons["Authenticate"], "the circuit is open")
	assert.Equal(t, []hub.NotRepeated{"", "", ""}, reasons["Execute"])
}

func TestWhoGivesUpBetweenAttemptsIsTheReason(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503).RetryAfter(5))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "go"})
		done <- err
	}()
	until(t, func() bool {
		health, err := h.Health(t.Context(), "con")
		return err == nil && len(health.Origins) == 1 && !health.Origins[0].HeldUntil.IsZero()
	})
	cancel()
	assert.Equal(t, hub.BecauseCanceled, failed(t, <-done, hub.Canceled).NotRepeated)
}

func TestAFileThatIsGoneIsTheReason(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503).RetryAfter(0))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "PUT", srv.URL, func(r *hub.Request) { r.MediaType, r.BodyFile = "text/plain", "f" }))
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "go", Files: map[string]hub.File{"f": {
		Once: true, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil },
	}}})
	assert.Equal(t, hub.BecauseFile, failed(t, err, hub.Rejected).NotRepeated)
}

// When a host is down altogether, its budget ends the repeats.
func TestABudgetThatIsUsedUpIsTheReason(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503))
	h := open(t, func(o *hub.Options) { o.Breaker.Calls = -1 }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	var mu sync.Mutex
	var calls sync.WaitGroup
	reasons := map[hub.NotRepeated]int{}
	for range 40 {
		calls.Go(func() {
			_, err := execute(t, h, "go")
			mu.Lock()
			defer mu.Unlock()
			reasons[failed(t, err, hub.Rejected).NotRepeated]++
		})
	}
	calls.Wait()
	assert.Positive(t, reasons[hub.BecauseBudget])
	assert.Equal(t, 40, reasons[hub.BecauseBudget]+reasons[hub.BecauseAttempts])
}
