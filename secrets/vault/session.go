package vault

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/integrationhub/hub/secrets"
)

// Pauses between tries to renew a token.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// minLife is how long a token is used before a denied request logs in anew: it is then
// rather the policies that deny it.
const minLife = 10 * time.Second

var errClosed = errors.New("vault: the client is closed")

// session is the client's being logged in.
type session struct {
	client *Client
	login  Login
	ctx    context.Context // ends with close
	end    context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	current *lease             // nil: not logged in
	stop    context.CancelFunc // ends the renewal of current
	entry   *entry             // nil: nobody logs in
}

// entry is a login under way. Err may be read when done is closed.
type entry struct {
	done chan struct{}
	err  error
}

func newSession(c *Client, login Login) *session {
	s := &session{client: c, login: login}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

func (s *session) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.wg.Wait()
}

// token returns the token of the session, after a login that all share who wait for it.
func (s *session) token(ctx context.Context) (secrets.Value, error) {
	for {
		current, e, err := s.look()
		if err != nil {
			return secrets.Value{}, err
		}
		if current != nil {
			return current.token, nil
		}
		select {
		case <-e.done:
			if e.err != nil {
				return secrets.Value{}, e.err
			}
		case <-ctx.Done():
			return secrets.Value{}, ctx.Err()
		}
	}
}

// look returns the session's lease or, if it has none, the login to wait for.
func (s *session) look() (*lease, *entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, errClosed
	}
	if s.current == nil && s.entry == nil {
		e := &entry{done: make(chan struct{})}
		s.entry = e
		s.wg.Go(func() { s.enter(e) })
	}
	return s.current, s.entry, nil
}

// enter logs in, and keeps the session alive if that takes anything.
func (s *session) enter(e *entry) {
	l, err := s.login.enter(s.ctx, s.client)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(e.done)
	s.entry = nil
	if e.err = err; err != nil {
		if s.closed {
			e.err = errClosed
		}
		return
	}
	l.since = time.Now()
	s.current = &l
	if l.seconds == 0 || s.closed {
		return
	}
	ctx, stop := context.WithCancel(s.ctx)
	s.stop = stop
	s.wg.Go(func() { s.keep(ctx, &l) })
}

// refused hands a fresh token to a request that was denied with this one, if there can be
// one.
func (s *session) refused(ctx context.Context, token secrets.Value) (secrets.Value, bool) {
	if !s.login.token.IsZero() {
		return secrets.Value{}, false
	}
	s.mu.Lock()
	if s.current != nil && s.current.token.Equal(token) {
		if time.Since(s.current.since) < minLife {
			s.mu.Unlock()
			return secrets.Value{}, false
		}
		s.leave()
	}
	s.mu.Unlock()
	fresh, err := s.token(ctx)
	return fresh, err == nil
}

// leave forgets the token; s.mu is held.
func (s *session) leave() {
	s.current = nil
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// keep renews a lease until that is no longer possible, and then leaves the session: the
// next use logs in.
func (s *session) keep(ctx context.Context, l *lease) {
	for {
		renewed, ok := s.prolong(ctx, l)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		if s.current != l {
			s.mu.Unlock()
			return
		}
		if !ok {
			s.leave()
			s.mu.Unlock()
			return
		}
		s.current, l = renewed, renewed
		s.mu.Unlock()
	}
}

// prolong waits until two thirds of a lease have passed and renews it, trying until it has
// run out.
func (s *session) prolong(ctx context.Context, l *lease) (*lease, bool) {
	life := time.Duration(l.seconds) * time.Second
	over := time.Now().Add(life)
	if !l.renewable {
		wait(ctx, life*9/10)
		return nil, false
	}
	if !wait(ctx, life*2/3) {
		return nil, false
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		renewed, err := s.client.renew(ctx, l.token)
		var status *statusError
		switch {
		case err == nil && renewed.seconds > l.seconds/3:
			renewed.since = l.since
			return &renewed, true
		case err == nil: // it nears the longest life that it can have
			wait(ctx, time.Duration(renewed.seconds)*time.Second*9/10)
			return nil, false
		case errors.As(err, &status) && status.status < 500 && status.status != 429:
			s.client.log.WarnContext(ctx, "a token cannot be renewed", "error", err)
			return nil, false
		}
		s.client.log.WarnContext(ctx, "a token could not be renewed yet", "error", err)
		if time.Until(over) < pause || !wait(ctx, pause) {
			return nil, false
		}
	}
}

// wait returns whether a time has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
