package token_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

var errDead = errors.New("the process is dead")

// vanish lets an instance die where the call is about to be sent, or was answered: it writes
// nothing more.
func vanish(t *testing.T, store storage.Store, keeper secrets.Keeper, src *source) {
	t.Helper()
	mine := &spy{Store: store}
	doomed := *src
	if doomed.reached == nil && doomed.answered == nil {
		doomed.answered = func() { mine.set(errDead) }
	} else {
		doomed.reached = func() { mine.set(errDead); src.srv.failWith(errDead) }
		doomed.answered = func() { src.srv.failWith(nil) }
	}
	ctx, cancel := context.WithCancel(t.Context())
	m := instance(mine, keeper, func(o *token.Options) {
		o.Begin = func() (context.Context, func(), error) { return ctx, func() {}, nil }
	})
	waiting, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	_, _ = m.Get(waiting, key, &doomed)
	cancel()
	synctest.Wait()
	time.Sleep(3 * time.Second) // it tries once more
	synctest.Wait()
}

func TestAHolderThatVanishes(t *testing.T) {
	for name, c := range map[string]struct {
		rotating bool
		sent     bool          // and answered, before the end
		grace    time.Duration // the server's, and declared
		calls    int           // that the server sees, all told
		state    token.State
	}{
		"not rotating, before the call":     {sent: false, calls: 2, state: token.Healthy},
		"not rotating, after the answer":    {sent: true, calls: 2, state: token.Healthy},
		"rotating, before the call":         {rotating: true, calls: 1, state: token.NeedsReauthentication},
		"rotating, after the answer":        {rotating: true, sent: true, calls: 1, state: token.NeedsReauthentication},
		"rotating, before the call, grace":  {rotating: true, grace: 30 * time.Second, calls: 2, state: token.Healthy},
		"rotating, after the answer, grace": {rotating: true, sent: true, grace: 30 * time.Second, calls: 2, state: token.Healthy},
		"rotating, grace within the lease":  {rotating: true, sent: true, grace: 12 * time.Second, calls: 2, state: token.Healthy},
		"rotating, grace over":              {rotating: true, sent: true, grace: time.Second, calls: 1, state: token.NeedsReauthentication},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer()
				srv.grace = c.grace
				store, keeper := memory.New(), newKeeper(t)
				src := &source{srv: srv, rotating: c.rotating, grace: c.grace}
				if c.rotating {
					authorized(t, instance(store, keeper), srv, time.Second)
					time.Sleep(time.Minute)
				}
				if !c.sent {
					src.reached = func() {}
				}
				begun := time.Now()
				vanish(t, store, keeper, src)
				src.reached, src.answered = nil, nil
				var wg sync.WaitGroup
				for range 4 {
					m := instance(store, keeper)
					for range 5 {
						wg.Go(func() {
							for range 3 {
								_, _ = m.Get(t.Context(), key, src)
								time.Sleep(2 * time.Second)
							}
						})
					}
				}
				wg.Wait()
				calls, reused := srv.counts()
				assert.Equal(t, c.calls, calls)
				assert.Zero(t, reused, "the server never sees a refresh token twice outside its grace")
				st, err := instance(store, keeper).Status(t.Context(), key)
				require.NoError(t, err)
				assert.Equal(t, c.state, st.State, st.Reason)
				assert.Less(t, time.Since(begun), time.Minute)
			})
		})
	}
}

// A holder that was stopped past its lease, and not killed, has the answer in hand when it
// wakes up: it lifts the flag.
func TestAHolderThatWakesUpLiftsTheFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store, keeper := memory.New(), newKeeper(t)
		asleep := make(chan struct{})
		src := &source{srv: srv, rotating: true}
		stopped := *src
		stopped.answered = func() { <-asleep }
		one, other := instance(store, keeper), instance(store, keeper)
		authorized(t, one, srv, time.Second)
		time.Sleep(time.Minute)
		woken := make(chan *token.Grant)
		go func() { g, err := one.Get(t.Context(), key, &stopped); assert.NoError(t, err); woken <- g }()
		synctest.Wait()

		begun := time.Now()
		_, err := other.Get(t.Context(), key, src)
		var e *token.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, token.Refused, e.Verdict)
		assert.GreaterOrEqual(t, time.Since(begun), 15*time.Second, "the whole life of the lease")
		st, err := other.Status(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, token.NeedsReauthentication, st.State)

		close(asleep)
		g := <-woken
		time.Sleep(2 * time.Second)
		same, err := other.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, g.Access, same.Access)
		st, err = other.Status(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, token.Healthy, st.State)
		calls, reused := srv.counts()
		assert.Equal(t, 1, calls)
		assert.Zero(t, reused)
	})
}

// One that wakes up after another one has taken over does not write over it.
func TestAHolderThatIsLateLosesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store, keeper := memory.New(), newKeeper(t)
		asleep := make(chan struct{})
		src := &source{srv: srv}
		stopped := *src
		stopped.answered = func() { <-asleep }
		one, other := instance(store, keeper), instance(store, keeper)
		late := make(chan *token.Grant)
		go func() { g, err := one.Get(t.Context(), key, &stopped); assert.NoError(t, err); late <- g }()
		synctest.Wait()
		g, err := other.Get(t.Context(), key, src)
		require.NoError(t, err)
		close(asleep)
		assert.Equal(t, g.Access, (<-late).Access)
		calls, _ := srv.counts()
		assert.Equal(t, 2, calls)
	})
}

