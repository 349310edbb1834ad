package transport

import (
	"net/http"
	"slices"
	"time"
)

// Policy says how often and how fast a request may be repeated. The zero
// Policy is the default one.
type Policy struct {
	// Attempts is the total, the first one included. Zero means 3, negative 1.
	Attempts int
	// Idempotent declares that sending the request twice does no more than
	// sending it once. GET, HEAD, OPTIONS, TRACE, PUT and DELETE are
	// idempotent by definition (RFC 9110 §9.2.2); POST and PATCH need this.
	Idempotent bool
	// Statuses are the answers worth another attempt. Nil means 429, 502, 503
	// and 504; empty means none. For a request that is not idempotent only
	// 429 and 503 count, and only with a Retry-After.
	Statuses []int
	// Judge, if set, is asked about each whole answer before Statuses are. It runs
	// in the goroutine of Do.
	Judge func(*Answer) Ruling
	// BaseWait and MaxWait bound the wait before attempt n+1: a random time in
	// [0, min(MaxWait, BaseWait·2ⁿ⁻¹)), known as full jitter. Zero means 200 ms
	// and 5 s; a negative BaseWait means no wait.
	BaseWait, MaxWait time.Duration
	// MaxRetryAfter is the longest Retry-After that is waited for; a longer one
	// ends the call and is reported as Outcome.RetryAt. Zero means 60 s,
	// negative means that none is waited for.
	MaxRetryAfter time.Duration
	// Budget, if set, is shared by calls and refuses repeats during an outage.
	Budget *Budget
	// Limits bound the answer.
	Limits Limits
}

func (p *Policy) attempts() int {
	switch {
	case p.Attempts < 0:
		return 1
	case p.Attempts == 0:
		return 3
	}
	return p.Attempts
}

func (p *Policy) idempotent(method string) bool {
	return p.Idempotent || safe(method) || method == http.MethodPut || method == http.MethodDelete
}

// safe says that a method asks for no effect (RFC 9110 §9.2.1).
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// repeatable says whether an answer with this status is worth another attempt.
func (p *Policy) repeatable(status int, idempotent, told bool) bool {
	if !idempotent && (!told || !asksToWait(status)) {
		return false
	}
	if p.Statuses != nil {
		return slices.Contains(p.Statuses, status)
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Ruling is what Policy.Judge makes of an answer.
type Ruling struct {
	// Name is written down in Attempt.Ruling.
	Name string
	// Repeat says whether another attempt could mend the answer.
	Repeat Repeat
}

// Repeat says what an answer means for another attempt.
type Repeat uint8

const (
	// ByStatus: the policy's statuses decide.
	ByStatus Repeat = iota
	// Never: there is nothing to mend.
	Never
	// Worthwhile: another attempt may mend it, if the request permits one; a
	// request that is not idempotent only as after its statuses.
	Worthwhile
	// Later: the server did not take the request and asks to come back. A request
	// that is not idempotent is repeated if the server told when, as after 429.
	Later
)

// permits says whether an answer that was ruled on is worth another attempt.
func (p *Policy) permits(ruled Repeat, status int, idempotent, told bool) bool {
	switch ruled {
	case ByStatus:
		return p.repeatable(status, idempotent, told)
	case Worthwhile:
		return idempotent || told && asksToWait(status)
	case Later:
		return idempotent || told
	}
	return false
}

// asksToWait says that with this status, and Retry-After, a server means that it has not
// taken the request.
func asksToWait(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// ceiling is the exclusive upper bound of the wait after attempt n, counted from 1.
func (p *Policy) ceiling(n int) time.Duration {
	base := orDefault(p.BaseWait, 200*time.Millisecond)
	limit := orDefault(p.MaxWait, 5*time.Second)
	if base < 0 || limit < 0 {
		return 0
	}
	for ; n > 1 && base < limit; n-- {
		base *= 2
	}
	return min(base, limit)
}

func (p *Policy) maxRetryAfter() time.Duration {
	return orDefault(p.MaxRetryAfter, time.Minute)
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
