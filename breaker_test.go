package hub_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// faulty answers as it is told, and counts.
type faulty struct {
	answer atomic.Pointer[http.Handler]
	count  atomic.Int64
}

func (f *faulty) is(h http.Handler) { f.answer.Store(&h) }

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.count.Add(1)
	(*f.answer.Load()).ServeHTTP(w, r)
}

// circuits collects the events of circuits.
type circuits struct {
	mu   sync.Mutex
	list []hub.Event
}

func (c *circuits) watch(o *hub.Options) {
	o.Observer = func(_ context.Context, e hub.Event) {
		if e.Op == "Circuit" {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.list = append(c.list, e)
		}
	}
}

func (c *circuits) states() []hub.CircuitState {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []hub.CircuitState
	for _, e := range c.list {
		out = append(out, e.Circuit)
	}
	return out
}

func once(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1} }

// What opens a circuit, and what does not.
func TestFailuresOfTheThirdPartyOpenTheCircuitAndNothingElse(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.Handler
		change func(*hub.Request)
		opens  bool
	}{
		"500":                        {hubtest.Status(500), once, true},
		"503":                        {hubtest.Status(503), once, true},
		"a connection that breaks":   {hubtest.Drop(), once, true},
		"an answer that breaks off":  {hubtest.Text(200, "0123456789").DropAfter(4), once, true},
		"no answer in time":          {hubtest.Hang(), once, true},
		"400":                        {hubtest.Status(400), once, false},
		"401":                        {hubtest.Status(401), once, false},
		"404":                        {hubtest.Status(404), once, false},
		"429":                        {hubtest.Status(429), once, false},
		"200":                        {hubtest.Status(200), once, false},
		"500 that counts as success": {hubtest.Status(500), func(r *hub.Request) { once(r); r.Success = &hub.Success{Statuses: []string{"2xx", "5xx"}} }, false},
		"502 that a rule says is fine": {hubtest.Status(502), func(r *hub.Request) {
			once(r)
			r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Statuses: []string{"502"}}, Then: hub.VerdictSuccess}}
		}, false},
		"an answer that is too large": {hubtest.Text(200, string(make([]byte, 5000))), once, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unhurried(t, func(ms int) bool {
				late := name == "no answer in time"
				srv, f := hubtest.NewServer(t), &faulty{}
				srv.Handle("/", f)
				f.is(tt.answer)
				var seen circuits
				h := open(t, seen.watch, func(o *hub.Options) {
					o.Limits.AnswerBytes = 4000
					o.Breaker = hub.Breaker{Calls: 4, Open: time.Hour}
				}).Tenant("acme")
				connector(t, h, srv, manual("go", "GET", srv.URL, tt.change, func(r *hub.Request) {
					if late {
						r.Timeout = ms
					}
				}))
				for range 4 {
					_, _ = execute(t, h, "go")
				}
				if late && len(seen.states()) == 0 {
					return false
				}
				assert.EqualValues(t, 4, f.count.Load())
				f.is(hubtest.Status(200))
				_, err := execute(t, h, "go")
				if !tt.opens {
					require.NoError(t, err)
					assert.Empty(t, seen.states())
					return true
				}
				e := failed(t, err, hub.CircuitOpen)
				assert.True(t, e.Retryable)
				assert.False(t, e.Sent)
				assert.Zero(t, e.Attempts)
				assert.WithinRange(t, e.RetryAt, time.Now().Add(50*time.Minute), time.Now().Add(80*time.Minute))
				assert.EqualValues(t, 4, f.count.Load(), "no byte was sent")
				assert.Equal(t, []hub.CircuitState{hub.CircuitOpened}, seen.states())
				assert.Equal(t, srv.URL, seen.list[0].Origin)
				assert.Equal(t, "con", seen.list[0].Connector)
				return true
			})
		})
	}
}

func TestCallersThatGiveUpOpenNoCircuit(t *testing.T) {
	srv, f, arrived := hubtest.NewServer(t), &faulty{}, make(chan struct{}, 16)
	srv.Handle("/", f)
	f.is(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		hubtest.Hang().ServeHTTP(w, r)
	}))
	h := open(t, func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 2, Open: time.Hour} }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	call := hub.Call{Connector: "con", Request: "go"}
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := h.Execute(ctx, call)
			done <- err
		}()
		select {
		case <-arrived:
		case err := <-done:
			require.NoError(t, err, "it should be under way")
		}
		cancel()
		failed(t, <-done, hub.Canceled)

		ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond) // nobody could meet it
		_, err := h.Execute(ctx, call)
		failed(t, err, hub.Timeout)
		cancel()
		for len(arrived) > 0 { // if it came so far
			<-arrived
		}
	}
	f.is(hubtest.Status(200))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
}

