package transport

import (
	"context"
	"net/http"
)

// read takes in the answer: header checked, body whole, connection given back
// or closed.
func (c *call) read(ctx context.Context, resp *http.Response, s *sending, a *Attempt) (*Answer, *Failure) {
	defer resp.Body.Close()
	if resp.StatusCode < 200 {
		return nil, newFailure(Protocol, nil, nil)
	}
	answer := &s.answer
	answer.Status, answer.Header = resp.StatusCode, resp.Header
	s.body = body{src: resp.Body, declared: resp.ContentLength, limits: &c.policy.Limits}
	if headerBytes(resp.Header) > s.body.limits.headerBytes() {
		return incomplete(answer, newFailure(HeaderTooLarge, nil, nil))
	}
	if bodiless(c.req.Method, resp.StatusCode) {
		return answer, nil
	}
	if err := c.take(ctx, resp, s, a); err != nil {
		return incomplete(answer, unread(ctx, err))
	}
	if headerBytes(resp.Trailer) > s.body.limits.headerBytes() {
		return incomplete(answer, newFailure(HeaderTooLarge, nil, nil))
	}
	answer.Trailer = resp.Trailer
	return answer, nil
}

// take reads the body whole, or passes it on.
func (c *call) take(ctx context.Context, resp *http.Response, s *sending, a *Attempt) error {
	answer := &s.answer
	if c.req.Stream != nil {
		if sink := c.req.Stream.Accept(answer.Status, answer.Header); sink != nil {
			answer.Passed = true
			return c.pass(ctx, s.stop, resp, sink, a)
		}
	}
	whole, err := s.body.read(&c.client.decoders, resp.Header)
	a.BytesIn, answer.Body = s.body.wire, whole
	return err
}

func incomplete(a *Answer, f *Failure) (*Answer, *Failure) {
	a.Incomplete, a.Body = true, nil
	return a, f
}

// unread names the error of a body. A cap that was passed stays that, even if
// the deadline passed at the same moment.
func unread(ctx context.Context, err error) *Failure {
	own, ok := err.(bodyError)
	switch {
	case ok && own.kind == Aborted:
		return newFailure(Aborted, own.err, nil)
	case ok && own.kind != Read:
		return newFailure(own.kind, nil, own.err)
	}
	kind, cause := interrupted(ctx)
	if kind == "" {
		kind = Read
	}
	return newFailure(kind, cause, err)
}

// bodiless says that an answer has no body, whatever its header says (RFC 9110 §6.4.1).
func bodiless(method string, status int) bool {
	return method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}
