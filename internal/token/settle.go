package token

import (
	"context"
	"errors"
	"time"

	"github.com/integrationhub/hub/storage"
)

// settle makes a new grant durable. False: somebody else's is in its place.
func (r *renewal) settle(ctx context.Context, g *Grant) (bool, error) {
	return r.persist(ctx, true, func(ctx context.Context, rec *record) error {
		rec.Dead, rec.Failures, rec.RetryAt, rec.AuthKey = false, 0, time.Time{}, r.key.AuthKey
		rec.Attempt = max(rec.Attempt, g.Generation)
		rec.enter(Healthy, "", r.now())
		return r.seal(ctx, r.key, rec, g)
	})
}

// settleFailure makes a failure durable. False: somebody else wrote, and what they wrote goes.
func (r *renewal) settleFailure(ctx context.Context, e *Error) (bool, error) {
	return r.persist(ctx, false, func(_ context.Context, rec *record) error {
		r.fail(rec, e)
		return nil
	})
}

// Bounds of writing an outcome.
const (
	lastWrite   = 2 * time.Second // of the one try that is left when ctx has ended
	freeTries   = 3               // where nothing is lost but a call
	longestWait = 2 * time.Second // between two tries
)

// persist writes an outcome over our lease and ends it. Where a refresh token could be lost
// it tries until ctx ends, and once more then.
func (r *renewal) persist(ctx context.Context, granted bool, change func(context.Context, *record) error) (bool, error) {
	pause := r.opts.Poll
	for try := 1; ; try++ {
		saved, again, err := r.tryPersist(ctx, granted, change)
		switch {
		case err == nil && !again:
			return saved, nil
		case again: // the record moved, and our outcome still counts
			continue
		case hopeless(err):
			return false, err
		case ctx.Err() != nil:
			return r.lastPersist(ctx, granted, change)
		case !r.src.Rotating() && try >= freeTries:
			// The store is down and the token can be had again: it serves from memory.
			return true, nil
		}
		if r.sleep(ctx, pause) == nil {
			pause = min(2*pause, longestWait)
		}
	}
}

// hopeless tells errors of a write that no other try mends.
func hopeless(err error) bool {
	return errors.Is(err, ErrGone) || errors.Is(err, storage.ErrInvalid) || errors.Is(err, storage.ErrClosed)
}

// lastPersist is the try that is left when the process is about to end.
func (r *renewal) lastPersist(ctx context.Context, granted bool, change func(context.Context, *record) error) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
	defer cancel()
	for {
		saved, again, err := r.tryPersist(ctx, granted, change)
		if !again {
			return saved, err
		}
	}
}

func (r *renewal) tryPersist(ctx context.Context, granted bool, change func(context.Context, *record) error) (saved, again bool, _ error) {
	next, from := *r.rec, r.rec.status()
	next.Settled = outcome{r.owner, r.rec.Lease.Attempt}
	next.Lease = nil
	if err := change(ctx, &next); err != nil {
		return false, false, err
	}
	err := r.write(ctx, r.key, &next)
	if err == nil {
		r.tell(ctx, from, &next)
		return true, false, nil
	}
	if !moved(err) {
		return false, false, err
	}
	cur, err := r.read(ctx, r.key)
	if err != nil {
		return false, false, err
	}
	if cur.Settled == next.Settled { // a try before did it, though the store said otherwise
		return true, false, nil
	}
	if cur.revision == 0 {
		return false, false, ErrGone
	}
	if !r.mayWrite(cur, granted) {
		r.displaced = cur.AuthKey != r.key.AuthKey
		return false, false, nil
	}
	cur.Lease, r.rec = r.rec.Lease, cur
	return false, true, nil
}

// mayWrite decides whether an outcome still counts for a record that somebody else wrote: it
// does under our own lease; and where a record is flagged because nobody knew how our call,
// or one like it, would end, a grant lifts the flag.
func (r *renewal) mayWrite(cur *record, granted bool) bool {
	if cur.Dead {
		return granted && cur.Generation == r.base
	}
	return cur.Lease != nil && *cur.Lease == *r.rec.Lease
}
