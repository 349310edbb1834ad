package client_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/bench/internal/client"
)

func TestQuantiles(t *testing.T) {
	var all []time.Duration
	for n := range 1000 {
		all = append(all, time.Duration(n+1)*time.Millisecond)
	}
	got := client.Quantiles(all, 0, 0.5, 0.99, 0.999)
	for i, want := range []time.Duration{time.Millisecond, 500 * time.Millisecond, 990 * time.Millisecond, time.Second} {
		assert.InEpsilon(t, want, got[i], 0.04)
	}
	assert.Equal(t, []time.Duration{0}, client.Quantiles(nil, 0.5))
}

func TestEachDurationIsFoundAgain(t *testing.T) {
	for d := time.Duration(1); d < math.MaxInt64/3; d += d/16 + 1 {
		assert.InEpsilon(t, d, client.Quantiles([]time.Duration{d}, 0.5)[0], 0.03)
	}
	assert.Zero(t, client.Quantiles([]time.Duration{-1}, 0.5)[0])
}
