package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
)

// sending is one attempt on its way, in one piece of memory. Goroutines of net/http may use it
// after the attempt is over: it serves one attempt only.
type sending struct {
	evidence
	request http.Request
	content bytes.Reader
	body    body
	answer  Answer
	first   [1]Attempt // room for Outcome.Attempts, which most calls have one of
}

// Room is memory for one attempt, for whoever has a call in one piece of memory. The first attempt of all that are given
// it takes it; the others, and those that are given none, take memory of their own. Its zero value is ready. It must not
// be copied or used again: goroutines of net/http may look at it after the call.
type Room struct {
	sending sending
	taken   bool
}

func (r *Room) take() *sending {
	if r == nil || r.taken {
		return new(sending)
	}
	r.taken = true
	return &r.sending
}

// try sends the request once and reads the answer. What net/http began for it ends with the
// body of the answer; only an attempt that may have to end before its call does has a context
// of its own.
func (c *call) try(ctx context.Context, s *sending, a *Attempt) (*Answer, *Failure) {
	own := ctx
	if c.repeatable() || c.req.Stream != nil || c.req.Upload != nil {
		own, s.stop = context.WithCancel(ctx)
		defer s.stop()
	}
	r, failure := c.build(ctx, own, s)
	if failure != nil {
		return nil, failure
	}
	resp, err := c.req.Via.RoundTrip(r)
	s.report(ctx, err, a)
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
		return nil, classify(ctx, err, &s.evidence)
	}
	return c.read(ctx, resp, s, a)
}

// repeatable says that net/http might send again what must not be: it can if there is no body
// to rewind.
func (c *call) repeatable() bool {
	return !safe(c.req.Method) && len(c.req.Body) == 0 && c.req.Upload == nil
}

// build makes the request of this attempt, signed, with a body that net/http
// can send once and not twice. Its context is traced; that of Prepare and of an Upload is not:
// what they send on their own is not this request.
func (c *call) build(ctx, own context.Context, s *sending) (*http.Request, *Failure) {
	r, traced := &s.request, httptrace.WithClientTrace(own, s.trace(c.repeatable()))
	if c.req.Prepare == nil {
		*r = *(&http.Request{Method: c.req.Method, URL: c.req.URL, Host: c.req.URL.Host, Header: c.header()}).WithContext(traced)
		return c.complete(own, s), nil
	}
	u := *c.req.URL
	signed := (&http.Request{Method: c.req.Method, URL: &u, Host: u.Host, Header: c.header()}).WithContext(ctx)
	if err := c.req.Prepare(ctx, len(c.out.Attempts)+1, signed); err != nil {
		return nil, unprepared(ctx, err)
	}
	*r = *signed.WithContext(traced)
	return c.complete(own, s), nil
}

// complete adds what is no part of a signature.
func (c *call) complete(own context.Context, s *sending) *http.Request {
	Inject(s.request.Header, c.extra)
	c.attach(own, s)
	return &s.request
}

// header is the attempt's own, unless nothing of it will change.
func (c *call) header() http.Header {
	h := c.req.Header
	if c.req.Prepare == nil && len(c.extra) == 0 && len(c.req.Body) > 0 && h["Accept-Encoding"] != nil {
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

// attach gives the request its body. Without GetBody net/http cannot rewind it, and a
// reader over bytes lets it put header and body into one write.
func (c *call) attach(own context.Context, s *sending) {
	r := &s.request
	r.GetBody, r.Body, r.ContentLength = nil, nil, 0
	if u := c.req.Upload; u != nil {
		r.Body, r.ContentLength = &upload{src: u.Open(own)}, u.Size
		return
	}
	if len(c.req.Body) > 0 {
		s.content.Reset(c.req.Body)
		r.Body, r.ContentLength = io.NopCloser(&s.content), s.content.Size()
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
