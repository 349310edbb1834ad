package token

import (
	"context"
	"time"
)

// renewal is the work of one flight.
type renewal struct {
	*Manager
	*flight

	watched  *record   // the last record that was read
	since    time.Time // when its revision was first seen, by the runtime's clock
	previous time.Time // when the revision before it was first seen; zero: none was
	pause    time.Duration
	rec      *record // the record with our lease
	base     int64   // generation of the grant that the attempt starts from
	// displaced tells that the record belongs to another definition by now: the outcome
	// is for those who wait for it, and for nobody else.
	displaced bool
}

// renew adopts a newer grant from the record, or fetches one under a lease.
func (m *Manager) renew(ctx context.Context, f *flight) (*held, error) {
	r := &renewal{Manager: m, flight: f, pause: m.opts.Poll}
	for {
		rec, err := m.read(ctx, f.key)
		if err != nil {
			return nil, err
		}
		r.watch(rec)
		h, next, err := r.step(ctx, rec)
		if h != nil || err != nil {
			return h, err
		}
		if err := r.sleep(ctx, next); err != nil {
			return nil, err
		}
	}
}

// step does what a record calls for: it yields a grant, an error, or how long to wait before
// the next look.
func (r *renewal) step(ctx context.Context, rec *record) (*held, time.Duration, error) {
	if h, err := r.adopt(ctx, rec); h != nil || err != nil {
		return h, 0, err
	}
	if err := r.verdict(rec); err != nil {
		return nil, 0, err
	}
	if rec.Lease != nil && !rec.Dead && !rec.heldBy(r.owner) {
		if !r.lost(rec) {
			return nil, r.patience(rec), nil
		}
		if !r.mayRepeat(rec) {
			return nil, 0, r.flag(ctx, rec)
		}
	}
	return r.attempt(ctx, rec)
}

// watch notes when the record moved.
func (r *renewal) watch(rec *record) {
	now := time.Now()
	switch {
	case r.watched == nil:
		r.since = now
		if r.demand >= anew { // asked for is one newer than what there was
			r.rise(rec.Generation)
		}
	case r.watched.revision != rec.revision:
		r.previous, r.since, r.pause = r.since, now, r.opts.Poll
	}
	r.watched = rec
}

// adopt takes over a grant that is newer than what this process had.
func (r *renewal) adopt(ctx context.Context, rec *record) (*held, error) {
	if rec.Generation <= r.floor {
		return nil, nil
	}
	g, err := r.open(ctx, r.key, rec)
	if err != nil || g == nil || g.AuthKey != r.key.AuthKey {
		return nil, r.unsealed(err)
	}
	h := r.hold(g, r.expiry(g))
	if !h.usable(r.key.AuthKey, r.now()) {
		return nil, nil
	}
	return h, nil
}

// unsealed lets a grant that cannot be opened be replaced where that needs nothing of it.
func (r *renewal) unsealed(err error) error {
	if err != nil && !r.src.Rotating() {
		return nil
	}
	return err
}

// expiry tells when a grant of another instance ends by this one's clock, whatever the
// other's says: no later than a whole life from now, and no sooner than one from when the
// record was last seen without it.
func (r *renewal) expiry(g *Grant) time.Time {
	now, life := r.now(), g.life()
	end := g.Expires
	if latest := now.Add(life); end.After(latest) {
		end = latest
	}
	if !r.previous.IsZero() {
		if soonest := now.Add(life - time.Since(r.previous)); end.Before(soonest) {
			end = soonest
		}
	}
	return end
}

// verdict is what an earlier failure means for an attempt with the same credentials.
func (r *renewal) verdict(rec *record) error {
	if rec.AuthKey != r.key.AuthKey {
		return nil
	}
	if rec.Dead {
		return &Error{Verdict: Refused, Reason: rec.Reason}
	}
	now := r.now()
	if wait := rec.RetryAt.Sub(now); r.demand < insisting && wait > 0 && wait <= r.opts.MaxBackOff {
		return &Error{Verdict: Rejected, Reason: rec.Reason, RetryAt: now.Add(wait)}
	}
	return nil
}

// lost reports whether the lease's holder has shown no life for as long as it promised to
// need. A declared grace shortens that: it is meant for repeating.
func (r *renewal) lost(rec *record) bool {
	return time.Since(r.since) >= r.leaseLife(rec)
}

func (r *renewal) leaseLife(rec *record) time.Duration {
	if grace := r.src.Grace(); grace > 0 && r.src.Rotating() {
		return min(rec.Lease.Life, grace/2)
	}
	return rec.Lease.Life
}

// patience is the pause before the next look: growing, and not beyond the end of the lease.
func (r *renewal) patience(rec *record) time.Duration {
	pause := r.pause + time.Duration(r.rand(int64(r.pause)/2+1))
	r.pause = min(2*r.pause, 10*r.opts.Poll)
	return min(pause, r.leaseLife(rec)-time.Since(r.since)+time.Millisecond)
}

// mayRepeat decides whether a call may be sent again of which nobody knows how it ended.
func (r *renewal) mayRepeat(rec *record) bool {
	if !r.src.Rotating() {
		return true
	}
	// A lease that seems to come from the future has been there for nobody knows how long.
	age := r.now().Sub(rec.Lease.At)
	return 0 <= age && max(age, time.Since(r.since)) < r.src.Grace()
}

// vanished is the reason of a flag that was set because nobody knows how a call ended.
const vanished = "a renewal of the token was interrupted, and its refresh token may be used up: authorize again"

// flag marks a grant as dead whose last use nobody knows the end of. Its lease stays, so
// that a holder that wakes up finds it.
func (r *renewal) flag(ctx context.Context, rec *record) error {
	from := rec.status()
	rec.Dead, rec.AuthKey, rec.RetryAt = true, r.key.AuthKey, time.Time{}
	rec.enter(NeedsReauthentication, vanished, r.now())
	err := r.write(ctx, r.key, rec)
	if err == nil {
		r.tell(ctx, from, rec)
	}
	if err != nil && !moved(err) {
		return err
	}
	return nil // the next look tells
}

// tell reports a change of state.
func (r *renewal) tell(ctx context.Context, from Status, rec *record) {
	if to := rec.status(); from.State != to.State {
		r.opts.Changed(context.WithoutCancel(ctx), Change{Key: r.key, Source: r.src, From: from, To: to})
	}
}

// sleep waits, unless ctx ends first.
func (m *Manager) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
