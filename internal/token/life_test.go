package token_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/storage/memory"
)

// ends is a source whose grants end a time after they were asked for.
type ends struct {
	life  time.Duration
	none  bool // it does not say when
	clock func() time.Time
	calls int
}

func (s *ends) Rotating() bool       { return false }
func (s *ends) Grace() time.Duration { return 0 }

func (s *ends) Fetch(context.Context, *token.Grant) (*token.Grant, error) {
	s.calls++
	g := &token.Grant{Access: fmt.Sprint("a-", s.calls), Obtained: s.clock()}
	if !s.none {
		g.Expires = g.Obtained.Add(s.life)
	}
	return g, nil
}

// Whatever an answer says of its life, and however wrong the clock is, a token is used until
// a little before its end, never after it, and never fetched for each call.
func TestLivesUnderClocksThatAreWrong(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for _, skew := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute} {
		for _, c := range []struct {
			told, life time.Duration
			none       bool
		}{
			{none: true, life: 10 * time.Minute},
			{told: 0, life: 10 * time.Minute},
			{told: -1, life: 10 * time.Minute},
			{told: -time.Hour, life: 10 * time.Minute},
			{told: time.Second, life: time.Second},
			{told: 1500 * time.Millisecond, life: 1500 * time.Millisecond},
			{told: 29 * time.Second, life: 29 * time.Second},
			{told: 5 * time.Minute, life: 5 * time.Minute},
			{told: time.Hour, life: time.Hour},
			{told: month, life: month},
			{told: month + time.Second, life: month},
			{told: 100 * 365 * 24 * time.Hour, life: month},
		} {
			t.Run(fmt.Sprint(skew, c.told, c.none), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					clock := func() time.Time { return time.Now().Add(skew) }
					src := &ends{life: c.told, none: c.none, clock: clock}
					m := instance(memory.New(), newKeeper(t), func(o *token.Options) { o.Now = clock })
					get := func() string {
						g, err := m.Get(t.Context(), key, src)
						require.NoError(t, err)
						synctest.Wait()
						return g.Access
					}
					require.Equal(t, "a-1", get())
					time.Sleep(c.life - min(c.life/4, 5*time.Minute) - time.Nanosecond)
					require.Equal(t, "a-1", get())
					require.Equal(t, 1, src.calls, "not due yet")
					time.Sleep(min(c.life/4, 5*time.Minute))
					require.Equal(t, "a-2", get(), "over")
					require.Equal(t, 2, src.calls)
				})
			})
		}
	}
}

// Instances whose clocks differ share grants all the same: a grant seems neither to be dead
// on arrival nor to live longer than its life.
func TestInstancesWhoseClocksDiffer(t *testing.T) {
	for _, skew := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer()
				srv.life = 5 * time.Minute
				srv.delay = 5 * time.Second
				store, keeper := memory.New(), newKeeper(t)
				one := instance(store, keeper)
				other := instance(store, keeper, func(o *token.Options) {
					o.Now = func() time.Time { return time.Now().Add(skew) }
				})
				src := &source{srv: srv}
				done := make(chan *token.Grant)
				go func() { g, _ := one.Get(t.Context(), key, src); done <- g }()
				time.Sleep(time.Second)
				adopted, err := other.Get(t.Context(), key, src) // it watched the fetch
				require.NoError(t, err)
				assert.Equal(t, (<-done).Access, adopted.Access)
				time.Sleep(3 * time.Minute)
				again, err := other.Get(t.Context(), key, src)
				require.NoError(t, err)
				assert.Same(t, adopted, again)
				time.Sleep(3 * time.Minute)
				next, err := other.Get(t.Context(), key, src)
				require.NoError(t, err)
				assert.NotEqual(t, adopted.Access, next.Access, "its whole life is over")
				calls, _ := srv.counts()
				assert.Equal(t, 2, calls)
			})
		})
	}
}