func TestALeaseIsWrittenBeforeTheCallAndTheAnswerBeforeItsUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		var order []string
		store := &spy{Store: memory.New()}
		store.apply = func(c []storage.Change) error {
			if pending(c) {
				order = append(order, "lease")
			} else {
				order = append(order, "answer")
			}
			return nil
		}
		src := &source{srv: srv, reached: func() { order = append(order, "call") }}
		_, err := instance(store, newKeeper(t)).Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, []string{"lease", "call", "answer"}, append(order, "used")[:3])
	})
}

// A rotated refresh token is not given up because the store is away for a while.
func TestARotatedTokenIsWrittenWhenTheStoreComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store := &spy{Store: memory.New()}
		keeper := newKeeper(t)
		m := instance(store, keeper)
		authorized(t, m, srv, time.Second)
		time.Sleep(time.Minute)
		src := &source{srv: srv, rotating: true, answered: func() { store.set(errors.New("down")) }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := m.Get(ctx, key, src)
		require.ErrorIs(t, err, context.DeadlineExceeded, "not used before it is durable")
		store.set(nil)
		src.answered = nil
		g, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		same, err := instance(store, keeper).Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, g.Access, same.Access)
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls)
	})
}

func TestATokenThatCanBeHadAgainServesThoughItCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store := &spy{Store: memory.New()}
		m := instance(store, newKeeper(t))
		src := &source{srv: srv, answered: func() { store.set(errors.New("down")) }}
		_, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
	})
}

// An Apply can fail and have been done: the outcome is told by what is stored.
func TestAWriteThatWasDoneThoughItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		inner := memory.New()
		store := &spy{Store: inner}
		failed := map[bool]bool{} // :: lease or not → once
		store.apply = func(c []storage.Change) error {
			if failed[pending(c)] {
				return nil
			}
			failed[pending(c)] = true
			if err := inner.Apply(t.Context(), c...); err != nil {
				return err
			}
			return errors.New("the answer was lost")
		}
		keeper := newKeeper(t)
		m := instance(store, keeper)
		authorized(t, instance(inner, keeper), srv, time.Second)
		time.Sleep(time.Minute)
		src := &source{srv: srv, rotating: true}
		_, err := m.Get(t.Context(), key, src)
		require.ErrorIs(t, err, token.ErrStore, "the lease")
		_, err = m.Get(t.Context(), key, src)
		require.NoError(t, err)
		calls, reused := srv.counts()
		assert.Equal(t, 1, calls)
		assert.Zero(t, reused)
	})
}

func TestADeletedGrantIsNotWrittenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store, keeper := memory.New(), newKeeper(t)
		m, other := instance(store, keeper), instance(store, keeper)
		src := &source{srv: srv, answered: func() { assert.NoError(t, other.Forget(t.Context(), key)) }}
		_, err := m.Get(t.Context(), key, src)
		require.ErrorIs(t, err, token.ErrGone)
		st, err := m.Status(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, token.Unknown, st.State)
	})
}

func TestAPutTakesThePlaceOfWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store, keeper := memory.New(), newKeeper(t)
		m := instance(store, keeper)
		authorized(t, m, srv, time.Second)
		time.Sleep(time.Minute)
		src := &source{srv: srv, rotating: true}
		src.answered = func() {
			src.answered = nil
			now := time.Now()
			assert.NoError(t, m.Put(t.Context(), key, &token.Grant{Access: "put", Obtained: now, Expires: now.Add(time.Hour)}))
		}
		g, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, "put", g.Access)
	})
}

func TestAFailureThatWasWrittenThoughItSeemedNotIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		srv.failWith(errors.New("no answer"))
		inner := memory.New()
		store := &spy{Store: inner}
		store.apply = func(c []storage.Change) error {
			if pending(c) {
				return nil
			}
			if err := inner.Apply(t.Context(), c...); err != nil {
				return err
			}
			return errors.New("the answer was lost")
		}
		_, err := instance(store, newKeeper(t)).Get(t.Context(), key, &source{srv: srv})
		require.Error(t, err)
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls)
	})
}

// A record that was deleted and made again does not count from the beginning.
func TestGenerationsGrowThoughTheRecordWasDeleted(t *testing.T) {
	srv := newServer()
	store, keeper := memory.New(), newKeeper(t)
	m, other := instance(store, keeper), instance(store, keeper)
	src := &source{srv: srv}
	for range 3 {
		_, err := m.Renew(t.Context(), key, src)
		require.NoError(t, err)
	}
	require.NoError(t, other.Forget(t.Context(), key))
	renewed, err := m.Renew(t.Context(), key, src)
	require.NoError(t, err)
	again, err := m.Get(t.Context(), key, src)
	require.NoError(t, err)
	assert.Same(t, renewed, again)
}
