package hub

import "github.com/integrationhub/hub/internal/transport"

// NotRepeated says why a call was not sent again after an attempt that failed in a way that
// another might have mended. It is empty of a call that succeeded, unless something stood in for
// its answer (Request.Fallback), of one that was never sent, whatever became of its
// authentication, of one that repeating could not mend, and of an HTTPClient's, which is sent once.
type NotRepeated string

// The reasons.
const (
	// BecauseNotIdempotent: the third party may have taken it, and nothing declares that
	// taking it twice does no harm (Retry.Idempotent).
	BecauseNotIdempotent NotRepeated = "not-idempotent"
	// BecauseAttempts: it was sent as often as Retry.Attempts and the limits allow.
	BecauseAttempts NotRepeated = "attempts"
	// BecauseDeadline: its time is over, or the pause before another attempt would have
	// taken the rest of it.
	BecauseDeadline NotRepeated = "deadline"
	// BecauseCanceled: the caller gave up, or the hub was closed.
	BecauseCanceled NotRepeated = "canceled"
	// BecauseRetryAfter: the third party asked for a longer pause than Limits.RetryAfter.
	BecauseRetryAfter NotRepeated = "retry-after"
	// BecauseBudget: so many calls to the host fail that no more repeats are spent on it.
	BecauseBudget NotRepeated = "budget"
	// BecauseCircuit: the circuit to the origin opened ([Breaker]).
	BecauseCircuit NotRepeated = "circuit"
	// BecauseRateLimit: a [RateLimit], or what the third party told of its own, leaves no
	// attempt in time.
	BecauseRateLimit NotRepeated = "rate-limit"
	// BecauseFile: a [File].Once has been read.
	BecauseFile NotRepeated = "file"
	// BecauseWritten: ExecuteTo has written a part of the answer.
	BecauseWritten NotRepeated = "written"
	// BecauseChanged: what was saved meanwhile does not let it run any more.
	BecauseChanged NotRepeated = "changed"
	// BecauseUnavailable: the store or the rate limiter did not answer.
	BecauseUnavailable NotRepeated = "unavailable"
)

// stops are the reasons that the transport has words for.
var stops = map[transport.Stop]NotRepeated{
	transport.StopNotIdempotent: BecauseNotIdempotent,
	transport.StopAttempts:      BecauseAttempts,
	transport.StopDeadline:      BecauseDeadline,
	transport.StopCanceled:      BecauseCanceled,
	transport.StopRetryAfter:    BecauseRetryAfter,
	transport.StopBudget:        BecauseBudget,
	transport.StopShut:          BecauseCircuit,
	transport.StopUpload:        BecauseFile,
	transport.StopPassed:        BecauseWritten,
}

// notRepeated is why the last attempt of a call that failed was the last.
func (r *run) notRepeated() NotRepeated {
	if r.outcome.Stop != transport.StopHeld {
		return stops[r.outcome.Stop]
	}
	switch asError(r.outcome.HeldBy).Code {
	case CircuitOpen:
		return BecauseCircuit
	case RateLimited:
		return BecauseRateLimit
	case Unavailable:
		return BecauseUnavailable
	}
	return BecauseChanged
}
