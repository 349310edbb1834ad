package token

import (
	"context"
	"errors"
	"time"
)

// attempt takes the lease and sends the call. Without grant and error the record moved: look
// again.
func (r *renewal) attempt(ctx context.Context, rec *record) (*held, time.Duration, error) {
	prev, err := r.open(ctx, r.key, rec)
	if err = r.unsealed(err); err != nil {
		return nil, 0, err
	}
	if rec.Dead { // and the credentials are others now
		prev, rec.Box, rec.Expires = nil, nil, time.Time{}
	}
	deadline := time.Now().Add(r.timeout())
	if err := r.take(ctx, rec); err != nil {
		if moved(err) {
			err = nil
		}
		return nil, 0, err
	}
	g, err := r.fetch(ctx, prev, deadline)
	if err != nil {
		return r.failed(ctx, err)
	}
	saved, err := r.settle(ctx, g)
	if err != nil || !saved && !(r.displaced && !r.src.Rotating()) {
		return nil, 0, err
	}
	r.detail, g.Detail = g.Detail, nil
	return r.hold(g, g.Expires), 0, nil
}

func (r *renewal) timeout() time.Duration {
	if b, ok := r.src.(Bounded); ok {
		return b.Timeout()
	}
	return r.opts.Timeout
}

// take writes the lease: from here on the call may have been sent.
func (r *renewal) take(ctx context.Context, rec *record) error {
	r.base = rec.Generation
	rec.Attempt = max(rec.Attempt, r.floor) + 1
	rec.Dead = false
	if rec.AuthKey != r.key.AuthKey {
		rec.AuthKey, rec.Failures, rec.RetryAt = r.key.AuthKey, 0, time.Time{}
	}
	rec.Lease = &lease{Owner: r.owner, Attempt: rec.Attempt, At: r.now().UTC(), Life: r.timeout() + r.opts.Slack}
	if err := r.write(ctx, r.key, rec); err != nil {
		return err
	}
	r.rec = rec
	return nil
}

// fetch sends the call, unless the time for it is over: a process that was stopped meanwhile
// must not send under a lease that others take for lost.
func (r *renewal) fetch(ctx context.Context, prev *Grant, deadline time.Time) (*Grant, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if !time.Now().Before(deadline) {
		return nil, context.DeadlineExceeded
	}
	asked := r.now()
	g, err := r.src.Fetch(ctx, prev)
	if err == nil {
		g.complete(r.key.AuthKey, r.rec.Attempt, asked)
	}
	return g, err
}

// failed writes down what a failed call means, and returns its error; none if meanwhile
// somebody else brought a grant.
func (r *renewal) failed(ctx context.Context, cause error) (*held, time.Duration, error) {
	e := &Error{Verdict: Temporary, Reason: "the authentication failed", Err: cause}
	var told *Error
	if errors.As(cause, &told) {
		copied := *told
		e = &copied
	}
	if e.Verdict == Rejected {
		e.RetryAt = r.now().Add(r.backOff(r.rec.Failures))
	}
	saved, err := r.settleFailure(ctx, e)
	if err == nil && !saved && !r.displaced {
		return nil, 0, nil
	}
	return nil, 0, e // what the store says comes second
}

// backOff is the pause after failures in a row: doubling, with up to half of it by chance.
func (m *Manager) backOff(failures int) time.Duration {
	pause := m.opts.BackOff
	for ; failures > 0 && pause < m.opts.MaxBackOff; failures-- {
		pause *= 2
	}
	pause = min(pause, m.opts.MaxBackOff)
	return pause - time.Duration(m.rand(int64(pause/2)+1))
}

// fail moves a record to what a failure means.
func (r *renewal) fail(rec *record, e *Error) {
	now := r.now()
	state := Degraded
	switch e.Verdict {
	case Refused:
		state, rec.Dead = NeedsReauthentication, true
	case Rejected:
		rec.RetryAt = e.RetryAt.UTC()
		if !now.Before(rec.Expires) { // the last token is still good for a while
			state = NeedsReauthentication
		}
	}
	rec.Failures++
	rec.enter(state, cut(e.Reason), now)
}

// maxReason bounds the text that is kept of a failure, in bytes.
const maxReason = 1024

func cut(s string) string {
	if len(s) > maxReason {
		return s[:maxReason] + "…"
	}
	return s
}
