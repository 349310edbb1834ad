package fakevault

import (
	"fmt"
	"net/http"
	"time"
)

// token is one that a login issued.
type token struct {
	ends, last time.Time // last: after which it cannot be prolonged; zero: never
}

// Revoke ends every token from logins.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Issue returns a token as logins do.
func (s *Server) Issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[string]*token{}
	}
	name, _ := s.issue()
	return name
}

func (s *Server) issue() (string, *token) {
	s.issued++
	t := &token{ends: time.Now().Add(s.ttl())}
	if s.MaxTTL > 0 {
		t.last = time.Now().Add(s.MaxTTL)
	}
	t.bound()
	name := fmt.Sprintf("hvs.fake-%d", s.issued)
	s.tokens[name] = t
	return name, t
}

func (s *Server) ttl() time.Duration {
	if s.TTL == 0 {
		return time.Hour
	}
	return s.TTL
}

func (t *token) bound() {
	if !t.last.IsZero() && t.ends.After(t.last) {
		t.ends = t.last
	}
}

func (s *Server) valid(name string) bool {
	if name == RootToken {
		return true
	}
	t := s.tokens[name]
	return t != nil && time.Now().Before(t.ends)
}

func (s *Server) login(c call) answer {
	role, proof := c.text("role_id"), c.text("secret_id")
	if role == "" {
		role, proof = c.text("role"), c.text("jwt")
	}
	if want, ok := s.Roles[role]; !ok || want != proof {
		return failure(http.StatusBadRequest, "invalid role or secret ID")
	}
	name, t := s.issue()
	return s.auth(name, t)
}

func (s *Server) auth(name string, t *token) answer {
	return answer{http.StatusOK, map[string]any{"auth": map[string]any{
		"client_token": name, "lease_duration": seconds(t), "renewable": !s.Fixed,
	}}}
}

func seconds(t *token) int { return int(time.Until(t.ends).Round(time.Second).Seconds()) }

func (s *Server) lookUp(c call) answer {
	if c.token == RootToken {
		return data(map[string]any{"ttl": 0, "renewable": false})
	}
	return data(map[string]any{"ttl": seconds(s.tokens[c.token]), "renewable": !s.Fixed})
}

func (s *Server) renew(c call) answer {
	t := s.tokens[c.token]
	if t == nil || s.Fixed {
		return failure(http.StatusBadRequest, "lease is not renewable")
	}
	t.ends = time.Now().Add(s.ttl())
	t.bound()
	return s.auth(c.token, t)
}
