package cached_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/cached"
)

var errDown = errors.New("connection refused")

// origin is a source that answers with the number of times it was asked.
type origin struct {
	mu    sync.Mutex
	asked int
	err   error         // of every fetch
	takes time.Duration // each fetch
}

func (o *origin) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	o.mu.Lock()
	o.asked++
	n, err, takes := o.asked, o.err, o.takes
	o.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return secrets.Value{}, ctx.Err()
	}
	return secrets.New(fmt.Sprintf("%s %d", locator, n)), err
}

func (o *origin) become(err error, takes time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err, o.takes = err, takes
}

func (o *origin) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

// run opens a cache before an origin in a bubble, in which time passes when all wait.
func run(t *testing.T, opts cached.Options, f func(t *testing.T, s *cached.Source, o *origin)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &origin{}
		s, err := cached.NewSource(o, &opts)
		require.NoError(t, err)
		defer s.Close()
		f(t, s, o)
	})
}

func want(t *testing.T, s *cached.Source, locator, value string) {
	t.Helper()
	v, err := s.Fetch(t.Context(), locator)
	require.NoError(t, err)
	assert.Equal(t, value, v.Reveal())
}

func TestAValueIsKeptForItsLife(t *testing.T) {
	run(t, cached.Options{Life: time.Minute, Ahead: -1}, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		time.Sleep(time.Minute - 1)
		want(t, s, "a", "a 1")
		want(t, s, "b", "b 2")
		time.Sleep(time.Nanosecond)
		want(t, s, "a", "a 3")
	})
}

func TestDefaults(t *testing.T) {
	run(t, cached.Options{}, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		time.Sleep(4*time.Minute - 1)
		want(t, s, "a", "a 1")
		synctest.Wait()
		assert.Equal(t, 1, o.count(), "not ahead of four fifths of its life")
		o.become(errDown, 0)
		time.Sleep(time.Minute + 1)
		_, err := s.Fetch(t.Context(), "a")
		require.ErrorIs(t, err, errDown, "nothing is used stale unless the host wants it")
	})
}

func TestAValueInUseIsFetchedAhead(t *testing.T) {
	run(t, cached.Options{Life: time.Minute, Ahead: 10 * time.Second}, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		o.become(nil, 5*time.Second)
		time.Sleep(50 * time.Second)
		before := time.Now()
		for range 3 {
			want(t, s, "a", "a 1")
		}
		assert.Zero(t, time.Since(before), "nobody waits")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, 2, o.count(), "one fetch")
		want(t, s, "a", "a 2")
		time.Sleep(44 * time.Second)
		want(t, s, "a", "a 2")
		assert.Equal(t, 2, o.count())
		time.Sleep(time.Second)
		want(t, s, "a", "a 2")
		synctest.Wait()
		assert.Equal(t, 3, o.count(), "its life began when it was asked for")
	})
}

func TestAStaleValueBridgesAnOutage(t *testing.T) {
	opts := cached.Options{Life: time.Minute, Ahead: -1, Stale: time.Minute, Timeout: 10 * time.Second}
	run(t, opts, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		o.become(nil, time.Hour)
		time.Sleep(time.Minute)
		before := time.Now()
		want(t, s, "a", "a 1")
		assert.Equal(t, 10*time.Second, time.Since(before), "the first one waits")
		for range 5 {
			want(t, s, "a", "a 1")
		}
		assert.Equal(t, 2, o.count(), "a source that failed is left alone")
		time.Sleep(time.Second)
		want(t, s, "a", "a 1")
		assert.Equal(t, 11*time.Second, time.Since(before), "and once it is known nobody waits")
		time.Sleep(29 * time.Second)
		want(t, s, "a", "a 1")
		time.Sleep(10 * time.Second)
		_, err := s.Fetch(t.Context(), "a")
		require.Error(t, err, "no longer than the host allows")
		assert.NotErrorIs(t, err, context.DeadlineExceeded, "no caller's time has run out")
	})
}

func TestASourceThatComesBack(t *testing.T) {
	opts := cached.Options{Life: time.Minute, Ahead: -1, Stale: time.Hour}
	run(t, opts, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		o.become(errDown, 0)
		time.Sleep(time.Minute)
		for range 5 {
			want(t, s, "a", "a 1")
			synctest.Wait()
		}
		assert.Equal(t, 2, o.count(), "it is left alone for a second")
		o.become(nil, 0)
		time.Sleep(time.Second)
		want(t, s, "a", "a 1")
		synctest.Wait()
		want(t, s, "a", "a 3")
	})
}

