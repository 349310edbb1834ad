package transport

import (
	"context"
	"time"
)

// Gate lets attempts pass, or not: a circuit breaker, a rate limit. For each attempt
// that passed it is told once how that went.
type Gate interface {
	// Pass waits until the next attempt may be made. now is when it is asked, by the clock of
	// the client; it returns when the attempt passed: now, if nothing was waited for. An error
	// says why none may pass, and at is until when. A first attempt that does not pass ends the
	// call with Kind Held; a later one ends it with what is there.
	Pass(ctx context.Context, now time.Time) (at time.Time, err error)
	// Shut returns until when no attempt would pass, as far as is known, and zero if one
	// might: then nobody waits for the next attempt.
	Shut() time.Time
	// Passed tells how the attempt ended. answer is nil if none came; it stays the call's.
	Passed(ctx context.Context, a *Attempt, answer *Answer)
}

// admitted asks the gate, if there is one, for another attempt.
func (c *call) admitted(ctx context.Context) bool {
	if c.req.Gate == nil {
		return true
	}
	at, err := c.req.Gate.Pass(ctx, c.now)
	if err == nil {
		if waited := at.Sub(c.now); waited >= time.Millisecond { // less is the work of asking
			c.wait += waited
		}
		c.now = at
		return true
	}
	if c.held = true; !at.IsZero() {
		c.out.RetryAt = at
	}
	kind, cause := interrupted(ctx)
	repeats := len(c.out.Attempts) > 0
	switch {
	case kind != "":
		c.fail(newFailure(kind, cause, err))
	case !repeats:
		c.fail(newFailure(Held, err, nil))
	}
	if repeats {
		c.out.stopHeld(kind, err)
	}
	return false
}

// shut says that the gate would let no other attempt pass.
func (c *call) shut() bool {
	if c.req.Gate == nil {
		return false
	}
	until := c.req.Gate.Shut()
	if until.IsZero() {
		return false
	}
	c.out.RetryAt = until
	return true
}
