// Package fakevault is a fake of HashiCorp Vault for tests: the part of its HTTP API that
// package secrets/vault uses, with the statuses and shapes of the real one, on memory. It is
// no Vault: policies are not evaluated, nothing is audited, and nothing is safe in it.
package fakevault

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// RootToken is a token that may do all and does not end.
const RootToken = "fake-root-token"

// Server is the fake. It is an http.Handler and safe for concurrent use. The fields are set
// before it is used; the zero values of all are useful.
type Server struct {
	// TTL and MaxTTL are the lives of tokens from logins: 1 h, and no bound.
	TTL, MaxTTL time.Duration
	// Fixed makes tokens that cannot be renewed.
	Fixed bool
	// Namespace is the one whose requests are answered; others are 404.
	Namespace string
	// Roles admit logins: what "role_id" and "secret_id", or "role" and "jwt", must be.
	Roles map[string]string
	// ForgetsAAD lets it disregard associated data, as releases before 1.9 do.
	ForgetsAAD bool

	mu     sync.Mutex
	tokens map[string]*token
	kinds  map[string]string // of mounts: "kv", "transit"
	kv     map[string]*secret
	keys   map[string]*key
	seen   map[string]int // requests by method and path
	fail   int            // status of every answer; zero: none
	issued int
}

// answer is a status and a body; nil: none.
type answer struct {
	status int
	body   any
}

func failure(status int, texts ...string) answer {
	return answer{status, map[string]any{"errors": append([]string{}, texts...)}}
}

func data(v any) answer { return answer{http.StatusOK, map[string]any{"data": v}} }

// Fail makes every answer one of this status until it is zero.
func (s *Server) Fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = status
}

// Seen returns how many requests came, by method and path below /v1/, without their query.
func (s *Server) Seen() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	body := map[string]any{}
	if r.ContentLength != 0 && json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body) != nil {
		write(w, failure(http.StatusBadRequest, "error parsing JSON"))
		return
	}
	s.mu.Lock()
	if s.seen == nil {
		s.seen, s.tokens, s.kinds = map[string]int{}, map[string]*token{}, map[string]string{}
		s.kv, s.keys = map[string]*secret{}, map[string]*key{}
	}
	s.seen[r.Method+" "+strings.TrimSuffix(path, "/")]++
	a := failure(http.StatusNotFound, "no handler for route")
	if ok {
		a = s.route(call{r, path, body, r.Header.Get("X-Vault-Token")})
	}
	s.mu.Unlock()
	write(w, a)
}

func write(w http.ResponseWriter, a answer) {
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // a client that is gone
}

// call is one request taken apart.
type call struct {
	*http.Request
	path  string
	body  map[string]any
	token string
}

func (c call) text(name string) string {
	text, _ := c.body[name].(string)
	return text
}

func (s *Server) route(c call) answer {
	switch {
	case s.fail != 0:
		return failure(s.fail, "as the test wants it")
	case c.Header.Get("X-Vault-Namespace") != s.Namespace:
		return failure(http.StatusNotFound, "no such namespace")
	case strings.HasPrefix(c.path, "auth/") && strings.HasSuffix(c.path, "/login"):
		return s.login(c)
	case !s.valid(c.token):
		return failure(http.StatusForbidden, "permission denied")
	case c.path == "auth/token/lookup-self":
		return s.lookUp(c)
	case c.path == "auth/token/renew-self":
		return s.renew(c)
	case strings.HasPrefix(c.path, "sys/mounts/"):
		return s.mount(strings.TrimPrefix(c.path, "sys/mounts/"), c)
	}
	mount, rest, _ := strings.Cut(c.path, "/")
	operation, name, _ := strings.Cut(rest, "/")
	switch s.kinds[mount] {
	case "kv":
		return s.serveKV(c, operation, mount+"/"+name)
	case "transit":
		return s.serveTransit(c, operation, mount, name)
	}
	return failure(http.StatusNotFound, "no handler for route")
}

func (s *Server) mount(path string, c call) answer {
	switch c.Method {
	case http.MethodPost:
		s.kinds[path] = c.text("type")
	case http.MethodDelete:
		delete(s.kinds, path)
	}
	return answer{http.StatusNoContent, nil}
}
