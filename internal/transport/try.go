package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
)

// try sends the request once and reads the answer.
func (c *call) try(ctx context.Context, a *Attempt) (*Answer, *Failure) {
	r, failure := c.build(ctx)
	if failure != nil {
		return nil, failure
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	ev := &evidence{safe: safe(c.req.Method), stop: stop}
	resp, err := c.req.Via.RoundTrip(r.WithContext(httptrace.WithClientTrace(sending, ev.trace())))
	ev.report(ctx, err, a)
	if a.Sent {
		a.BytesOut = int64(len(c.req.Body))
	}
	if err != nil {
		return nil, classify(ctx, err, ev)
	}
	return c.read(ctx, stop, resp, a)
}

// build makes the request of this attempt, signed, with a body that net/http
// can send once and not twice. Its context has no trace yet: what Prepare
// sends on its own is not this request.
func (c *call) build(ctx context.Context) (*http.Request, *Failure) {
	u := *c.req.URL
	r := (&http.Request{Method: c.req.Method, URL: &u, Host: u.Host, Header: c.header()}).WithContext(ctx)
	if c.req.Prepare != nil {
		if err := c.req.Prepare(ctx, len(c.out.Attempts)+1, r); err != nil {
			return nil, unprepared(ctx, err)
		}
	}
	c.attach(r)
	return r, nil
}

func (c *call) header() http.Header {
	h := c.req.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if h["Accept-Encoding"] == nil && h["Range"] == nil && c.req.Method != http.MethodHead {
		h.Set("Accept-Encoding", acceptEncoding)
	}
	return h
}

// attach gives r its body. Without GetBody net/http cannot rewind it, and a
// reader over bytes lets it put header and body into one write.
func (c *call) attach(r *http.Request) {
	r.GetBody, r.Body, r.ContentLength = nil, nil, 0
	if len(c.req.Body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(c.req.Body))
		r.ContentLength = int64(len(c.req.Body))
		return
	}
	hideKeys(r.Header)
}

// hideKeys writes the idempotency keys of a request without a body in lower
// case, which is the same name to a server (RFC 9110 §5.1). net/http looks for
// the canonical spelling, and would take the key as leave to send the request
// again by itself. A non-nil empty body would stop that too, but turns a
// POST's "Content-Length: 0" into an empty chunked body.
func hideKeys(h http.Header) {
	for _, name := range [...][2]string{{"Idempotency-Key", "idempotency-key"}, {"X-Idempotency-Key", "x-idempotency-key"}} {
		if v, ok := h[name[0]]; ok {
			delete(h, name[0])
			h[name[1]] = v
		}
	}
}
