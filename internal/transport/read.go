package transport

import (
	"context"
	"net/http"
)

// read takes in the answer: header checked, body whole, connection given back
// or closed.
func (c *call) read(ctx context.Context, resp *http.Response, a *Attempt) (*Answer, *Failure) {
	defer resp.Body.Close()
	if resp.StatusCode < 200 {
		return nil, newFailure(Protocol, nil, nil)
	}
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header}
	if headerBytes(resp.Header) > c.limits.HeaderBytes {
		return incomplete(answer, newFailure(HeaderTooLarge, nil, nil))
	}
	if bodiless(c.req.Method, resp.StatusCode) {
		return answer, nil
	}
	body := body{src: resp.Body, declared: resp.ContentLength, limits: c.limits}
	err := body.read(&c.client.decoders, resp.Header)
	a.BytesIn = body.wire
	if err != nil {
		return incomplete(answer, unread(ctx, err))
	}
	if headerBytes(resp.Trailer) > c.limits.HeaderBytes {
		return incomplete(answer, newFailure(HeaderTooLarge, nil, nil))
	}
	answer.Body, answer.Trailer = body.decoded, resp.Trailer
	return answer, nil
}

func incomplete(a *Answer, f *Failure) (*Answer, *Failure) {
	a.Incomplete = true
	return a, f
}

// unread names the error of a body. A cap that was passed stays that, even if
// the deadline passed at the same moment.
func unread(ctx context.Context, err error) *Failure {
	if own, ok := err.(bodyError); ok && own.kind != Read {
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
