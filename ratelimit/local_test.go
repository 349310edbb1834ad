package ratelimit_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/ratelimit"
	"github.com/integrationhub/hub/ratelimit/ratelimittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLocal(t *testing.T) {
	ratelimittest.Run(t, func(testing.TB) ratelimit.Limiter { return new(ratelimit.Local) })
}

func TestLocalKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ratelimit.Local
		d := []ratelimit.Demand{{Key: "k", Limit: ratelimit.Limit{Requests: 10, Per: time.Second, Burst: 3}}}
		taken := 0
		for range 60 * 100 { // a minute in steps of 10 ms
			turn, err := l.Take(t.Context(), "o", d, 0)
			require.NoError(t, err)
			if turn.OK {
				taken++
			}
			time.Sleep(10 * time.Millisecond)
		}
		assert.InDelta(t, 60*10+3, taken, 1)
	})
}

// What is full again is forgotten, and what is in use is not.
func TestLocalForgetsWhatIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ratelimit.Local
		used := []ratelimit.Demand{{Key: "used", Limit: ratelimit.Limit{Requests: 1, Per: 24 * time.Hour, Burst: 1}}}
		turn, err := l.Take(t.Context(), "o", used, 0)
		require.NoError(t, err)
		require.True(t, turn.OK)
		for i := range 10_000 {
			_, err := l.Take(t.Context(), fmt.Sprint(i), []ratelimit.Demand{{Key: "k", Limit: ratelimit.Limit{Requests: 1, Per: time.Second, Burst: 1}}}, 0)
			require.NoError(t, err)
			time.Sleep(10 * time.Millisecond)
			require.LessOrEqual(t, l.Buckets(), 1024+1)
		}
		turn, err = l.Take(t.Context(), "o", used, 0)
		require.NoError(t, err)
		assert.False(t, turn.OK, "its bucket is still empty")
	})
}
