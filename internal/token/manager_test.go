package token_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

func TestManyCallersMakeOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		src := &source{srv: srv}
		m := instance(memory.New(), newKeeper(t))
		var mu sync.Mutex
		seen := map[string]int{}
		var wg sync.WaitGroup
		for range 10_000 {
			wg.Go(func() {
				g, err := m.Get(t.Context(), key, src)
				assert.NoError(t, err)
				mu.Lock()
				seen[g.Access]++
				mu.Unlock()
			})
		}
		wg.Wait()
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls)
		assert.Len(t, seen, 1)
	})
}

func TestInstancesMakeOneCallPerExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		src := &source{srv: srv, rotating: true}
		store, keeper := memory.New(), newKeeper(t)
		all := make([]*token.Manager, 8)
		for i := range all {
			all[i] = instance(store, keeper)
		}
		authorized(t, all[0], srv, time.Second)
		const expiries = 5
		for range expiries {
			time.Sleep(srv.life)
			var wg sync.WaitGroup
			for _, m := range all {
				for range 50 {
					wg.Go(func() {
						_, err := m.Get(t.Context(), key, src)
						assert.NoError(t, err)
					})
				}
			}
			wg.Wait()
		}
		calls, reused := srv.counts()
		assert.Equal(t, expiries, calls)
		assert.Zero(t, reused)
	})
}

func TestACallerThatGivesUpDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		srv.delay = time.Second
		m := instance(memory.New(), newKeeper(t))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		first := make(chan error)
		go func() { _, err := m.Get(ctx, key, &source{srv: srv}); first <- err }()
		synctest.Wait()
		g, err := m.Get(t.Context(), key, &source{srv: srv})
		require.NoError(t, err)
		assert.NotEmpty(t, g.Access)
		require.ErrorIs(t, <-first, context.DeadlineExceeded)
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls)
	})
}

func TestATokenIsRenewedAheadInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		m := instance(memory.New(), newKeeper(t))
		src := &source{srv: srv}
		first, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)

		time.Sleep(54 * time.Minute) // before the lead of five minutes
		_, err = m.Get(t.Context(), key, src)
		require.NoError(t, err)
		synctest.Wait()
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls)

		time.Sleep(4 * time.Minute) // after the latest jitter
		begun := time.Now()
		same, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Same(t, first, same, "the token that is still good serves")
		assert.Zero(t, time.Since(begun), "nobody waits")
		time.Sleep(time.Second)
		next, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.NotEqual(t, first.Access, next.Access)
		calls, _ = srv.counts()
		assert.Equal(t, 2, calls)
	})
}

func TestABackgroundRenewalThatFailsDegradesAndBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		var changes []string
		m := instance(memory.New(), newKeeper(t), func(o *token.Options) {
			o.Changed = func(_ context.Context, c token.Change) {
				changes = append(changes, string(c.From.State)+" "+string(c.To.State))
			}
		})
		src := &source{srv: srv}
		_, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		srv.failWith(errors.New("no answer"))
		time.Sleep(58 * time.Minute)
		for range 60 { // a call each second
			_, err := m.Get(t.Context(), key, src)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		calls, _ := srv.counts()
		assert.LessOrEqual(t, calls, 1+8, "1 s, doubling")
		assert.GreaterOrEqual(t, calls, 1+4)
		st, err := m.Status(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, token.Degraded, st.State)
		srv.failWith(nil)
		time.Sleep(time.Minute)
		_, err = m.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, []string{"unknown healthy", "healthy degraded", "degraded healthy"}, changes)
	})
}

func TestRejectedCredentialsAreNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		srv.failWith(&token.Error{Verdict: token.Rejected, Reason: "invalid_client"})
		store, keeper := memory.New(), newKeeper(t)
		one, other := instance(store, keeper), instance(store, keeper)
		src := &source{srv: srv}
		ask := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				for _, m := range []*token.Manager{one, other} {
					_, err := m.Get(t.Context(), key, src)
					var e *token.Error
					require.ErrorAs(t, err, &e)
					require.Equal(t, token.Rejected, e.Verdict)
					require.Contains(t, e.Reason, "invalid_client")
					require.True(t, e.RetryAt.After(time.Now().Add(-time.Second)))
				}
			}
		}
		ask(time.Hour)
		calls, _ := srv.counts()
		assert.LessOrEqual(t, calls, 24, "1 s, doubling to 10 min, half of it by chance")
		st, err := one.Status(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, token.NeedsReauthentication, st.State)
		assert.Equal(t, "invalid_client", st.Reason)

		srv.failWith(nil)
		fixed := key
		fixed.AuthKey = "two" // a secret was set
		_, err = other.Get(t.Context(), fixed, src)
		require.NoError(t, err)
		st, err = one.Status(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, token.Healthy, st.State)
	})
}

