package hub_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// Of all tenants and connectors together, who runs and who waits.
func TestStatsCountTheCallsOfTheWholeHub(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.HubCalls = 1, 50 })
	assert.Equal(t, hub.Stats{MaxInFlight: 50}, h.Stats())
	acme, other := h.Tenant("acme"), h.Tenant("other")
	behind(t, acme, srv)
	behind(t, other, srv)
	var all []<-chan error
	for _, tenant := range []*hub.Tenant{acme, other} {
		for _, name := range []string{"con", "other"} {
			all = append(all, start(t, tenant, name, "go"))
			<-d.entered
		}
	}
	for range 3 {
		all = append(all, start(t, acme, "con", "go"))
	}
	until(t, func() bool { return h.Stats().Queued == 3 })
	s := h.Stats()
	assert.Equal(t, 4, s.InFlight)
	assert.Zero(t, s.Held)
	assert.Zero(t, s.Waits, "who waits still is not counted")

	close(d.leave)
	for _, done := range all {
		require.NoError(t, <-done)
	}
	s = h.Stats()
	assert.Zero(t, s.InFlight)
	assert.Zero(t, s.Queued)
	assert.EqualValues(t, 3, s.Waits)
	assert.Positive(t, s.Waited)
	assert.Equal(t, hub.CircuitStats{Closed: 4}, s.Circuits)
}

// Who gives up has waited as well.
func TestStatsCountWaitsInVain(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.HubCalls = 1, -1 })
	behind(t, h.Tenant("acme"), srv)
	assert.Zero(t, h.Stats().MaxInFlight, "there is no limit")
	first := start(t, h.Tenant("acme"), "con", "go")
	<-d.entered
	ctx, giveUp := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := h.Tenant("acme").Execute(ctx, hub.Call{Connector: "con", Request: "go"})
		waiting <- err
	}()
	until(t, func() bool { return h.Stats().Queued == 1 })
	giveUp()
	failed(t, <-waiting, hub.Canceled)
	s := h.Stats()
	assert.Zero(t, s.Queued)
	assert.EqualValues(t, 1, s.Waits)
	close(d.leave)
	require.NoError(t, <-first)
}

// Calls that have a place and wait all the same: because an answer said so, or for a rate limit.
func TestStatsTellCallsThatAreHeld(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/run", d)
	srv.Handle("/busy", hubtest.Sequence(hubtest.Status(429).RetryAfter(40), hubtest.Status(200)))
	srv.Handle("/", hubtest.Status(200))
	h := open(t)
	acme, other := h.Tenant("acme"), h.Tenant("other")
	connector(t, other, srv, manual("go", "GET", srv.URL+"/run"))
	running := start(t, other, "con", "go")
	<-d.entered
	tpl := template(t, acme)
	for name, limit := range map[string]*hub.RateLimit{"told": nil, "declared": {Requests: 1, Per: 40_000}} {
		path := map[string]string{"told": "/busy", "declared": "/"}[name]
		connector(t, acme, srv, manual("go", "POST", srv.URL+path, once), func(c *hub.Connector) {
			c.Name, c.Template, c.Timeout, c.RateLimit = name, tpl.ID, 60_000, limit
		})
	}
	call := func(ctx context.Context, name string) error {
		_, err := acme.Execute(ctx, hub.Call{Connector: name, Request: "go"})
		return err
	}
	failed(t, call(t.Context(), "told"), hub.RateLimited) // the last before calls are held
	require.NoError(t, call(t.Context(), "declared"))
	assert.Equal(t, hub.Stats{InFlight: 1, MaxInFlight: 10_000, HeldOrigins: 1, Circuits: hub.CircuitStats{Closed: 3}}, h.Stats())

	ctx, giveUp := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for i, name := range []string{"told", "declared"} {
		go func() { done <- call(ctx, name) }()
		until(t, func() bool { return h.Stats().Held == i+1 })
	}
	assert.Equal(t, 3, h.Stats().InFlight)
	giveUp()
	for range 2 {
		failed(t, <-done, hub.Canceled)
	}
	assert.Zero(t, h.Stats().Held)
	assert.Equal(t, 1, h.Stats().InFlight, "one runs still, and is not held")
	close(d.leave)
	require.NoError(t, <-running)
}

