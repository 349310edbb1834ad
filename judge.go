package hub

import (
	"errors"
	"net/http"
	"slices"

	"github.com/integrationhub/hub/internal/transport"
)

// tokenRefused reports whether the third party refused the token and another one is worth a
// try: once a call.
func (r *run) tokenRefused() bool {
	if r.replayed || !r.refused() || !r.grants.Refuse(r.plan.grantKey(), r.grant.Grant) || r.spent.Load() {
		return false
	}
	r.replayed = true
	r.giveUpGrant()
	return true
}

// refused reports whether the last answer says that the call's token is no longer good.
func (r *run) refused() bool {
	answer := r.outcome.Answer
	if r.grant == nil || answer == nil || r.outcome.Err != nil && !answer.Incomplete {
		return false
	}
	if rule := r.ruled(); rule != nil {
		return rule.then == VerdictRefreshToken
	}
	if len(r.plan.refusals) == 0 {
		return answer.Status == http.StatusUnauthorized
	}
	return r.plan.refuses(r.reading())
}

// judge is the step that says whether the answer is a success.
func (r *run) judge() (*Result, error) {
	res := r.result()
	if err := r.outcome.Err; err != nil {
		return res, r.failed(err)
	}
	if res == nil {
		return nil, r.explained(failure(Unreachable, "no answer came"))
	}
	if rule := r.ruled(); rule != nil {
		return res, r.decided(rule)
	}
	if r.refused() && res.Status != http.StatusUnauthorized {
		return res, r.explained(failure(Unauthorized, "the third party refused the token: its answer matches auth.refused"))
	}
	if r.req.success.has(res.Status) {
		return res, nil
	}
	e := failure(Rejected, "the third party answered "+statusText(res.Status))
	switch res.Status {
	case http.StatusUnauthorized:
		e.Code = Unauthorized
	case http.StatusTooManyRequests:
		e.Code = RateLimited
	}
	e.Retryable = r.retryable(res.Status)
	return res, r.explained(e)
}

// result is the last answer, nil if none came.
func (r *run) result() *Result {
	a := r.reading()
	if a == nil {
		return nil
	}
	out := r.answered
	if out == nil {
		out = new(answered)
	}
	r.answered = nil
	out.Result = Result{Branch: OnError, Status: a.Status, Header: a.Header, Body: a.Body, Attempts: r.attempts, json: a.json, deep: a.deep}
	if r.told() {
		out.Attempts = slices.Clone(r.attempts)
	}
	return &out.Result
}

// told reports whether somebody is told of the call's attempts, and may keep them.
func (r *run) told() bool { return r.opts.Observer != nil || r.opts.Tracer != nil }

// answered is a Result in one piece of memory with its Attempts, which most calls have one of.
type answered struct {
	Result
	own [1]Attempt
}

func (r *run) retryable(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// failureCodes are the codes of attempts that yielded no usable answer.
var failureCodes = map[transport.Kind]Code{
	transport.Timeout:        Timeout,
	transport.Canceled:       Canceled,
	transport.Invalid:        Invalid,
	transport.Prepare:        Unauthorized,
	transport.Refused:        Forbidden,
	transport.Unreachable:    Unreachable,
	transport.TLS:            Unreachable,
	transport.Read:           BadAnswer,
	transport.Protocol:       BadAnswer,
	transport.HeaderTooLarge: BadAnswer,
	transport.TooLarge:       BadAnswer,
	transport.Bomb:           BadAnswer,
	transport.Encoding:       BadAnswer,
	transport.Stalled:        Timeout,
}

// failed turns a failure of the transport into an error of the hub.
func (r *run) failed(err error) error {
	if errors.Is(err, errClosed) || r.life.cuts(err) {
		return r.explained(failure(Closed, "the hub has been closed"))
	}
	var f *transport.Failure
	if !errors.As(err, &f) {
		return r.explained(asError(err))
	}
	var own *Error
	if (f.Kind == transport.Prepare || f.Kind == transport.Held) && errors.As(f, &own) {
		return r.explained(own)
	}
	if f.Kind == transport.Aborted {
		var fault uploadFault
		if errors.As(f, &fault) {
			return r.explained(fault.broken)
		}
		return r.explained(aborted(f.Unwrap()[0]))
	}
	e := failure(failureCodes[f.Kind], f.Error())
	e.Retryable = f.Kind == transport.Unreachable || f.Kind == transport.Timeout || f.Kind == transport.Stalled || f.Kind == transport.Read
	return r.explained(e)
}

// explained adds the facts of the sending to an error.
func (r *run) explained(e *Error) *Error {
	e.Attempts = len(r.attempts)
	e.Sent, e.NotRepeated = r.sent(), r.notRepeated()
	e.harmless, e.spent = r.harmless(), r.spent.Load()
	if at := r.outcome.RetryAt; !at.IsZero() {
		e.RetryAt = at
	}
	if a := r.outcome.Answer; a != nil {
		e.Status = a.Status
	}
	return e
}

// statusText is a status with its name, if it has one.
func statusText(status int) string {
	text := "status " + itoa(status)
	if name := http.StatusText(status); name != "" {
		text += " (" + name + ")"
	}
	return text
}
