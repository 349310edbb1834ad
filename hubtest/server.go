package hubtest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// Server is a programmable HTTPS upstream on loopback that speaks HTTP/1.1 and HTTP/2. Its
// methods are safe for concurrent use, also while it serves.
type Server struct {
	// URL is the origin to call, "https://127.0.0.1:port". It does not change.
	URL string

	authority *authority
	http      *http.Server
	cancel    context.CancelFunc // ends the context of every request under way
	stopped   chan struct{}      // closed when the accept loop has ended

	requireCert atomic.Bool

	mu       sync.Mutex // guards what follows
	closed   bool
	handlers sync.WaitGroup // :: one per request under way; Add only under mu and before closed
	mux      *http.ServeMux
	routes   map[string]*route // :: pattern → its current handler
	requests []Request
}

// NewServer starts a Server that is closed when the test and its subtests have ended. It
// fails the test at once if no server can be started.
func NewServer(t testing.TB) *Server {
	t.Helper()
	srv, err := Start()
	if err != nil {
		t.Fatalf("hubtest: %v", err)
	}
	t.Cleanup(srv.Close)
	return srv
}

// Start starts a Server outside of a test: in an example or a demonstration program. The
// caller must Close it. It fails if loopback cannot be listened on.
func Start() (*Server, error) { return StartAt("127.0.0.1:0") }

// StartAt is Start on an address of the caller's choice, for a program whose server must be
// found where it was before: "127.0.0.1:8443", port 0 for any that is free. The server's
// certificate is valid for loopback addresses and localhost alone.
func StartAt(address string) (*Server, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("create certificate authority: %w", err)
	}
	cert, err := authority.serverCert()
	if err != nil {
		return nil, fmt.Errorf("issue server certificate: %w", err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		URL:       "https://" + listener.Addr().String(),
		authority: authority,
		cancel:    cancel,
		stopped:   make(chan struct{}),
		mux:       http.NewServeMux(),
		routes:    make(map[string]*route),
	}
	s.http = &http.Server{
		Handler:     http.HandlerFunc(s.serve),
		TLSConfig:   s.tlsConfig(cert),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // handshakes that fail are part of many tests
	}
	go func() {
		defer close(s.stopped)
		_ = s.http.ServeTLS(listener, "", "") // always ends with ErrServerClosed
	}()
	return s, nil
}

// Handle makes h answer the requests that match pattern, which is one of
// [net/http.ServeMux]: "POST /tickets", "/tickets/{id}", "/". A pattern that is given again
// replaces its handler, from the next request on. What no pattern matches is answered 404.
//
// A handler must return when the request's context ends: Close waits for it. Handle panics
// on an invalid pattern, or one that conflicts with another, as ServeMux does.
func (s *Server) Handle(pattern string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.routes[pattern]; ok {
		r.set(h)
		return
	}
	r := new(route)
	r.set(h)
	s.mux.Handle(pattern, r)
	s.routes[pattern] = r
}

// Host returns the host and port of URL, as a list of allowed hosts wants it.
func (s *Server) Host() string { return s.URL[len("https://"):] }

// CA returns the PEM certificate of the authority that issued the server's certificate. It
// is made anew for each Server. The caller owns the bytes.
func (s *Server) CA() []byte { return s.authority.pem() }

// ClientCert issues a client certificate for commonName and returns it with its key, both
// in PEM.
func (s *Server) ClientCert(commonName string) (cert, key []byte, err error) {
	return s.authority.clientCert(commonName)
}

// RequireClientCert makes the server refuse, from the next connection on, every TLS
// handshake without a certificate from [Server.ClientCert].
func (s *Server) RequireClientCert() { s.requireCert.Store(true) }

// Client returns a new HTTP client that trusts the server and uses no proxy. The caller
// closes its idle connections.
func (s *Server) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: s.authority.pool()},
		ForceAttemptHTTP2: true,
	}}
}

// Close stops the server: it ends the context of every request under way, closes all
// connections and waits for the handlers. Closing again does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()

	s.cancel()
	_ = s.http.Close() // reports only the listener's second Close
	<-s.stopped
	s.handlers.Wait()
}

func (s *Server) tlsConfig(cert tls.Certificate) *tls.Config {
	config := &tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.RequestClientCert,
		NextProtos:   []string{"h2", "http/1.1"},
	}
	strict := config.Clone()
	strict.ClientAuth = tls.RequireAndVerifyClientCert
	strict.ClientCAs = s.authority.pool()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if s.requireCert.Load() {
			return strict, nil
		}
		return nil, nil
	}
	return config
}

// serve records a request, then answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.handlers.Done()

	recorded, err := record(r)
	s.remember(recorded)
	if err != nil {
		http.Error(w, "hubtest: the body did not arrive whole, or is too long", http.StatusBadRequest)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// enter counts a request in, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// route is the place of a pattern in the mux; the handler in it can be replaced.
type route struct{ current atomic.Pointer[http.Handler] }

func (r *route) set(h http.Handler) { r.current.Store(&h) }

func (r *route) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	(*r.current.Load()).ServeHTTP(w, req)
}
