package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub"
)

const (
	quietOnes = 10
	quietRate = 10 // calls per second, of each
	swift     = 2 * time.Millisecond
	slow      = 200 * time.Millisecond
)

// noise is who calls 100 times as often as the others, and whom.
type noise struct {
	name   string
	tenant string
	delay  time.Duration // of the third party that the noise calls
}

var noises = []noise{
	{"another tenant", "noisy", swift},
	{"another tenant, a slow third party", "noisy", slow},
	{"a connector of the same tenant, a slow third party", "tenant-0", slow},
}

// neighbours lets quiet ones call, in turns: alone, beside the noise in a hub of its own, which
// takes as much of the machine, and beside it in their own hub.
func neighbours(t *trial) {
	for _, n := range noises {
		if t.Context().Err() == nil {
			t.must(n.run(t))
		}
	}
}

// street is a hub with quiet ones and one that is not.
type street struct {
	*trial
	noise
	*world
	apart            *world       // where the noise is on its own
	refused, crowded atomic.Int64 // of the noise: calls, and looks that found its queue in use
}

func (n noise) run(t *trial) error {
	near, far := delayed(swift), delayed(n.delay)
	defer near.Close()
	defer far.Close()
	w, err := newWorld(nil, nil)
	if err != nil {
		return err
	}
	s := &street{trial: t, noise: n, world: w}
	for i := range quietOnes {
		if err := move(t.Context(), w.Hub.Tenant(fmt.Sprint("tenant-", i)), "con", near); err != nil {
			return err
		}
	}
	if s.apart, err = newWorld(nil, nil); err != nil {
		return err
	}
	for _, w := range []*world{w, s.apart} {
		if err := move(t.Context(), w.Hub.Tenant(n.tenant), "noise", far); err != nil {
			return err
		}
	}
	s.live()
	return errors.Join(w.end(), s.apart.end())
}

// live takes the turns: what else the machine does meanwhile hurts all of them.
func (s *street) live() {
	var alone, apart, beside []time.Duration
	for range s.size(1, 1, 30) {
		alone = append(alone, s.turn(nil)...)
		apart = append(apart, s.turn(s.apart)...)
		beside = append(beside, s.turn(s.world)...)
	}
	s.tell(alone, apart, beside)
}

// delayed is a third party that needs so long.
func delayed(d time.Duration) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		answer.ServeHTTP(w, r)
	}))
}

func move(ctx context.Context, t *hub.Tenant, name string, server *httptest.Server) error {
	_, err := connect(ctx, t, hub.Connector{
		Name: name, Hosts: []string{server.Listener.Addr().String()}, Timeout: int(ample.Milliseconds()),
		Requests: []hub.Request{{Name: "call", Method: http.MethodGet, URL: server.URL + "/"}},
	})
	return err
}

// turnTime is how long a turn takes.
func (s *street) turnTime() time.Duration {
	return time.Duration(s.size(500, 1000, 1000)) * time.Millisecond
}

// turn lets the quiet ones call for a while, with the noise in some hub or in none, and returns
// how long each of their calls took.
func (s *street) turn(noisy *world) (took []time.Duration) {
	ctx, cancel := context.WithCancel(s.Context())
	var others sync.WaitGroup
	if noisy != nil {
		others.Go(func() { s.roar(ctx, noisy.Hub.Tenant(s.tenant)) })
		others.Go(func() { s.look(ctx, noisy.Hub.Tenant(s.tenant)) })
	}
	var mu sync.Mutex // guards took
	var next atomic.Int64
	paced(ctx, int(quietOnes*quietRate*s.turnTime().Seconds()), quietOnes*quietRate, func() {
		tenant := s.Hub.Tenant(fmt.Sprint("tenant-", next.Add(1)%quietOnes))
		begun := time.Now()
		err := execute(context.Background(), tenant)
		s.check(err == nil, "%s: a quiet call ends with %v", s.name, err)
		mu.Lock()
		took = append(took, time.Since(begun))
		mu.Unlock()
	})
	cancel()
	others.Wait()
	return took
}

// roar calls 100 times as often as a quiet one.
func (s *street) roar(ctx context.Context, t *hub.Tenant) {
	paced(ctx, 1<<30, 100*quietRate, func() {
		_, err := t.Execute(context.Background(), hub.Call{Connector: "noise", Request: "call"})
		if codeOf(err) == hub.Busy {
			s.refused.Add(1)
		} else {
			s.check(err == nil, "%s: a call of the noise ends with %v", s.name, err)
		}
	})
}

// look looks into the queues, until ctx ends.
func (s *street) look(ctx context.Context, noisy *hub.Tenant) {
	for i := 0; ctx.Err() == nil; i++ {
		h, err := s.Hub.Tenant(fmt.Sprint("tenant-", i%quietOnes)).Health(context.Background(), "con")
		s.check(err == nil && h.Queued == 0, "%s: %d calls of a quiet one wait in its queue: %v", s.name, h.Queued, err)
		h, err = noisy.Health(context.Background(), "noise")
		if err == nil && h.Queued > 0 {
			s.crowded.Add(1)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *street) tell(alone, apart, beside []time.Duration) {
	ms := func(d []time.Duration) float64 { return percentile(d, 0.99).Seconds() * 1000 }
	a, b, c := ms(alone), ms(apart), ms(beside)
	s.add(s.name+": p99 alone, ms", a)
	s.add(s.name+": p99 beside it in another hub, ms", b)
	s.add(s.name+": p99 beside it in the same hub, ms", c)
	s.add(s.name+": growth of p99 by sharing the hub, %", 100*(c/b-1))
	s.add(s.name+": growth of p99 in all, %", 100*(c/a-1))
	s.add(s.name+": calls of the noise refused", float64(s.refused.Load()))
	if s.delay == slow {
		s.check(s.crowded.Load() > 0 && s.refused.Load() > 0, "%s: the noise was not loud", s.name)
	}
}

func percentile(d []time.Duration, p float64) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, int(p*float64(len(d))))]
}
