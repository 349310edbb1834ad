package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// errNotRepeated is the end of a request that net/http wanted to send a second time.
var errNotRepeated = errors.New("connection lost after the request was sent")

// roundTripOnce sends req and keeps net/http from sending it again, unless its method is
// safe (RFC 9110 §9.2.1). By itself net/http repeats a request on a connection that died
// under it if it can get the body again, or if there is none and the request has an
// Idempotency-Key; and over HTTP/2 any request without a body whose stream the server reset.
func roundTripOnce(transport http.RoundTripper, req *http.Request) (*http.Response, error) {
	repeatable := !isSafe(req.Method) && !hasBody(req)
	if req.GetBody == nil && !repeatable {
		return transport.RoundTrip(req)
	}
	once := *req
	once.GetBody = nil
	if !repeatable {
		return transport.RoundTrip(&once)
	}
	once.Header = hideIdempotencyKey(req.Header)
	return roundTripGuarded(transport, &once)
}

func isSafe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// hideIdempotencyKey returns h with the key's name in lower case. To the server that is the
// same header (RFC 9110 §5.1); net/http, which looks for the capitals, no longer takes it
// for leave to repeat the request.
func hideIdempotencyKey(h http.Header) http.Header {
	for name, hidden := range map[string]string{
		"Idempotency-Key":   "idempotency-key",
		"X-Idempotency-Key": "x-idempotency-key",
	} {
		values, ok := h[name]
		if !ok {
			continue
		}
		h = h.Clone()
		delete(h, name)
		h[hidden] = values
	}
	return h
}

// roundTripGuarded ends the request when HTTP/2 finds a second stream for it after its
// headers went out on a first one. HTTP/2 looks at the context once more before it writes,
// so the second time nothing is written.
func roundTripGuarded(transport http.RoundTripper, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			if sent.Load() && isHTTP2(info.Conn) {
				cancel(errNotRepeated)
			}
		},
	})
	res, err := transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		repeated := context.Cause(ctx) == errNotRepeated
		cancel(nil)
		if repeated {
			return nil, errNotRepeated
		}
		return nil, err
	}
	res.Body = &cancelingBody{ReadCloser: res.Body, cancel: cancel}
	return res, nil
}

func isHTTP2(c net.Conn) bool {
	conn, ok := c.(*tls.Conn)
	return ok && conn.ConnectionState().NegotiatedProtocol == "h2"
}

// cancelingBody gives up the context of its request when it is closed.
type cancelingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close closes the body.
func (b *cancelingBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
