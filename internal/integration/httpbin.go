// Package integration tests the hub against upstreams that were written by others. It is a
// module of its own, so that what it needs burdens nobody else.
package integration

import (
	"testing"

	"github.com/mccutchen/go-httpbin/v2/httpbin"

	"github.com/integrationhub/hub/hubtest"
)

// StartHTTPBin starts go-httpbin over TLS on loopback, until the test ends, with a
// certificate of a private authority: its CA is what a client must trust.
func StartHTTPBin(t testing.TB) *hubtest.Server {
	t.Helper()
	srv := hubtest.NewServer(t)
	srv.Handle("/", httpbin.New())
	return srv
}
