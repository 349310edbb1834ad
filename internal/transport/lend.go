package transport

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptrace"
)

// Lend sends a request that somebody else made, once, and leaves its answer to be read by
// them. via sees to it that net/http does not send it twice. The attempt says how it went as
// far as the answer's header; End completes it.
func (c *Client) Lend(ctx context.Context, via http.RoundTripper, r *http.Request) (*http.Response, Attempt, *Failure) {
	a, ev, own := Attempt{Start: c.clock()}, &evidence{}, ctx
	once := (r.Body == nil || r.Body == http.NoBody) && !safe(cmp.Or(r.Method, http.MethodGet))
	if once {
		own, ev.stop = context.WithCancel(ctx) // which ends with the call, and the answer's body with it
	}
	r = r.WithContext(httptrace.WithClientTrace(own, ev.trace(once)))
	resp, err := via.RoundTrip(r)
	ev.report(ctx, err, &a)
	if a.Sent {
		a.BytesOut = max(0, r.ContentLength)
	}
	a.Duration = c.clock().Sub(a.Start)
	if err != nil {
		failure := classify(ctx, err, ev)
		a.Kind = failure.Kind
		return nil, a, failure
	}
	a.Status = resp.StatusCode
	return resp, a, nil
}

// End completes a lent attempt whose body was read as far as n bytes: to its end, to an error of
// reading it, or to where whoever reads it has had enough.
func (c *Client) End(ctx context.Context, a *Attempt, n int64, err error) {
	a.BytesIn, a.Duration = n, max(0, c.clock().Sub(a.Start))
	if err != nil {
		a.Kind = unread(ctx, err).Kind
	}
}

// ErrTooLarge is the error of a lent body that passed its bound.
var ErrTooLarge error = bodyError{kind: TooLarge}