func TestAFailureAheadOfTimeIsNotRepeatedAtOnce(t *testing.T) {
	run(t, cached.Options{Life: time.Minute, Ahead: 10 * time.Second}, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		o.become(errDown, 0)
		time.Sleep(50 * time.Second)
		for range 5 {
			want(t, s, "a", "a 1")
			synctest.Wait()
		}
		assert.Equal(t, 2, o.count())
		time.Sleep(time.Second)
		want(t, s, "a", "a 1")
		synctest.Wait()
		assert.Equal(t, 3, o.count())
	})
}

// What a source says of a secret is believed at once, however long values may be stale.
func TestAnswersAreNoOutages(t *testing.T) {
	for _, answer := range []error{secrets.ErrNotFound, secrets.ErrForbidden, secrets.ErrInvalid, secrets.ErrSealBroken, secrets.ErrKeyNotFound} {
		opts := cached.Options{Life: time.Minute, Stale: time.Hour, Ahead: 10 * time.Second}
		run(t, opts, func(t *testing.T, s *cached.Source, o *origin) {
			want(t, s, "a", "a 1")
			o.become(answer, 0)
			time.Sleep(time.Minute)
			_, err := s.Fetch(t.Context(), "a")
			require.ErrorIs(t, err, answer)
			o.become(errDown, 0)
			_, err = s.Fetch(t.Context(), "a")
			require.ErrorIs(t, err, errDown, "the old value is gone for good")
		})
		run(t, opts, func(t *testing.T, s *cached.Source, o *origin) {
			want(t, s, "a", "a 1")
			o.become(answer, 0)
			time.Sleep(50 * time.Second)
			want(t, s, "a", "a 1")
			synctest.Wait()
			_, err := s.Fetch(t.Context(), "a")
			require.ErrorIs(t, err, answer, "also when it is told ahead of time")
		})
	}
}

func TestManyCallersShareOneFetch(t *testing.T) {
	run(t, cached.Options{}, func(t *testing.T, s *cached.Source, o *origin) {
		o.become(nil, time.Second)
		impatient, cancel := context.WithCancel(t.Context())
		var gaveUp, got atomic.Int32
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				ctx := t.Context()
				if i%2 == 0 {
					ctx = impatient
				}
				if _, err := s.Fetch(ctx, "a"); errors.Is(err, context.Canceled) {
					gaveUp.Add(1)
				} else if err == nil {
					got.Add(1)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		assert.EqualValues(t, 50, gaveUp.Load())
		assert.EqualValues(t, 50, got.Load(), "who gives up takes nothing from the others")
		assert.Equal(t, 1, o.count())
	})
}

func TestForget(t *testing.T) {
	run(t, cached.Options{}, func(t *testing.T, s *cached.Source, o *origin) {
		want(t, s, "a", "a 1")
		want(t, s, "b", "b 2")
		s.Forget("a")
		want(t, s, "a", "a 3")
		want(t, s, "b", "b 2")

		o.become(nil, time.Second)
		done := make(chan error)
		go func() {
			_, err := s.Fetch(t.Context(), "c")
			done <- err
		}()
		synctest.Wait()
		s.Forget("c")
		require.NoError(t, <-done)
		want(t, s, "c", "c 5")
	})
}

func TestThoseUsedLongestAgoGiveWay(t *testing.T) {
	run(t, cached.Options{Max: 2}, func(t *testing.T, s *cached.Source, _ *origin) {
		want(t, s, "a", "a 1")
		want(t, s, "b", "b 2")
		want(t, s, "a", "a 1")
		want(t, s, "c", "c 3")
		want(t, s, "a", "a 1")
		want(t, s, "b", "b 4")
	})
}

func TestClose(t *testing.T) {
	run(t, cached.Options{}, func(t *testing.T, s *cached.Source, o *origin) {
		o.become(nil, time.Hour)
		done := make(chan error)
		go func() {
			_, err := s.Fetch(t.Context(), "a")
			done <- err
		}()
		synctest.Wait()
		go s.Close()
		require.Error(t, <-done)
		_, err := s.Fetch(t.Context(), "a")
		require.ErrorContains(t, err, "closed")
	})
}

func TestOptionsThatContradictThemselves(t *testing.T) {
	for _, o := range []cached.Options{{Life: -1}, {Stale: -1}, {Timeout: -1}, {Max: -1}, {Life: time.Minute, Ahead: time.Hour}} {
		_, err := cached.NewSource(&origin{}, &o)
		require.ErrorIs(t, err, secrets.ErrInvalid)
	}
}
