package transport

import (
	"context"
	"time"
)

// Gate lets attempts pass, or not: a circuit breaker, a rate limit. For each attempt
// that passed it is told once how that went.
type Gate interface {
	// Pass waits until the next attempt may be made. Its error says why none may, and
	// until when. A first attempt that does not pass ends the call with Kind Held; a later
	// one ends it with what is there.
	Pass(ctx context.Context) (until time.Time, err error)
	// Shut returns until when no attempt would pass, as far as is known, and zero if one
	// might: then nobody waits for the next attempt.
	Shut() time.Time
	// Passed tells how the attempt ended. answer is nil if none came; it stays the call's.
	Passed(ctx context.Context, a *Attempt, answer *Answer)
}

// admitted asks the gate, if there is one, for another attempt.
func (c *call) admitted(ctx context.Context) bool {
	c.now = c.client.clock()
	if c.req.Gate == nil {
		return true
	}
	begun := c.now
	until, err := c.req.Gate.Pass(ctx)
	c.now = c.client.clock()
	if waited := c.now.Sub(begun); waited >= time.Millisecond { // less is the work of asking
		c.wait += waited
	}
	if err == nil {
		return true
	}
	c.held, c.out.RetryAt = true, until
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