func TestADeadGrantIsNotTriedAgainUntilSomebodyAuthorizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		srv.revoked = true
		store, keeper := memory.New(), newKeeper(t)
		one, other := instance(store, keeper), instance(store, keeper)
		src := &source{srv: srv, rotating: true, seed: srv.current}
		authorized(t, one, srv, time.Second)
		time.Sleep(time.Minute)
		for range 100 {
			for _, m := range []*token.Manager{one, other} {
				_, err := m.Get(t.Context(), key, src)
				var e *token.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, token.Refused, e.Verdict)
				_, err = m.Renew(t.Context(), key, src)
				require.ErrorAs(t, err, &e)
			}
			time.Sleep(time.Second)
		}
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls)

		srv.revoked = false
		authorized(t, other, srv, time.Hour)
		g, err := one.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, "a-first", g.Access)
	})
}

func TestARefusedTokenIsRenewedOnceAndNotInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store, keeper := memory.New(), newKeeper(t)
		one, other := instance(store, keeper), instance(store, keeper)
		src := &source{srv: srv}
		first, err := one.Get(t.Context(), key, src)
		require.NoError(t, err)
		same, err := other.Get(t.Context(), key, src)
		require.NoError(t, err)
		require.Equal(t, first.Access, same.Access)

		time.Sleep(time.Minute)
		assert.True(t, one.Refuse(key, first))
		assert.True(t, one.Refuse(key, first), "a second caller with the same token")
		second, err := one.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.NotEqual(t, first.Access, second.Access)
		assert.True(t, one.Refuse(key, first), "one that was late")
		again, err := one.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Same(t, second, again)

		assert.True(t, other.Refuse(key, same))
		adopted, err := other.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Equal(t, second.Access, adopted.Access, "the other instance finds the new one in the store")

		assert.False(t, one.Refuse(key, second), "who refuses this one too refuses every token")
		time.Sleep(time.Minute)
		assert.True(t, one.Refuse(key, second))
		calls, _ := srv.counts()
		assert.Equal(t, 2, calls)
	})
}

func TestAChangedDefinitionNeedsAnotherToken(t *testing.T) {
	for name, other := range map[string]token.Key{
		"tenant":    {Tenant: "other", Connector: "crm", AuthKey: "one"},
		"connector": {Tenant: "acme", Connector: "other", AuthKey: "one"},
		"auth key":  {Tenant: "acme", Connector: "crm", AuthKey: "other"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer()
			m := instance(memory.New(), newKeeper(t))
			one, err := m.Get(t.Context(), key, &source{srv: srv})
			require.NoError(t, err)
			two, err := m.Get(t.Context(), other, &source{srv: srv})
			require.NoError(t, err)
			assert.NotEqual(t, one.Access, two.Access)
		})
	}
}

func TestRenewFetchesThoughATokenIsGood(t *testing.T) {
	srv := newServer()
	store, keeper := memory.New(), newKeeper(t)
	first, err := instance(store, keeper).Get(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	next, err := instance(store, keeper).Renew(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	assert.NotEqual(t, first.Access, next.Access)
	assert.Greater(t, next.Generation, first.Generation)
}

func TestAGrantSurvivesARestartSealed(t *testing.T) {
	srv := newServer()
	store, keeper := memory.New(), newKeeper(t)
	first, err := instance(store, keeper).Get(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	again, err := instance(store, keeper).Get(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	assert.Equal(t, first.Access, again.Access)
	assert.Equal(t, first.Refresh, again.Refresh)
	calls, _ := srv.counts()
	assert.Equal(t, 1, calls)

	rec, err := store.Get(t.Context(), storage.Key{Tenant: "acme", Kind: token.Kind, ID: "crm"})
	require.NoError(t, err)
	for _, secret := range []string{first.Access, first.Refresh} {
		assert.NotContains(t, string(rec.Data), secret)
	}
	require.Len(t, rec.Labels, 1)

	moved := rec
	moved.ID = "other"
	require.NoError(t, store.Apply(t.Context(), storage.Create(moved)))
	stolen := key
	stolen.Connector = "other"
	_, err = instance(store, keeper).Get(t.Context(), stolen, &source{srv: srv, rotating: true})
	require.ErrorIs(t, err, token.ErrSeal)
}

func TestAStoreThatIsDownLeavesTheTokenInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store := &spy{Store: memory.New()}
		m := instance(store, newKeeper(t))
		src := &source{srv: srv}
		first, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		store.set(errors.New("down"))
		time.Sleep(58 * time.Minute)
		same, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		assert.Same(t, first, same)
		time.Sleep(time.Hour)
		_, err = m.Get(t.Context(), key, src)
		require.ErrorIs(t, err, token.ErrStore)
		calls, _ := srv.counts()
		assert.Equal(t, 1, calls, "nothing is sent without a lease")
	})
}

func TestForgetLeavesNothing(t *testing.T) {
	srv := newServer()
	store := memory.New()
	m := instance(store, newKeeper(t))
	_, err := m.Get(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	require.NoError(t, m.Forget(t.Context(), key))
	require.NoError(t, m.Forget(t.Context(), key), "again")
	st, err := m.Status(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, token.Unknown, st.State)
	page, err := store.List(t.Context(), storage.Query{Everywhere: true})
	require.NoError(t, err)
	assert.Empty(t, page.Records)
}

func TestReasonsAreCut(t *testing.T) {
	srv := newServer()
	srv.failWith(&token.Error{Verdict: token.Refused, Reason: strings.Repeat("x", 5000)})
	m := instance(memory.New(), newKeeper(t))
	_, err := m.Get(t.Context(), key, &source{srv: srv})
	require.Error(t, err)
	st, err := m.Status(t.Context(), key)
	require.NoError(t, err)
	assert.Less(t, len(st.Reason), 1100)
}

// After an edit nobody waits for what was begun before it, and those who began it get theirs.
func TestAnEditDoesNotWaitForTheFetchBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		store := memory.New()
		m := instance(store, newKeeper(t))
		hang := make(chan struct{})
		before := make(chan *token.Grant)
		go func() {
			g, err := m.Get(t.Context(), key, &source{srv: srv, answered: func() { <-hang }})
			assert.NoError(t, err)
			before <- g
		}()
		synctest.Wait()
		edited := key
		edited.AuthKey = "two"
		after, err := m.Get(t.Context(), edited, &source{srv: srv})
		require.NoError(t, err)
		close(hang)
		assert.NotEqual(t, (<-before).Access, after.Access)
		again, err := m.Get(t.Context(), edited, &source{srv: srv})
		require.NoError(t, err)
		assert.Same(t, after, again)
		calls, _ := srv.counts()
		assert.Equal(t, 2, calls)
	})
}

