package tokens_test

import (
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/integrationhub/hub/hubtest"
)

// seed is the refresh token that everybody starts from.
const seed = "the first refresh token 0123456789"

// server is an authorization server that replaces a refresh token with each use, and revokes
// the whole family when a replaced one is used again after the grace; and an API behind it.
type server struct {
	*hubtest.Server
	grace time.Duration

	mu      sync.Mutex
	current string
	spent   map[string]time.Time // :: replaced refresh token → when
	access  map[string]bool
	revoked bool
	calls   int
	reused  int
	handled func() // called after a token request was handled, before its answer
}

func newServer(t testing.TB, grace time.Duration) *server {
	s := &server{
		Server: hubtest.NewServer(t), grace: grace, current: seed, spent: map[string]time.Time{}, access: map[string]bool{},
	}
	s.Handle("POST /token", http.HandlerFunc(s.token))
	s.Handle("GET /api", http.HandlerFunc(s.api))
	return s
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	answer := s.answer(r.FormValue("refresh_token"))
	s.mu.Lock()
	handled := s.handled
	s.mu.Unlock()
	if handled != nil {
		handled()
	}
	answer.ServeHTTP(w, r)
}

func (s *server) answer(refresh string) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	at, spent := s.spent[refresh]
	if spent && time.Since(at) >= s.grace {
		s.reused++
		s.revoked = true
	}
	if s.revoked || !spent && refresh != s.current {
		return hubtest.JSON(400, map[string]string{"error": "invalid_grant"})
	}
	s.spent[s.current] = time.Now()
	s.current = "r-" + rand.Text()
	access := "a-" + rand.Text()
	s.access[access] = true
	return hubtest.Bytes(200, "application/json", []byte(
		`{"access_token":"`+access+`","token_type":"Bearer","refresh_token":"`+s.current+`","expires_in":3600}`))
}

func (s *server) api(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	good := !s.revoked && len(r.Header.Get("Authorization")) > 7 && s.access[r.Header.Get("Authorization")[7:]]
	s.mu.Unlock()
	if !good {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// figures are what the server saw since the last time.
func (s *server) figures() (calls, reused int, revoked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, reused, revoked = s.calls, s.reused, s.revoked
	s.calls, s.reused = 0, 0
	return calls, reused, revoked
}

func (s *server) onHandled(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handled = f
}
