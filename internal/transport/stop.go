package transport

import (
	"context"
	"time"
)

// Stop says why no other attempt followed one that failed in a way that another might have mended.
type Stop string

const (
	// StopNotIdempotent: the request may have been taken, and sending it again could do its
	// work twice.
	StopNotIdempotent Stop = "not-idempotent"
	// StopAttempts: the policy's attempts are used up.
	StopAttempts Stop = "attempts"
	// StopDeadline: the time is over, or the wait would have taken what was left of it.
	StopDeadline Stop = "deadline"
	// StopCanceled: the caller gave up.
	StopCanceled Stop = "canceled"
	// StopRetryAfter: the server asked for a longer wait than the policy allows.
	StopRetryAfter Stop = "retry-after"
	// StopBudget: the budget has no repeat left for the host.
	StopBudget Stop = "budget"
	// StopShut: the gate said that nothing would pass.
	StopShut Stop = "shut"
	// StopHeld: the gate let nothing pass; Outcome.HeldBy is its error.
	StopHeld Stop = "held"
	// StopUpload: the body cannot be read once more.
	StopUpload Stop = "upload"
	// StopPassed: something of an answer has been passed on for good.
	StopPassed Stop = "passed"
)

// next decides on another attempt: when there is something to mend it says how long to wait
// for it, or why there is none.
func (c *call) next(ctx context.Context, told time.Duration, isTold bool) (time.Duration, Stop) {
	switch {
	case c.begun:
		return 0, StopPassed
	case !c.req.Upload.again():
		return 0, StopUpload
	case !c.worth(c.idempotent, isTold):
		return 0, StopNotIdempotent
	case len(c.out.Attempts) >= c.policy.attempts():
		return 0, StopAttempts
	case isTold && told > c.policy.maxRetryAfter():
		return 0, StopRetryAfter
	case c.shut():
		return 0, StopShut
	}
	wait := told + c.jitter()
	if deadline, ok := ctx.Deadline(); ok && wait >= time.Until(deadline) {
		if !isTold {
			c.out.RetryAt = c.now.Add(wait)
		}
		return 0, StopDeadline
	}
	if !c.policy.Budget.spend(c.req.URL.Host) {
		return 0, StopBudget
	}
	return wait, ""
}

// stopHeld notes that no other attempt passed the gate.
func (o *Outcome) stopHeld(kind Kind, err error) {
	if o.Stop = stopOf(kind); o.Stop == "" {
		o.Stop, o.HeldBy = StopHeld, err
	}
}

// stopOf is why a call ends whose context did, or whose attempt failed by it.
func stopOf(kind Kind) Stop {
	switch kind {
	case Timeout:
		return StopDeadline
	case Canceled:
		return StopCanceled
	}
	return ""
}
