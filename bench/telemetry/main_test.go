package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSmallTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run([]string{"-rounds", "1", "-calls", "100"}, &out))
	assert.Equal(t, 4, strings.Count(out.String(), "\n"))
	for _, args := range [][]string{{"-rounds", "0"}, {"-calls", "0"}, {"-x"}} {
		assert.Error(t, run(args, &out), "%q", args)
	}
}

// counting counts the spans that are told.
type counting struct {
	discard
	ended int
}

// OnEnd counts.
func (c *counting) OnEnd(sdktrace.ReadOnlySpan) { c.ended++ }

// Both tell of what is said here: two spans and one, if they are recorded.
func TestBothTell(t *testing.T) {
	for _, tt := range []struct {
		sampler      sdktrace.Sampler
		ours, theirs int
	}{{sdktrace.AlwaysSample(), 2, 1}, {sdktrace.NeverSample(), 0, 0}} {
		var spans counting
		tracers, meters := providers(tt.sampler)
		tracers.RegisterSpanProcessor(&spans)
		ours, err := newHubotel(tracers, meters)
		require.NoError(t, err)
		require.NoError(t, ours(context.Background()))
		assert.Equal(t, tt.ours, spans.ended)
		spans.ended = 0
		require.NoError(t, newOtelhttp(tracers, meters)(context.Background()))
		assert.Equal(t, tt.theirs, spans.ended)
	}
}