// The circuits of all tenants, as they are now, of connectors that are remembered.
func TestStatsCountCircuits(t *testing.T) {
	srv, f := hubtest.NewServer(t), &faulty{}
	srv.Handle("/good", hubtest.Status(200))
	srv.Handle("/bad", hubtest.Status(500))
	srv.Handle("/sick", f)
	f.is(hubtest.Status(500))
	h := open(t, func(o *hub.Options) {
		o.Breaker, o.Limits.Remembered = hub.Breaker{Calls: 2, Open: 50 * time.Millisecond, Probes: 1}, 3
	})
	call := func(tenant, path string) error {
		_, err := h.Tenant(tenant).Execute(t.Context(), hub.Call{Connector: "con", Request: path})
		return err
	}
	for _, tenant := range []string{"a", "b", "c", "d"} {
		connector(t, h.Tenant(tenant), srv, manual("good", "GET", srv.URL+"/good"), manual("bad", "GET", srv.URL+"/bad", once), manual("sick", "GET", srv.URL+"/sick", once))
	}
	require.NoError(t, call("a", "good"))
	for range 2 {
		failed(t, call("b", "bad"), hub.Rejected)
		failed(t, call("c", "sick"), hub.Rejected)
	}
	s := h.Stats().Circuits
	assert.Equal(t, 1, s.Closed)
	assert.Equal(t, 2, s.Open+s.HalfOpen, "a slow machine may be late")
	until(t, func() bool { return h.Stats().Circuits == hub.CircuitStats{Closed: 1, HalfOpen: 2} })
	f.is(hubtest.Status(200))
	require.NoError(t, call("c", "sick"))
	assert.Equal(t, hub.CircuitStats{Closed: 2, HalfOpen: 1}, h.Stats().Circuits)
	require.NoError(t, call("a", "good"))
	require.NoError(t, call("d", "good")) // and b's is forgotten
	assert.Equal(t, hub.CircuitStats{Closed: 3}, h.Stats().Circuits)

	none := open(t, func(o *hub.Options) { o.Breaker.Calls = -1 })
	connector(t, none.Tenant("a"), srv, manual("good", "GET", srv.URL+"/good"))
	_, err := execute(t, none.Tenant("a"), "good")
	require.NoError(t, err)
	assert.Zero(t, none.Stats().Circuits, "they are switched off")
}

func TestACircuitThatIsOpenIsCountedSo(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503))
	h := open(t, func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 2, Open: time.Hour} })
	connector(t, h.Tenant("acme"), srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h.Tenant("acme"), "go")
	failed(t, err, hub.Rejected)
	assert.Equal(t, hub.CircuitStats{Open: 1}, h.Stats().Circuits)
}

func TestStatsAsJSON(t *testing.T) {
	text, err := json.Marshal(hub.Stats{InFlight: 1, Waited: time.Microsecond, Circuits: hub.CircuitStats{HalfOpen: 2}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"inFlight":1,"held":0,"queued":0,"maxInFlight":0,"waits":0,"waited":1000,
		"circuits":{"closed":0,"open":0,"halfOpen":2},"heldOrigins":0}`, string(text))
}

// asking is a Tracer that asks for figures.
type asking struct {
	tracer
	uninterested bool
	stats        func() hub.Stats
	opened       atomic.Int64
	closed       chan hub.Stats
}

func (a *asking) on(o *hub.Options) { o.Tracer = a }

func (a *asking) HubOpened(stats func() hub.Stats) (closed func()) {
	a.opened.Add(1)
	a.stats = stats
	if a.uninterested {
		return nil
	}
	return func() { a.closed <- stats() }
}

func TestATracerIsOfferedStatsUntilTheHubIsClosed(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	a := &asking{closed: make(chan hub.Stats, 8)}
	h := open(t, a.on)
	behind(t, h.Tenant("acme"), srv)
	call := start(t, h.Tenant("acme"), "con", "go")
	<-d.entered
	assert.Equal(t, 1, a.stats().InFlight)
	var closing sync.WaitGroup
	for range 4 {
		closing.Go(func() { assert.NoError(t, h.Close(context.Background())) })
	}
	assert.Empty(t, a.closed, "a call is under way")
	close(d.leave)
	require.NoError(t, <-call)
	closing.Wait()
	require.Len(t, a.closed, 1, "it is told once")
	last := <-a.closed
	assert.Zero(t, last.InFlight, "after the last call")
	assert.EqualValues(t, 1, a.opened.Load())
	assert.Equal(t, last, h.Stats())
}

func TestATracerThatNeedNotKnowOfTheEnd(t *testing.T) {
	a := &asking{uninterested: true}
	h := open(t, a.on)
	assert.Equal(t, h.Stats(), a.stats())
	require.NoError(t, h.Close(t.Context()))
}

// A hub that was never there is not told of: nothing would tell of its end.
func TestATracerDoesNotHearOfAHubThatCouldNotBeOpened(t *testing.T) {
	a, store := &asking{closed: make(chan hub.Stats, 8)}, memory.New()
	defer store.Close()
	for range 2 { // the second keeper is not that of the store
		keeper, err := keyset.Generate()
		require.NoError(t, err)
		if h, err := hub.New(store, keeper, &hub.Options{Tracer: a}); err == nil {
			require.NoError(t, h.Close(t.Context()))
		}
	}
	assert.EqualValues(t, 1, a.opened.Load())
}
