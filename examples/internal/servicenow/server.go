// Package servicenow is a small stand-in for a ServiceNow instance: its OAuth token
// endpoint and the incident table of its REST Table API, on loopback, over TLS, in the same
// process. Examples and tests use it where a program would use the real thing.
//
// Shapes, status codes and parameters follow ServiceNow's public documentation ("Table
// API", "OAuth API request parameters", "Client credentials grant workflow"). It knows one
// OAuth client and one user, holds its incidents in memory, and speaks JSON only.
package servicenow

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"github.com/integrationhub/hub/hubtest"
)

// Options configures a Server. The zero value is ready to use.
type Options struct {
	Address      string           // where to listen on loopback; default 127.0.0.1, any free port
	ClientID     string           // OAuth client; default "demo-client"
	ClientSecret string           // its secret; default "demo-client-secret"
	Username     string           // the user of the password grant; default "hub.user"
	Password     string           // that user's password; default "demo-password"
	TokenLife    time.Duration    // life of an access token; default 1799 s
	Now          func() time.Time // clock; default time.Now
}

// Counts says what a Server has seen.
type Counts struct {
	Tokens       int // tokens given out
	TokenRefused int // token requests refused
	Table        int // calls of the Table API, whatever their answer
	Unauthorized int // of those, the ones without a valid token
	Unavailable  int // of those, the ones that FailNext turned away
}

// Server is the stand-in. Its methods are safe for concurrent use.
type Server struct {
	options  Options
	upstream *hubtest.Server

	mu        sync.Mutex // guards what follows
	tokens    tokens
	incidents incidents
	counts    Counts
	delay     time.Duration
	failures  int // calls of the Table API still to be turned away
	wait      int // what they are told to wait, in seconds
}

// Start starts a Server; nil options mean the defaults. The caller must Close it. It fails
// if loopback cannot be listened on.
func Start(options *Options) (*Server, error) {
	o := options.withDefaults()
	upstream, err := hubtest.StartAt(o.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, upstream: upstream}
	s.incidents.user = s.options.Username
	s.handle("POST /oauth_token.do", s.token)
	s.handle("POST /api/now/table/{table}", s.table(s.create))
	s.handle("GET /api/now/table/{table}", s.table(s.list))
	s.handle("GET /api/now/table/{table}/{id}", s.table(s.read))
	s.handle("PATCH /api/now/table/{table}/{id}", s.table(s.update))
	s.handle("PUT /api/now/table/{table}/{id}", s.table(s.update))
	s.handle("DELETE /api/now/table/{table}/{id}", s.table(s.remove))
	return s, nil
}

// URL returns the instance's origin, "https://127.0.0.1:port".
func (s *Server) URL() string { return s.upstream.URL }

// Host returns the host and port of URL.
func (s *Server) Host() string { return s.upstream.Host() }

// CAPEM returns the PEM certificate of the private authority that clients must trust.
func (s *Server) CAPEM() []byte { return s.upstream.CA() }

// Requests returns what the instance has received, in order of arrival.
func (s *Server) Requests() []hubtest.Request { return s.upstream.Requests() }

// Client returns a new HTTP client that trusts the instance. The caller closes its idle
// connections.
func (s *Server) Client() *http.Client { return s.upstream.Client() }

// Close stops the instance and waits for the requests under way. Closing again does nothing.
func (s *Server) Close() { s.upstream.Close() }

// Counts returns what the instance has seen so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Slow delays every later answer by d. As with a slow application, the work is done first: a
// caller that gives up on a POST has made its incident all the same.
func (s *Server) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// FailNext turns the next n calls of the Table API away with 503 and a Retry-After of so
// many seconds, before they do anything.
func (s *Server) FailNext(n, retryAfter int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures, s.wait = n, retryAfter
}

// ExpireTokens ends the life of every access token given out so far. Refresh tokens stay.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens.access = nil
}

// endpoint works under the server's lock and says what to answer.
type endpoint func(r *http.Request) hubtest.Answer

func (s *Server) handle(pattern string, e endpoint) {
	s.upstream.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, delay := s.work(e, r)
		answer.After(delay).ServeHTTP(w, r)
	}))
}

func (s *Server) work(e endpoint, r *http.Request) (hubtest.Answer, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e(r), s.delay
}

func (o *Options) withDefaults() Options {
	if o == nil {
		o = new(Options)
	}
	out := Options{
		Address:      cmp.Or(o.Address, "127.0.0.1:0"),
		ClientID:     cmp.Or(o.ClientID, "demo-client"),
		ClientSecret: cmp.Or(o.ClientSecret, "demo-client-secret"),
		Username:     cmp.Or(o.Username, "hub.user"),
		Password:     cmp.Or(o.Password, "demo-password"),
		TokenLife:    cmp.Or(o.TokenLife, 1799*time.Second),
		Now:          o.Now,
	}
	if out.Now == nil {
		out.Now = time.Now
	}
	return out
}
