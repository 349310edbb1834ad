package transport_test

import (
	"net/http"
	"net/http/httptrace"
)

// traceOf returns the hooks that a RoundTripper is given.
func traceOf(r *http.Request) *httptrace.ClientTrace {
	return httptrace.ContextClientTrace(r.Context())
}

func connInfo() httptrace.GotConnInfo { return httptrace.GotConnInfo{} }
