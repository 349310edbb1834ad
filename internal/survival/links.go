package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/toxics"
)

// road is a hub whose calls depend on a link.
type road struct {
	proxy *toxics.Proxy
	call  func(context.Context) error
	end   func() error
	onset func() // makes the link sick while call runs; nil: it is, or stays well
}

// strike makes the link sick, if it is to be so while call runs.
func (r *road) strike() {
	if f := r.onset; f != nil {
		r.onset = nil
		f()
	}
}

// way is how calls depend on a link.
type way struct {
	link, name string
	kept       bool // connections are there before the link is sick
	halfway    bool // which it is while the call runs
	downward   bool // nothing is on its way up by then
	ends       func(f fault, kept bool) ends
	open       func(context.Context, opening) (*road, error)
	server     string // what the link leads to
	atOnce     int
}

// opening is what a way needs to open a road.
type opening struct {
	proxy  *toxics.Proxy
	n      int           // numbers the cases
	within time.Duration // bounds each call
	secure bool          // it speaks TLS
}

// sick is one case.
type sick struct {
	way
	fault
	direction toxics.Direction
	n         int // numbers the cases
}

func (s sick) String() string {
	return fmt.Sprintf("%s, %s: %s %s", s.link, s.way.name, s.fault.name, s.direction)
}

// links strikes each link with each fault in each direction, while calls depend on it.
func links(t *trial) {
	f := newFixture(t)
	defer f.end()
	var groups [][]sick
	for _, ways := range [][]way{f.web(), f.several(), f.stores(), f.limiters()} {
		var cases []sick
		for range t.size(1, 1, 10) {
			for _, w := range ways {
				cases = append(cases, w.cases(t, len(cases))...)
			}
		}
		if t.scale == small { // a fifth of them: a way has 18, so each fault has its turn on some way
			cases = slices.DeleteFunc(cases, func(s sick) bool { return s.n%5 != 0 })
		}
		groups = append(groups, cases)
	}
	each(len(groups), len(groups), func(i int) {
		cases := groups[i]
		each(len(cases), cases[0].atOnce, func(i int) { cases[i].run(t) })
	})
}

func (w way) cases(t *trial, n int) (cases []sick) {
	for _, f := range faults {
		if f.extra && t.scale < full {
			continue
		}
		for _, d := range f.directions() {
			if w.downward && f.toxic != nil && d == toxics.Up {
				continue
			}
			cases = append(cases, sick{way: w, fault: f, direction: d, n: n + len(cases)})
		}
	}
	return cases
}

// slack is what a busy machine may need beyond the time of a call.
const slack = 3 * time.Second

// recovery is how long a link that has healed may go on to hurt.
const recovery = 20 * time.Second

// within is the time of each call.
func (s sick) within() time.Duration {
	if s.way.ends(s.fault, s.kept).has(hub.Timeout) {
		return allowed
	}
	return ample
}

func (s sick) run(t *trial) {
	if t.Context().Err() != nil {
		return
	}
	proxy, err := toxics.New(s.server, t.seed+uint64(s.n))
	if err != nil {
		t.check(false, "%v: %v", s, err)
		return
	}
	defer proxy.Close()
	r, err := s.open(t.Context(), opening{proxy, s.n, s.within(), s.link == "HTTPS"})
	if err == nil {
		err = s.live(t, r)
	}
	if err != nil {
		t.check(false, "%v: %v", s, err)
	}
}

// live makes the link sick, calls, heals it and calls again.
func (s sick) live(t *trial, r *road) error {
	defer func() {
		if err := r.end(); err != nil {
			t.check(false, "%v: closing: %v", s, err)
		}
	}()
	if s.kept {
		if err := r.succeed(t.Context()); err != nil {
			return fmt.Errorf("the calls before: %w", err)
		}
	}
	var begun time.Time
	r.onset = func() {
		s.fault.strike(r.proxy, s.direction)
		begun = time.Now()
	}
	if !s.halfway {
		r.strike()
	}
	err := r.call(t.Context())
	for first := time.Now(); r.onset != nil; err = r.call(t.Context()) { // the half before was too slow
		if time.Since(first) > recovery || t.Context().Err() != nil {
			return fmt.Errorf("the half before: %w", err)
		}
	}
	late := time.Since(begun) - s.within()
	want := s.way.ends(s.fault, s.kept)
	for _, err := range endsOf(err) {
		code := codeOf(err)
		t.check(want.has(code), "%v: ends with %q, not one of %q: %v", s, code, want, err)
		t.add(s.link+": ends with "+named(string(code)), 1)
	}
	t.check(late < slack, "%v: ends %v after its deadline", s, late)
	t.most("latest end after the deadline, ms", float64(late.Milliseconds()))
	return s.recover(t, r)
}

// recover heals the link, and calls until a call succeeds.
func (s sick) recover(t *trial, r *road) error {
	if err := r.proxy.Heal(); err != nil {
		return err
	}
	healed := time.Now()
	err := r.succeed(t.Context())
	t.check(err == nil, "%v: does not recover: %v", s, err)
	t.most(s.link+": recovery at the latest, ms", float64(time.Since(healed).Milliseconds()))
	return nil
}

// succeed calls until a call succeeds.
func (r *road) succeed(ctx context.Context) error {
	begun := time.Now()
	err := r.call(ctx)
	for err != nil && time.Since(begun) < recovery && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
		err = r.call(ctx)
	}
	return err
}

func named(code string) string {
	if code == "" {
		return "success"
	}
	return code
}
