package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub"
)

const (
	quietOnes = 20
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
// takes as much of the machine, and beside it in their own hub. A round has a turn of each. What
// else the machine does meanwhile hurts the turns of a round alike, or one round and not the
// others: so the turns of each round are compared, and the median of all rounds is told.
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

// arms are the turns of a round.
type arms struct{ alone, apart, beside []time.Duration }

// live takes the turns, in another order each time.
func (s *street) live() {
	rounds := make([]arms, s.size(1, 1, 30))
	for i := range rounds {
		a := &rounds[i]
		turns := []func(){
			func() { a.alone = s.turn(nil) },
			func() { a.apart = s.turn(s.apart) },
			func() { a.beside = s.turn(s.world) },
		}
		for j := range turns {
			turns[(i+j)%len(turns)]()
		}
	}
	if s.Context().Err() == nil {
		s.tell(rounds)
	}
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

// turnTime is how long a turn is measured, after the lead that the noise needs to be loud.
func (s *street) turnTime() time.Duration {
	return time.Duration(s.size(300, 700, 1000)) * time.Millisecond
}

const lead = 300 * time.Millisecond

// turn lets the quiet ones call for a while, with the noise in some hub or in none, and returns
// how long each of their calls took.
func (s *street) turn(noisy *world) (took []time.Duration) {
	runtime.GC() // what others left is not this turn's
	ctx, cancel := context.WithCancel(s.Context())
	var others sync.WaitGroup
	if noisy != nil {
		others.Go(func() { s.roar(ctx, noisy.Hub.Tenant(s.tenant)) })
	}
	others.Go(func() { s.look(ctx, noisy) })
	measured := time.Now().Add(lead)
	var mu sync.Mutex // guards took
	var next atomic.Int64
	paced(ctx, int(quietOnes*quietRate*(lead+s.turnTime()).Seconds()), quietOnes*quietRate, func() {
		tenant := s.Hub.Tenant(fmt.Sprint("tenant-", next.Add(1)%quietOnes))
		begun := time.Now()
		err := execute(context.Background(), tenant)
		ended := time.Since(begun)
		s.check(err == nil, "%s: a quiet call ends with %v", s.name, err)
		if begun.After(measured) {
			mu.Lock()
			took = append(took, ended)
			mu.Unlock()
		}
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
func (s *street) look(ctx context.Context, noisy *world) {
	for i := 0; ctx.Err() == nil; i++ {
		h, err := s.Hub.Tenant(fmt.Sprint("tenant-", i%quietOnes)).Health(context.Background(), "con")
		s.check(err == nil && h.Queued == 0, "%s: %d calls of a quiet one wait in its queue: %v", s.name, h.Queued, err)
		if noisy != nil {
			h, err = noisy.Hub.Tenant(s.tenant).Health(context.Background(), "noise")
			if err == nil && h.Queued > 0 {
				s.crowded.Add(1)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *street) tell(rounds []arms) {
	var alone, apart, beside, shared, all []float64
	for _, r := range rounds {
		a, b, c := p99(r.alone), p99(r.apart), p99(r.beside)
		alone, apart, beside = append(alone, a), append(apart, b), append(beside, c)
		shared, all = append(shared, 100*(c/b-1)), append(all, 100*(c/a-1))
	}
	s.median("p99 alone, ms", alone)
	s.median("p99 beside it in another hub, ms", apart)
	s.median("p99 beside it in the same hub, ms", beside)
	s.median("growth of p99 by sharing the hub, %", shared)
	s.median("growth of p99 in all, %", all)
	s.add(s.name+": calls of the noise refused", float64(s.refused.Load()))
	if s.delay == slow {
		s.check(s.crowded.Load() > 0 && s.refused.Load() > 0, "%s: the noise was not loud", s.name)
	}
}

// median tells the median of the rounds and, whatever their distribution, between which of their
// values the true one lies nine times in ten.
func (s *street) median(name string, of []float64) {
	slices.Sort(of)
	n := len(of)
	s.add(s.name+": "+name, (of[(n-1)/2]+of[n/2])/2)
	if out := int((float64(n) - 1.645*math.Sqrt(float64(n))) / 2); n >= 10 {
		s.add(s.name+": "+name+", from", of[out])
		s.add(s.name+": "+name+", to", of[n-1-out])
	}
}

// p99 is the time in milliseconds within which 99 of 100 calls ended.
func p99(d []time.Duration) float64 {
	slices.Sort(d)
	return d[min(len(d)-1, int(0.99*float64(len(d))))].Seconds() * 1000
}
