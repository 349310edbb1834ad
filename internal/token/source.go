package token

import (
	"context"
	"time"
)

// Source obtains grants of one kind for one connector.
type Source interface {
	// Fetch obtains a new grant. prev is the last one, whatever it was made with (its
	// AuthKey tells), or nil if there is none or it is dead. Fetch sends at most one
	// request that could use up a refresh token. ctx ends with the lease. Errors are
	// an *[Error]; any other counts as Temporary.
	Fetch(ctx context.Context, prev *Grant) (*Grant, error)
	// Rotating reports whether each use of a refresh token may replace it, so that a
	// request whose answer nobody has must not be repeated.
	Rotating() bool
	// Grace is how long after its use the server still accepts a refresh token that it
	// replaced; zero if that is not known.
	Grace() time.Duration
}

// Bounded is a [Source] that says how long a Fetch may take. Without it Options.Timeout
// applies.
type Bounded interface {
	Timeout() time.Duration
}

// Verdict says what a failed Fetch means for the grant.
type Verdict string

// The verdicts.
const (
	// Refused: the grant is dead (invalid_grant), or was never given: somebody must
	// authorize anew. It is not tried again until then, or until a secret changes.
	Refused Verdict = "refused"
	// Rejected: the credentials are refused. They are tried again after a while, or
	// when a secret changes.
	Rejected Verdict = "rejected"
	// Temporary: anything else; the next call tries again.
	Temporary Verdict = "temporary"
)

// Error is why there is no grant.
type Error struct {
	Verdict Verdict
	// Reason is safe to show: it names things and rules, and quotes foreign text.
	Reason string
	// RetryAt is when the credentials will be tried again; zero if that is not planned.
	RetryAt time.Time
	// Err is the error of the Fetch; nil if nothing was sent, because of an earlier verdict.
	Err error
}

// Error returns the reason.
func (e *Error) Error() string { return "token: " + string(e.Verdict) + ": " + e.Reason }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
