package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/transport"
)

// refusing is a RoundTripper that never gets as far as a connection.
type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

const canary = "canary-7Fq2"

func TestFailuresBeforeAConnection(t *testing.T) {
	tests := map[string]struct {
		err      error
		want     transport.Kind
		attempts int
	}{
		"refused":            {&net.OpError{Op: "dial", Err: errors.New(canary)}, transport.Unreachable, 3},
		"no such name":       {&net.DNSError{Name: canary, Err: canary}, transport.Unreachable, 3},
		"unknown":            {errors.New(canary), transport.Unreachable, 3},
		"address refused":    {fmt.Errorf("%s: %w", canary, &egress.Refusal{Reason: egress.RefusedAddress}), transport.Unreachable, 3},
		"port refused":       {fmt.Errorf("%s: %w", canary, &egress.Refusal{Reason: egress.RefusedPort}), transport.Refused, 1},
		"unknown authority":  {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, transport.TLS, 1},
		"plain text":         {tls.RecordHeaderError{Msg: canary}, transport.TLS, 1},
		"alert":              {&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, transport.TLS, 1},
		"its own text":       {errors.New("tls: " + canary), transport.TLS, 1},
		"handshake too slow": {errors.New("net/http: TLS handshake timeout"), transport.Unreachable, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := to(t, "POST", here, refusing{tt.err})
				req.Body = []byte(canary)
				out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
				assert.Equal(t, tt.want, kindOf(t, out))
				assert.Len(t, out.Attempts, tt.attempts)
				assert.False(t, out.Sent())
				assert.Zero(t, out.Attempts[0].BytesOut)
				assertSilent(t, out.Err)
				assert.ErrorIs(t, causeOf(out), tt.err)
			})
		})
	}
}

// assertSilent sends an error through what prints and encodes.
func assertSilent(t *testing.T, err error) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		text := fmt.Sprintf(verb, err)
		assert.NotContains(t, text, "canary", verb)
		assert.NotContains(t, text, "upstream.test", verb)
	}
	encoded, _ := json.Marshal(err)
	assert.NotContains(t, string(encoded), "canary")
}

func TestRefusalsStayVisible(t *testing.T) {
	refusal := &egress.Refusal{Reason: egress.RefusedScheme}
	out := transport.New(nil).Do(t.Context(), to(t, "GET", here, refusing{refusal}), &transport.Policy{})
	var got *egress.Refusal
	require.ErrorAs(t, out.Err, &got)
	assert.Same(t, refusal, got)
	hidden := &egress.Refusal{Reason: egress.RefusedAddress}
	out = transport.New(nil).Do(t.Context(), to(t, "GET", here, refusing{hidden}), &transport.Policy{Attempts: 1})
	assert.NotErrorAs(t, out.Err, &got, "an address that is refused looks like one that does not answer")
	assert.ErrorAs(t, causeOf(out), &got)
}

func TestARealHandshakeThatFails(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	out := transport.New(nil).Do(t.Context(), to(t, "GET", srv.URL, overTCP(t)), &transport.Policy{})
	assert.Equal(t, transport.TLS, kindOf(t, out))
	assert.Len(t, out.Attempts, 1)

	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	out = transport.New(nil).Do(t.Context(), to(t, "GET", "https"+plain.URL[len("http"):], overTCP(t)), &transport.Policy{})
	assert.Equal(t, transport.TLS, kindOf(t, out))
}

func TestAClosedPortIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	req := to(t, "POST", "http://"+l.Addr().String()+"/?key="+canary, overTCP(t))
	out := transport.New(nil).Do(t.Context(), req, &transport.Policy{BaseWait: -1})
	assert.Equal(t, transport.Unreachable, kindOf(t, out))
	assert.Len(t, out.Attempts, 3)
	assertSilent(t, out.Err)
	assert.NotContains(t, out.Err.Error(), "127.0.0.1")
}

func TestRequestsThatHTTPCannotCarry(t *testing.T) {
	valid := func() transport.Request { return to(t, "GET", here, refusing{errors.New("reached")}) }
	tests := map[string]func(*transport.Request){
		"no way":                func(r *transport.Request) { r.Via = nil },
		"no method":             func(r *transport.Request) { r.Method = "" },
		"method with a space":   func(r *transport.Request) { r.Method = "GET /" },
		"no URL":                func(r *transport.Request) { r.URL = nil },
		"no host":               func(r *transport.Request) { r.URL = &url.URL{Scheme: "https", Path: "/"} },
		"other scheme":          func(r *transport.Request) { r.URL.Scheme = "ftp" },
		"userinfo":              func(r *transport.Request) { r.URL.User = url.UserPassword("u", canary) },
		"header name":           func(r *transport.Request) { r.Header = http.Header{"X " + canary: {"v"}} },
		"header value CR":       func(r *transport.Request) { r.Header = http.Header{"X": {canary + "\r\nY: z"}} },
		"second value with NUL": func(r *transport.Request) { r.Header = http.Header{"X": {"ok", canary + "\x00"}} },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			req := valid()
			spoil(&req)
			out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
			assert.Equal(t, transport.Invalid, kindOf(t, out))
			assert.Empty(t, out.Attempts)
			assertSilent(t, out.Err)
		})
	}
}

func TestEachKindHasItsOwnText(t *testing.T) {
	kinds := []transport.Kind{transport.Timeout, transport.Canceled, transport.Invalid, transport.Prepare, transport.Held,
		transport.Refused, transport.Unreachable, transport.TLS, transport.Read, transport.Protocol,
		transport.HeaderTooLarge, transport.TooLarge, transport.Bomb, transport.Encoding, ""}
	seen := map[string]bool{}
	for _, k := range kinds {
		f := &transport.Failure{Kind: k}
		seen[f.Error()] = true
		assert.NoError(t, f.Cause())
		assert.False(t, errors.Is(f, context.Canceled) && k != transport.Canceled)
	}
	assert.Len(t, seen, len(kinds))
}