func TestRenewDoesNotAwaitTheEndOfABackOff(t *testing.T) {
	srv := newServer()
	srv.failWith(&token.Error{Verdict: token.Rejected, Reason: "invalid_client"})
	store, keeper := memory.New(), newKeeper(t)
	_, err := instance(store, keeper).Get(t.Context(), key, &source{srv: srv})
	require.Error(t, err)
	_, err = instance(store, keeper).Repeat(t.Context(), key, &source{srv: srv})
	require.Error(t, err)
	calls, _ := srv.counts()
	assert.Equal(t, 1, calls, "who asks again and again awaits it")
	srv.failWith(nil)
	_, err = instance(store, keeper).Repeat(t.Context(), key, &source{srv: srv})
	require.Error(t, err, "also in another instance")
	_, err = instance(store, keeper).Renew(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
}

// After a change of the credentials a dead grant is tried again, but not its refresh token.
func TestADeadGrantIsNoStartForOtherCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		m := instance(memory.New(), newKeeper(t))
		authorized(t, m, srv, time.Second)
		time.Sleep(time.Minute)
		srv.revoked = true
		_, err := m.Get(t.Context(), key, &source{srv: srv, rotating: true})
		require.Error(t, err)
		srv.revoked = false
		changed := key
		changed.AuthKey = "two"
		_, err = m.Get(t.Context(), changed, &source{srv: srv, rotating: true})
		require.ErrorContains(t, err, "nobody has authorized yet")
		g, err := m.Get(t.Context(), token.Key{Tenant: "acme", Connector: "crm", AuthKey: "three"}, &source{srv: srv, rotating: true, seed: srv.current})
		require.NoError(t, err)
		assert.NotEmpty(t, g.Access)
		calls, _ := srv.counts()
		assert.Equal(t, 2, calls)
	})
}

// Fresh is for callers that would get a grant at once and set nothing off.
func TestFreshIsWhatGetReturnsWithoutARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer()
		src := &source{srv: srv, rotating: true}
		m := instance(memory.New(), newKeeper(t))
		assert.Nil(t, m.Fresh(key, time.Now()))
		authorized(t, m, srv, time.Hour)
		for range 300 {
			g := m.Fresh(key, time.Now())
			before, _ := srv.counts()
			got, err := m.Get(t.Context(), key, src)
			require.NoError(t, err)
			time.Sleep(time.Second)
			if g != nil {
				assert.Same(t, got, g)
				after, _ := srv.counts()
				assert.Equal(t, before, after)
			}
			time.Sleep(29 * time.Second)
		}
		calls, _ := srv.counts()
		assert.GreaterOrEqual(t, calls, 2)

		g := m.Fresh(key, time.Now())
		require.NotNil(t, g)
		other := key
		other.AuthKey = "other"
		assert.Nil(t, m.Fresh(other, time.Now()))
		assert.True(t, m.Refuse(key, g))
		assert.Nil(t, m.Fresh(key, time.Now()))
	})
}
