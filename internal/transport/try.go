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
	sending, stop := context.WithCancel(ctx)
	defer stop()
	ev := &evidence{safe: safe(c.req.Method), stop: stop}
	r, failure := c.build(ctx, httptrace.WithClientTrace(sending, ev.trace()))
	if failure != nil {
		return nil, failure
	}
	resp, err := c.req.Via.RoundTrip(r)
	ev.report(ctx, err, a)
	if a.Sent {
		a.BytesOut = int64(len(c.req.Body))
	}
	if body, ok := r.Body.(*upload); ok {
		defer body.end(a)
		if failed := body.failure(); err != nil && failed != nil {
			return nil, newFailure(Aborted, failed, err)
		}
	}
	if err != nil {
		return nil, classify(ctx, err, ev)
	}
	return c.read(ctx, stop, resp, a)
}

// build makes the request of this attempt, signed, with a body that net/http
// can send once and not twice. Its context is traced; that of Prepare is not:
// what Prepare sends on its own is not this request.
func (c *call) build(ctx, traced context.Context) (*http.Request, *Failure) {
	if c.req.Prepare == nil {
		r := (&http.Request{Method: c.req.Method, URL: c.req.URL, Host: c.req.URL.Host, Header: c.header()}).WithContext(traced)
		c.attach(r)
		return r, nil
	}
	u := *c.req.URL
	r := (&http.Request{Method: c.req.Method, URL: &u, Host: u.Host, Header: c.header()}).WithContext(ctx)
	if err := c.req.Prepare(ctx, len(c.out.Attempts)+1, r); err != nil {
		return nil, unprepared(ctx, err)
	}
	c.attach(r)
	return r.WithContext(traced), nil
}

// header is the attempt's own, unless nothing of it will change.
func (c *call) header() http.Header {
	h := c.req.Header
	if c.req.Prepare == nil && len(c.req.Body) > 0 && h["Accept-Encoding"] != nil {
		return h
	}
	if h = h.Clone(); h == nil {
		h = http.Header{}
	}
	if h["Range"] == nil && c.req.Method != http.MethodHead {
		Accept(h)
	}
	return h
}

// Accept adds the content codings that Do decodes, unless h names some. A
// header that has them, and that no Prepare changes, is sent without a copy.
func Accept(h http.Header) {
	if h["Accept-Encoding"] == nil {
		h["Accept-Encoding"] = acceptCodings
	}
}

// acceptCodings is shared by requests; nothing writes to the values of a header.
var acceptCodings = []string{acceptEncoding}

// attach gives r its body. Without GetBody net/http cannot rewind it, and a
// reader over bytes lets it put header and body into one write.
func (c *call) attach(r *http.Request) {
	r.GetBody, r.Body, r.ContentLength = nil, nil, 0
	if u := c.req.Upload; u != nil {
		r.Body, r.ContentLength = &upload{src: u.Open(r.Context())}, u.Size
		return
	}
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
