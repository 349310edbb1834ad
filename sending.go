package hub

import (
	"context"
	"net/http"
)

// Sending is what [Call].BeforeSend is told.
type Sending struct {
	// Method is the verb of the rendered call.
	Method string
	// Idempotent tells that repeating the call does no harm: by its method, or because
	// Retry.Idempotent declares it.
	Idempotent bool
}

// maxIdempotencyKey bounds Call.IdempotencyKey: what the APIs take that document a bound.
const maxIdempotencyKey = 255

// announce tells the caller, once, that the call is about to be sent.
func (r *run) announce(ctx context.Context) error {
	if r.announced {
		return nil
	}
	if !plain(r.call.IdempotencyKey, maxIdempotencyKey) {
		return invalid("idempotencyKey", "idempotency-key", "must be at most 255 printable ASCII characters without spaces")
	}
	r.idempotencyKey = r.paging.key(r.call.IdempotencyKey)
	r.announced = true
	if r.call.BeforeSend == nil {
		return nil
	}
	if err := r.call.BeforeSend(ctx, Sending{Method: r.wire.Method, Idempotent: r.idempotent()}); err != nil {
		return caused(Unavailable, "BeforeSend failed, so the call was not sent", err)
	}
	return nil
}

func plain(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= most
}

// idempotent reports whether repeating the rendered call does no harm (RFC 9110 section
// 9.2.2, and what the request declares).
func (r *run) idempotent() bool {
	if r.req.policy.Idempotent {
		return true
	}
	switch r.wire.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// harmless reports whether the call can be made again although it was sent: it is idempotent,
// or its last attempt was turned away by a server that said when to come back.
func (r *run) harmless() bool {
	if len(r.attempts) == 0 || r.wire == nil || r.idempotent() {
		return true
	}
	last := r.attempts[len(r.attempts)-1]
	if last.Failure != "" || r.outcome.RetryAt.IsZero() {
		return !last.Sent
	}
	return last.Status == http.StatusTooManyRequests || last.Status == http.StatusServiceUnavailable || last.Verdict == VerdictRateLimited
}

// Repeatable tells that making the same call again cannot have its effect twice: no byte of
// it was sent, it is idempotent, or the third party turned it away with 429, 503 or what a rule
// calls rate-limited, and a time to come back. It holds for a call with the same
// Call.IdempotencyKey, given by the caller, and for none whose [File].Once was opened.
// Whether making it again could help is what Retryable says.
func (e *Error) Repeatable() bool { return !e.spent && (!e.Sent || e.harmless) }
