package token

import (
	"context"
	"errors"
	"time"
)

// flight is one renewal on its way, for all callers that wait for it.
type flight struct {
	key    Key
	src    Source
	demand demand
	floor  int64   // only a grant of a later generation will do; its renewal alone raises it, under Manager.mu
	after  *flight // the one before, of which this one awaits the end

	done   chan struct{}
	grant  *Grant
	detail any // of the fetch, for those who wait; it is not held
	err    error
}

// demand says which grant will do for those who wait, and what stands in its way.
type demand int

// The demands, each of which yields what the ones before ask for.
const (
	asNeeded  demand = iota // any that is good
	anew                    // a new one
	insisting               // a new one, whatever the back-off says
)

// wait returns what the flight yields, unless ctx ends first.
func (f *flight) wait(ctx context.Context) (*Grant, error) {
	select {
	case <-f.done:
		return f.grant, f.err
	default:
	}
	select {
	case <-f.done:
		return f.grant, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the flight under way, if it will yield what is asked for, or starts one;
// m.mu is held.
func (m *Manager) join(e *entry, key Key, src Source, demand demand) (*flight, error) {
	f := e.flight
	if f != nil && f.key.AuthKey == key.AuthKey && f.floor >= e.refused && f.demand >= demand {
		return f, nil
	}
	return m.start(e, key, src, demand)
}

// start starts a flight that lives as long as Begin lets it, not as its callers; m.mu is held.
// One manager has one flight for a connector at a time: another one waits for it, unless
// the definition changed meanwhile and nothing can be used up.
func (m *Manager) start(e *entry, key Key, src Source, demand demand) (*flight, error) {
	ctx, leave, err := m.opts.Begin()
	if err != nil {
		return nil, err
	}
	f := &flight{key: key, src: src, demand: demand, after: e.flight, done: make(chan struct{})}
	if before := e.flight; before != nil && before.key.AuthKey != key.AuthKey && !before.src.Rotating() && !src.Rotating() {
		f.after = nil
	}
	f.floor = max(e.refused, e.held.generation())
	e.flight = f
	go func() {
		defer leave()
		if f.after != nil {
			<-f.after.done
			f.after = nil
		}
		h, err := m.renew(ctx, f)
		m.land(e, f, h, err)
	}()
	return f, nil
}

// rise raises the floor of a flight; others who join may look at it meanwhile.
func (r *renewal) rise(generation int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.floor = max(r.floor, generation)
}

// land makes the outcome of a flight known.
func (m *Manager) land(e *entry, f *flight, h *held, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.flight == f {
		e.flight = nil
	}
	if err != nil {
		f.err = err
		m.remember(e, f, err)
	} else {
		f.grant = f.told(h.grant)
		if h.generation() > e.held.generation() {
			e.held = h
		}
		e.calm()
	}
	close(f.done)
}

// told is a grant as those who wait for it get it.
func (f *flight) told(g *Grant) *Grant {
	if f.detail == nil {
		return g
	}
	detailed := *g
	detailed.Detail = f.detail
	return &detailed
}

// calm forgets failures.
func (e *entry) calm() { e.trouble = nil }

// flaggedPause is how long a dead grant is taken for dead without asking the store again:
// another instance may have been given a new one.
const flaggedPause = time.Second

// remember keeps a failure from being repeated at once; m.mu is held.
func (m *Manager) remember(e *entry, f *flight, err error) {
	if e.trouble == nil {
		e.trouble = &trouble{}
	}
	now, t := m.now(), e.trouble
	t.quiet = now.Add(m.backOff(t.failures))
	t.failures++
	var failed *Error
	if !errors.As(err, &failed) || failed.Verdict == Temporary {
		return
	}
	// What is told later is the verdict; the facts of the sending were those of one call.
	t.hold = &Error{Verdict: failed.Verdict, Reason: failed.Reason, RetryAt: failed.RetryAt}
	t.holdKey, t.holdUntil = f.key.AuthKey, now.Add(flaggedPause)
	if failed.Verdict == Rejected {
		t.holdUntil = failed.RetryAt
		t.quiet = failed.RetryAt
	}
}
