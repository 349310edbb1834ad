// Package integration tests the hub against upstreams that were written by others. It is a
// module of its own, so that what it needs burdens nobody else.
package integration

import (
	"encoding/pem"
	"net/http/httptest"
	"testing"

	"github.com/mccutchen/go-httpbin/v2/httpbin"
)

// StartHTTPBin starts go-httpbin over TLS on loopback, until the test ends. The CA field of
// the result is what a client must trust.
func StartHTTPBin(t testing.TB) HTTPBin {
	t.Helper()
	srv := httptest.NewTLSServer(httpbin.New())
	t.Cleanup(srv.Close)
	return HTTPBin{
		URL: srv.URL,
		CA:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}),
	}
}

// HTTPBin is a running go-httpbin.
type HTTPBin struct {
	URL string // its origin, "https://127.0.0.1:port"
	CA  []byte // PEM
}