// One tenant's trouble, or one connector's, is not another's, though they call the same host.
func TestACircuitIsTheConnectorsOwn(t *testing.T) {
	srv, f := hubtest.NewServer(t), &faulty{}
	srv.Handle("/bad", hubtest.Status(500))
	srv.Handle("/good", f)
	f.is(hubtest.Status(200))
	h := open(t, func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 4, Open: time.Hour} })
	acme, other := h.Tenant("acme"), h.Tenant("other")
	tpl := template(t, acme)
	for _, name := range []string{"broken", "con"} {
		connector(t, acme, srv, func(c *hub.Connector) { c.Name, c.Template = name, tpl.ID },
			manual("bad", "GET", srv.URL+"/bad", once), manual("go", "GET", srv.URL+"/good"))
	}
	connector(t, other, srv, manual("go", "GET", srv.URL+"/good"))
	for range 4 {
		_, err := acme.Execute(t.Context(), hub.Call{Connector: "broken", Request: "bad"})
		failed(t, err, hub.Rejected)
	}
	_, err := acme.Execute(t.Context(), hub.Call{Connector: "broken", Request: "go"})
	failed(t, err, hub.CircuitOpen)
	for _, tenant := range []*hub.Tenant{acme, other} {
		_, err := tenant.Execute(t.Context(), hub.Call{Connector: "con", Request: "go"})
		require.NoError(t, err)
	}
}

// A circuit that opens ends the repeats of calls under way, and keeps their last answer.
func TestAStormStopsInTheMiddleOfItsRepeats(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503))
	h := open(t, func(o *hub.Options) {
		o.Limits.Attempts = 50
		o.Breaker = hub.Breaker{Calls: 2, Open: time.Hour}
	}).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	res, err := execute(t, h, "go")
	e := failed(t, err, hub.Rejected)
	assert.Equal(t, 2, e.Attempts)
	assert.Equal(t, 503, res.Status)
	assert.WithinRange(t, e.RetryAt, time.Now().Add(50*time.Minute), time.Now().Add(80*time.Minute))
}

// After a while a few probes pass, and no more; when they succeed, all do.
func TestAFewProbesCloseTheCircuitOrOpenItAgain(t *testing.T) {
	srv, f, d := hubtest.NewServer(t), &faulty{}, newDoor()
	srv.Handle("/", f)
	var seen circuits
	h := open(t, seen.watch, func(o *hub.Options) {
		o.Breaker = hub.Breaker{Calls: 4, Open: 50 * time.Millisecond, Probes: 2}
	}).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, once))
	f.is(hubtest.Status(500))
	for range 4 {
		_, err := execute(t, h, "go")
		failed(t, err, hub.Rejected)
	}
	state := func(want hub.CircuitState) func() bool {
		return func() bool { return circuit(t, h) == want }
	}
	until(t, state(hub.CircuitHalfOpen))
	_, err := execute(t, h, "go") // a probe that fails
	failed(t, err, hub.Rejected)
	until(t, func() bool { // at once, unless this machine is so slow that it is time for another
		_, err := execute(t, h, "go")
		return errors.Is(err, hub.CircuitOpen)
	})
	until(t, state(hub.CircuitHalfOpen))

	f.is(d)
	sent := f.count.Load()
	probes := startAll(t, h, "con", 2)
	<-d.entered
	<-d.entered
	for range 10 {
		_, err := execute(t, h, "go")
		e := failed(t, err, hub.CircuitOpen)
		assert.False(t, e.RetryAt.IsZero())
	}
	assert.EqualValues(t, sent+2, f.count.Load(), "two probes, whatever else comes")
	close(d.leave)
	for _, p := range probes {
		require.NoError(t, <-p)
	}
	assert.Equal(t, hub.CircuitClosed, circuit(t, h))
	for _, done := range startAll(t, h, "con", 5) {
		require.NoError(t, <-done)
	}
	assert.Equal(t, []hub.CircuitState{hub.CircuitOpened, hub.CircuitClosed}, seen.states(), "a probe that fails is no news")
}

// circuit is the state of the only origin of "con".
func circuit(t *testing.T, h *hub.Tenant) hub.CircuitState {
	health, err := h.Health(t.Context(), "con")
	require.NoError(t, err)
	require.Len(t, health.Origins, 1)
	return health.Origins[0].Circuit
}

