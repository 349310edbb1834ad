package hubtest

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// MaxBody is the longest request body, in bytes, that a [Server] takes. A longer one is
// recorded as far as it was read and answered 400.
const MaxBody = 16 << 20

// Request is what a [Server] received.
type Request struct {
	Method string
	URL    *url.URL    // absolute; its host is the Host header's
	Target string      // the request target exactly as it was sent, path and query
	Proto  string      // "HTTP/1.1" or "HTTP/2.0"
	Header http.Header // without Host, which is in URL
	Body   []byte      // all of it, or what arrived before the client gave up

	// ClientCert is the certificate that the client presented, verified only if
	// [Server.RequireClientCert] was called; nil without one.
	ClientCert *x509.Certificate
}

// Requests returns what the server has received so far, in order of arrival. A request is
// there before it is answered. The caller owns the result.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = r.clone()
	}
	return out
}

// Forget empties the list that Requests returns.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func (s *Server) remember(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

// record takes r down and gives it a fresh body, for the handler to read again.
func record(r *http.Request) (Request, error) {
	body, err := readBody(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	target := *r.URL
	target.Scheme, target.Host = "https", r.Host
	out := Request{
		Method: r.Method,
		URL:    &target,
		Target: r.RequestURI,
		Proto:  r.Proto,
		Header: r.Header,
		Body:   body,
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		out.ClientCert = r.TLS.PeerCertificates[0]
	}
	return out.clone(), err
}

func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return body, fmt.Errorf("read body: %w", err)
	}
	if len(body) > MaxBody {
		return body[:MaxBody], fmt.Errorf("body is longer than %d bytes", MaxBody)
	}
	return body, nil
}

// clone returns a copy that shares only the certificate, which nobody changes.
func (r Request) clone() Request {
	target := *r.URL
	r.URL = &target
	r.Header = r.Header.Clone()
	r.Body = bytes.Clone(r.Body)
	return r
}
