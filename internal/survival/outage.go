package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/toxics"
)

const (
	rate     = 1000 // calls per second
	tolerant = 1.1  // attempts per call at most
	trickle  = 1.0  // attempts more for each second that a machine is behind the rate, as the budget has it
)

// outage is a way for a third party to be down for everybody.
type outage struct {
	name   string
	strike func(*toxics.Proxy, *third)
}

var outages = []outage{
	{"connections refused", func(p *toxics.Proxy, _ *third) { p.Down() }},
	{"connections reset", func(p *toxics.Proxy, _ *third) { p.Set(toxics.Up, toxics.ResetPeer{}) }},
	{"no answer", func(p *toxics.Proxy, _ *third) { p.Set(toxics.Down, toxics.Timeout{}) }},
	{"503 at once", func(_ *toxics.Proxy, s *third) { s.down.Store(true) }},
}

// third is a third party that counts.
type third struct {
	*httptest.Server
	down atomic.Bool
	came atomic.Int64
}

func newThird() *third {
	s := &third{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.came.Add(1)
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer.ServeHTTP(w, r)
	}))
	return s
}

// storms lets third parties go down while the calls go on: with circuits, which open, and
// without, where a budget is all that keeps repeats from adding to the load.
func storms(t *trial) {
	for _, o := range outages {
		if t.Context().Err() == nil {
			t.must(o.run(t, "with circuits", func(opts *hub.Options) { opts.Breaker.Open = allowed }))
			t.must(o.run(t, "without circuits", withoutCircuits))
		}
	}
}

// withoutCircuits lets all calls through.
func withoutCircuits(opts *hub.Options) { opts.Breaker.Calls = -1 }

func (o outage) run(t *trial, how string, change func(*hub.Options)) error {
	server := newThird()
	defer server.Close()
	proxy, err := toxics.New(server.Listener.Addr().String(), t.seed)
	if err != nil {
		return err
	}
	defer proxy.Close()
	var attempts atomic.Int64
	w, err := newWorld(nil, nil, change, func(opts *hub.Options) {
		opts.Observer = func(_ context.Context, e hub.Event) {
			if e.Op == "Attempt" {
				attempts.Add(1)
			}
		}
	})
	if err != nil {
		return err
	}
	if err := o.connect(t.Context(), w, proxy.Addr()); err != nil {
		return err
	}
	o.strike(proxy, server)
	calls := t.size(800, 1500, 10_000)
	var succeeded atomic.Int64
	begun := time.Now()
	took := paced(t.Context(), calls, rate, func() {
		if execute(t.Context(), w.acme) == nil {
			succeeded.Add(1)
		}
	})
	behind := time.Since(begun) - time.Duration(calls)*time.Second/rate - allowed
	o.judge(t, how, calls, behind, max(attempts.Load(), server.came.Load()), succeeded.Load())
	t.add(o.name+", "+how+": calls per second", float64(calls)/took.Seconds())
	server.down.Store(false)
	if err := proxy.Heal(); err != nil {
		return err
	}
	r := &road{call: func(ctx context.Context) error { return execute(ctx, w.acme) }}
	healed := time.Now()
	err = r.succeed(t.Context())
	t.check(err == nil, "%s, %s: does not recover: %v", o.name, how, err)
	t.most("recovery at the latest, ms", float64(time.Since(healed).Milliseconds()))
	return w.end()
}

// judge compares what was sent with the calls, which began at the rate unless the machine was
// behind it.
func (o outage) judge(t *trial, how string, calls int, behind time.Duration, sent, succeeded int64) {
	most := tolerant*float64(calls) + trickle*max(0, behind.Seconds())
	t.check(float64(sent) <= most, "%s, %s: %d attempts for %d calls, %v behind", o.name, how, sent, calls, behind)
	t.check(succeeded == 0, "%s, %s: %d calls succeeded", o.name, how, succeeded)
	t.add(o.name+", "+how+": attempts per call", float64(sent)/float64(calls))
}

// connect makes a connector that repeats as often as one does that says nothing about it.
func (o outage) connect(ctx context.Context, w *world, host string) error {
	_, err := connect(ctx, w.acme, hub.Connector{
		Name: "con", Hosts: []string{host}, Timeout: int(allowed.Milliseconds()),
		Requests: []hub.Request{{Name: "call", Method: http.MethodGet, URL: fmt.Sprintf("http://%s/", host)}},
	})
	return err
}

// paced makes so many calls at a rate, whatever becomes of them, and returns when all have
// ended, with how long it took to begin them.
func paced(ctx context.Context, calls, perSecond int, call func()) time.Duration {
	const step = 10 * time.Millisecond
	var running sync.WaitGroup
	begun := time.Now()
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for n := 0; n < calls && ctx.Err() == nil; <-ticker.C {
		due := min(calls, int(time.Since(begun).Seconds()*float64(perSecond)))
		for ; n < due; n++ {
			running.Go(call)
		}
	}
	took := time.Since(begun)
	running.Wait()
	return took
}
