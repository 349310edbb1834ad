package transport_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

// gate lets some attempts pass, each after a while.
type gate struct {
	passes int // then none
	wait   time.Duration
	shuts  int // after so many attempts it says so; zero: never
	until  time.Time

	asked int
	ended []transport.Attempt
}

var errShut = errors.New("shut")

func (g *gate) Pass(ctx context.Context, _ time.Time) (time.Time, error) {
	select {
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	case <-time.After(g.wait):
	}
	if g.asked++; g.asked > g.passes {
		return g.until, errShut
	}
	return time.Now(), nil
}

func (g *gate) Shut() time.Time {
	if g.shuts > 0 && len(g.ended) >= g.shuts {
		return g.until
	}
	return time.Time{}
}

func (g *gate) Passed(_ context.Context, a *transport.Attempt, _ *transport.Answer) {
	g.ended = append(g.ended, *a)
}

func TestAGateIsAskedBeforeEachAttemptAndToldOfEach(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for name, tt := range map[string]struct {
		gate gate
		want int
		held bool
	}{
		"it lets all pass":       {gate{passes: 9}, 3, false},
		"it lets none pass":      {gate{until: later}, 0, true},
		"it lets one pass":       {gate{passes: 1, until: later}, 1, false},
		"it shuts after the two": {gate{passes: 9, shuts: 2, until: later}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler, count := always(503)
				req := to(t, "GET", here, inMemory(t, handler))
				req.Gate = &tt.gate
				out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
				assert.Equal(t, tt.want, count())
				assert.Len(t, out.Attempts, tt.want)
				assert.Equal(t, out.Attempts, tt.gate.ended)
				if tt.held {
					assert.Equal(t, transport.Held, kindOf(t, out))
					require.ErrorIs(t, out.Err, errShut)
				} else {
					require.NoError(t, out.Err, "the last answer stands")
					assert.Equal(t, 503, out.Answer.Status)
				}
				assert.Equal(t, tt.gate.until, out.RetryAt)
			})
		})
	}
}

func TestWaitingAtAGateIsPartOfTheWaitAndEndsWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, count := always(200)
		req := to(t, "GET", here, inMemory(t, handler))
		req.Gate = &gate{passes: 1, wait: 2 * time.Second}
		out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
		assert.Equal(t, 2*time.Second, out.Attempts[0].Wait)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		out = transport.New(nil).Do(ctx, req, &transport.Policy{})
		assert.Equal(t, transport.Timeout, kindOf(t, out))
		assert.Empty(t, out.Attempts)
		assert.Equal(t, 1, count())
	})
}
