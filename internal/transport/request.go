package transport

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"
)

// Request is a rendered request. Do reads it and changes nothing in it; the
// caller leaves it alone until Do returned.
type Request struct {
	// Method is the verb, in capitals. It is required.
	Method string
	// URL is absolute, http or https, and carries no userinfo.
	URL *url.URL
	// Header is sent as it is. Without an Accept-Encoding, and without a
	// Range, the attempt asks for gzip, br or zstd.
	Header http.Header
	// Body is sent on each attempt; nil or empty sends none.
	Body []byte
	// Upload, instead of Body, is a body that is read while it is sent.
	Upload *Upload

	// Via carries each attempt. It is required, must honour the context of the
	// request and report its connections to net/http/httptrace as
	// http.Transport does, must not follow redirects and must not decompress
	// (DisableCompression). An error without a reported connection counts as a
	// request that was not sent.
	Via http.RoundTripper
	// Prepare, if set, is called in each attempt (counted from 1) with the
	// request about to be sent: it may set headers and change the query, for a
	// credential or a signature that must be new each time. The body is
	// attached after it returned. Its error ends the call with Kind Prepare
	// and stays reachable through errors.Is and errors.As.
	Prepare func(ctx context.Context, attempt int, r *http.Request) error
	// Gate, if set, is asked before each attempt, and told how it went.
	Gate Gate
	// Watcher, if set, is told of each attempt.
	Watcher Watcher
	// Room, if set, is memory for the first attempt.
	Room *Room
	// Stream, if set, takes bodies of answers while they are read.
	Stream *Stream
}

// check finds what net/http would refuse, before anything is counted as an attempt.
func (r *Request) check() error {
	switch {
	case r.Via == nil:
		return errors.New("no RoundTripper")
	case !httpguts.ValidHeaderFieldName(r.Method):
		return errors.New("method is not a token")
	case r.URL == nil || r.URL.Host == "":
		return errors.New("URL has no host")
	case r.URL.Scheme != "https" && r.URL.Scheme != "http":
		return errors.New("scheme is neither https nor http")
	case r.URL.User != nil:
		return errors.New("URL has userinfo")
	}
	return checkHeader(r.Header)
}

func checkHeader(h http.Header) error {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return errors.New("header name is not a token")
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return errors.New("header value has control characters")
			}
		}
	}
	return nil
}
