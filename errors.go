package hub

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Code classifies an [Error]. A Code is itself an error, so that one list serves as codes
// and as sentinels: errors.Is(err, hub.Timeout).
type Code string

// The codes.
const (
	// Invalid: a definition, payload or argument breaks a rule; Fields says which.
	Invalid Code = "invalid"
	// NotFound: no such template, connector, request or secret in this tenant.
	NotFound Code = "not-found"
	// Exists: the id or the name is taken.
	Exists Code = "exists"
	// Conflict: the thing has been changed since the revision that the caller saw.
	Conflict Code = "conflict"
	// ReadOnly: a system template, or a vault that takes no values.
	ReadOnly Code = "read-only"
	// NotReady: the connector lacks something it needs to run; Fields says what.
	NotReady Code = "not-ready"
	// Inactive: the request is inactive or its connector is paused.
	Inactive Code = "inactive"
	// Forbidden: the guard refused the call: a host, a verb, or a secret's binding.
	Forbidden Code = "forbidden"
	// Unauthorized: the third party refused the connector's credentials.
	Unauthorized Code = "unauthorized"
	// Unreachable: no connection to the third party could be made.
	Unreachable Code = "unreachable"
	// Timeout: no answer came within the time allowed.
	Timeout Code = "timeout"
	// Canceled: the caller gave up.
	Canceled Code = "canceled"
	// Rejected: an answer came, and it does not count as success.
	Rejected Code = "rejected"
	// BadAnswer: an answer came that cannot be used: too large, cut off, garbled, or
	// without an output that the request promises.
	BadAnswer Code = "bad-answer"
	// RateLimited: the third party wants fewer calls, by status 429 or by a rule of
	// Request.Responses; or nothing was sent, because a [RateLimit] or what its earlier
	// answers told leave no call in time. RetryAt says when to come back.
	RateLimited Code = "rate-limited"
	// Aborted: what the caller handed over failed in the middle of a call: the writer of
	// ExecuteTo, or a File. errors.Is finds its own error.
	Aborted Code = "aborted"
	// CircuitOpen: the origin has failed so often that nothing is sent to it for now
	// ([Breaker]); RetryAt says until when.
	CircuitOpen Code = "circuit-open"
	// Busy: too many calls at once for the connector, the tenant or the hub.
	Busy Code = "busy"
	// Unavailable: the store, the vault or the keeper did not answer.
	Unavailable Code = "unavailable"
	// Closed: the hub has been closed.
	Closed Code = "closed"
)

// Error returns the code's text.
func (c Code) Error() string { return string(c) }

// FieldError is one broken rule.
type FieldError struct {
	// Path leads to the field, as written in JSON: requests[2].headers[0].name. For a
	// payload it is a JSON pointer (RFC 6901) after "payload": payload/customer/email.
	Path string `json:"path"`
	// Rule is a stable word for what was broken: required, too-long, unknown-reference.
	Rule string `json:"rule"`
	// Message says what to do about it. It names things and rules, never values.
	Message string `json:"message"`
}

// String returns path, message and rule in one line.
func (f FieldError) String() string { return f.Path + ": " + f.Message + " (" + f.Rule + ")" }

// Error is the error of every method of this package. Its text names things and rules;
// it never holds a secret, a query string, a body or a payload value.
//
// errors.Is recognises its Code and, for Timeout and Canceled, the context errors.
type Error struct {
	Code      Code
	Op        string // the method: "Execute", "UpdateConnector"
	Connector string // name or id, as the caller gave it
	Request   string // likewise

	// Status is the HTTP status of the answer, zero if none came.
	Status int
	// Attempts counts the requests sent for the call, the authentication's apart.
	Attempts int
	// Sent tells that a byte of the call may have reached the third party.
	Sent bool
	// Retryable tells that the same call could succeed later.
	Retryable bool
	// RetryAt is when the third party asked to be called again; zero if it did not say.
	RetryAt time.Time
	// NotRepeated is why the call was not sent again, if another attempt might have mended it.
	NotRepeated NotRepeated
	// Fields lists every broken rule of an Invalid or NotReady.
	Fields []FieldError

	harmless bool // though bytes were sent, it can be made again
	spent    bool // it cannot: a file that can be read once has been

	detail  string
	err     error
	refusal string // the error code of an authentication's answer: invalid_grant
}

// Error describes the failure in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("hub: ")
	b.WriteString(e.Op)
	e.writeSubject(&b)
	b.WriteString(": ")
	b.WriteString(string(e.Code))
	if e.Status != 0 {
		b.WriteString(" (status " + strconv.Itoa(e.Status) + ")")
	}
	if e.detail != "" {
		b.WriteString(": " + e.detail)
	}
	for i, f := range e.Fields {
		if i == maxFieldsShown {
			b.WriteString("; and " + strconv.Itoa(len(e.Fields)-i) + " more")
			break
		}
		if i > 0 {
			b.WriteString(";")
		} else {
			b.WriteString(":")
		}
		b.WriteString(" " + f.String())
	}
	return b.String()
}

// maxFieldsShown keeps one line readable; Fields itself is complete.
const maxFieldsShown = 8

func (e *Error) writeSubject(b *strings.Builder) {
	if e.Connector != "" {
		b.WriteString(" " + quote(e.Connector))
	}
	if e.Request != "" {
		b.WriteString("/" + quote(e.Request))
	}
}

// Unwrap makes the code and the context errors recognisable to errors.Is.
func (e *Error) Unwrap() []error {
	errs := []error{e.Code}
	switch {
	case e.Code == Timeout:
		errs = append(errs, context.DeadlineExceeded)
	case e.Code == Canceled:
		errs = append(errs, context.Canceled)
	}
	if e.err != nil {
		errs = append(errs, e.err)
	}
	return errs
}

// Detail is the explanation without the names of operation, connector and request: what
// Studio puts into ERR.
func (e *Error) Detail() string {
	if e.detail != "" {
		return e.detail
	}
	if len(e.Fields) > 0 {
		return e.Fields[0].String()
	}
	return string(e.Code)
}

// Branch is the way an action goes that ended with this error.
func (e *Error) Branch() Branch {
	if e.Code == Timeout {
		return OnTimeout
	}
	return OnError
}

// failure starts an *Error that the public method completes with its Op and subject.
func failure(code Code, detail string) *Error { return &Error{Code: code, detail: detail} }

// caused is failure with a cause for errors.Is; the cause's text is not shown.
func caused(code Code, detail string, err error) *Error {
	return &Error{Code: code, detail: detail, err: err}
}

// subject completes an error with what the public method was asked to do. An error that
// already names its operation is left alone.
func subject(err error, op, connector, request string) error {
	if err == nil {
		return nil
	}
	e := asError(err)
	if e.Op == "" {
		e.Op, e.Connector, e.Request = op, connector, request
	}
	return e
}

// own returns an error for one caller alone, of one that several may get: each completes its
// own.
func own(err error) error {
	if err == nil {
		return nil
	}
	e := *asError(err)
	return &e
}

// asError turns any error into an *Error: one that is not ours comes from a collaborator.
func asError(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return failure(Timeout, "the time allowed is over")
	case errors.Is(err, context.Canceled):
		return failure(Canceled, "the caller gave up")
	default:
		return caused(Unavailable, "a collaborator of the hub failed", err)
	}
}

// maxForeign bounds text from outside that is shown.
const maxForeign = 512

// quote makes text from outside safe to show: cut, quoted, controls escaped.
func quote(s string) string { return quoteUpTo(s, maxForeign) }

// quoteUpTo is quote with a bound of its own, in bytes.
func quoteUpTo(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.QuoteToGraphic(s)
}