// A probe whose caller gives up says nothing, and another may take its place.
func TestAProbeThatIsGivenUpMakesRoomForAnother(t *testing.T) {
	srv, f, d := hubtest.NewServer(t), &faulty{}, newDoor()
	srv.Handle("/", f)
	h := open(t, func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 1, Open: time.Millisecond, Probes: 1} }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, once))
	f.is(hubtest.Status(500))
	_, err := execute(t, h, "go")
	failed(t, err, hub.Rejected)
	until(t, func() bool { return circuit(t, h) == hub.CircuitHalfOpen })
	f.is(d)
	ctx, giveUp := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "go"})
		done <- err
	}()
	<-d.entered
	giveUp()
	failed(t, <-done, hub.Canceled)
	f.is(hubtest.Status(200))
	_, err = execute(t, h, "go")
	require.NoError(t, err)
}

// HTTPClient and authentications go the same way out.
func TestTheCircuitStandsBeforeSDKsAndTokensToo(t *testing.T) {
	srv, f := hubtest.NewServer(t), &faulty{}
	srv.Handle("/", f)
	f.is(hubtest.Status(500))
	h := open(t, func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 4, Open: time.Hour} }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	for range 4 {
		resp, err := client.Get(srv.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	_, err = client.Get(srv.URL)
	require.ErrorIs(t, err, hub.CircuitOpen)
	_, err = execute(t, h, "go")
	failed(t, err, hub.CircuitOpen)
	assert.EqualValues(t, 4, f.count.Load())

	tokens := &faulty{}
	srv.Handle("POST /token", tokens)
	tokens.is(hubtest.Status(500))
	acme := open(t, func(o *hub.Options) { o.Breaker = hub.Breaker{Calls: 1, Open: time.Hour} }).Tenant("acme")
	connector(t, acme, srv, oauth(srv))
	_, err = acme.Authenticate(t.Context(), "con")
	require.Error(t, err)
	_, err = acme.Authenticate(t.Context(), "con")
	failed(t, err, hub.CircuitOpen)
	assert.EqualValues(t, 1, tokens.count.Load())
}

// Switched off, every call goes out.
func TestCircuitsCanBeSwitchedOff(t *testing.T) {
	srv, f := hubtest.NewServer(t), &faulty{}
	srv.Handle("/", f)
	f.is(hubtest.Status(500))
	h := open(t, func(o *hub.Options) { o.Breaker.Calls = -1 }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, once))
	for range 50 {
		_, err := execute(t, h, "go")
		failed(t, err, hub.Rejected)
	}
	assert.EqualValues(t, 50, f.count.Load())
	assert.Equal(t, hub.CircuitClosed, circuit(t, h))
}

// During an outage the third party sees little more than a handful of attempts.
func TestAnOutageIsNotAnsweredWithTraffic(t *testing.T) {
	const calls = 2000
	srv, f := hubtest.NewServer(t), &faulty{}
	srv.Handle("/", f)
	f.is(hubtest.Status(503))
	h := open(t, func(o *hub.Options) { o.Breaker.Open = time.Hour }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	codes := make(chan hub.Code, calls)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range calls / 50 {
				_, err := execute(t, h, "go")
				codes <- asCode(err)
			}
		})
	}
	all.Wait()
	close(codes)
	count := map[hub.Code]int{}
	for c := range codes {
		count[c]++
	}
	assert.Equal(t, calls, count[hub.Rejected]+count[hub.CircuitOpen], "%v", count)
	assert.Greater(t, count[hub.CircuitOpen], calls*9/10)
	assert.LessOrEqual(t, f.count.Load(), int64(20+50+10), "what opens it, what is under way, and the budget's repeats")
	assert.Equal(t, hub.CircuitOpened, circuit(t, h))
}

func asCode(err error) hub.Code {
	if e, ok := errors.AsType[*hub.Error](err); ok {
		return e.Code
	}
	return ""
}

// The largest values there are mean what they say, and end nothing.
func TestACircuitTakesAnyBounds(t *testing.T) {
	for name, breaker := range map[string]hub.Breaker{
		"window": {Calls: 1, Window: math.MaxInt64}, "open": {Calls: 1, Open: math.MaxInt64}, "probes": {Calls: 1, Probes: 1 << 32},
	} {
		t.Run(name, func(t *testing.T) {
			srv, f := hubtest.NewServer(t), &faulty{}
			srv.Handle("/", f)
			f.is(hubtest.Status(500))
			h := open(t, func(o *hub.Options) { o.Breaker = breaker }).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL, once))
			_, err := execute(t, h, "go")
			failed(t, err, hub.Rejected)
			_, err = execute(t, h, "go")
			e := failed(t, err, hub.CircuitOpen)
			assert.Equal(t, name == "open", e.RetryAt.After(time.Now().AddDate(50, 0, 0)), "%v", e.RetryAt)
		})
	}
}
