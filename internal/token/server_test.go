package token_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
)

// server is a token endpoint that rotates refresh tokens and detects their reuse: the whole
// family dies, as RFC 9700 section 4.14.2 has it.
type server struct {
	life  time.Duration
	grace time.Duration // a replaced refresh token is accepted for so long
	delay time.Duration // of an answer

	mu      sync.Mutex
	current string               // the refresh token in force
	spent   map[string]time.Time // :: replaced refresh token → when
	revoked bool
	calls   int
	reused  int // uses of a spent token
	fail    error
}

func newServer() *server {
	return &server{life: time.Hour, delay: 10 * time.Millisecond, spent: map[string]time.Time{}, current: "r-" + rand.Text()}
}

// refresh answers a request with a refresh token or, without one, with client credentials.
func (s *server) refresh(refresh string) (*token.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fail != nil {
		return nil, s.fail
	}
	if refresh == "" {
		return &token.Grant{Access: "a-" + rand.Text(), Refresh: "unused"}, nil
	}
	if at, ok := s.spent[refresh]; ok && time.Since(at) >= s.grace {
		s.reused++
		s.revoked = true
	} else if !ok && refresh != s.current {
		return nil, &token.Error{Verdict: token.Refused, Reason: "invalid_grant"}
	}
	if s.revoked {
		return nil, &token.Error{Verdict: token.Refused, Reason: "invalid_grant"}
	}
	s.spent[s.current] = time.Now()
	s.current = "r-" + rand.Text()
	return &token.Grant{Access: "a-" + rand.Text(), Refresh: s.current}, nil
}

func (s *server) counts() (calls, reused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.reused
}

func (s *server) failWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// source refreshes at a server.
type source struct {
	srv      *server
	rotating bool
	grace    time.Duration
	seed     string // the refresh token to begin with; empty: somebody must authorize
	reached  func() // before the call
	answered func() // after it
}

func (s *source) Rotating() bool         { return s.rotating }
func (s *source) Grace() time.Duration   { return s.grace }
func (s *source) Timeout() time.Duration { return 10 * time.Second }

func (s *source) Fetch(ctx context.Context, prev *token.Grant) (*token.Grant, error) {
	refresh := ""
	if s.rotating {
		refresh = s.seed
		if prev != nil {
			refresh = prev.Refresh
		}
		if refresh == "" {
			return nil, &token.Error{Verdict: token.Refused, Reason: "nobody has authorized yet"}
		}
	}
	if s.reached != nil {
		s.reached()
	}
	asked := time.Now()
	select {
	case <-time.After(s.srv.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	g, err := s.srv.refresh(refresh)
	if s.answered != nil {
		s.answered()
	}
	if err != nil {
		return nil, err
	}
	g.Obtained, g.Expires = asked, asked.Add(s.srv.life)
	return g, nil
}

var key = token.Key{Tenant: "acme", Connector: "crm", AuthKey: "one"}

func newKeeper(t testing.TB) secrets.Keeper {
	t.Helper()
	k, err := keyset.Generate()
	require.NoError(t, err)
	return k
}

// instance is a manager like that of another process.
func instance(store storage.Store, keeper secrets.Keeper, change ...func(*token.Options)) *token.Manager {
	opts := token.Options{}
	for _, f := range change {
		f(&opts)
	}
	return token.New(store, keeper, opts)
}

// authorized puts the first grant, which has a moment to live.
func authorized(t testing.TB, m *token.Manager, srv *server, life time.Duration) {
	t.Helper()
	now := time.Now()
	require.NoError(t, m.Put(t.Context(), key, &token.Grant{Access: "a-first", Refresh: srv.current, Obtained: now, Expires: now.Add(life)}))
}

// spy is a store that can be told to fail.
type spy struct {
	storage.Store
	mu    sync.Mutex
	down  error
	apply func(changes []storage.Change) error // before; may be nil
}

func (s *spy) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

func (s *spy) state() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

func (s *spy) Get(ctx context.Context, k storage.Key) (storage.Record, error) {
	if err := s.state(); err != nil {
		return storage.Record{}, err
	}
	return s.Store.Get(ctx, k)
}

func (s *spy) Apply(ctx context.Context, changes ...storage.Change) error {
	if err := s.state(); err != nil {
		return err
	}
	if s.apply != nil {
		if err := s.apply(changes); err != nil {
			return err
		}
	}
	return s.Store.Apply(ctx, changes...)
}

// pending reports whether changes write a lease.
func pending(changes []storage.Change) bool {
	return len(changes) == 1 && strings.Contains(string(changes[0].Record.Data), `"lease"`)
}
