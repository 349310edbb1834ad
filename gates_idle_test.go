package hub_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// pass takes a place and gives it back.
func pass(t *testing.T, g *hub.Gates, tenant, connector string) {
	t.Helper()
	leave, err := g.Enter(t.Context(), tenant, connector)
	require.NoError(t, err)
	leave()
}

func TestGatesThatNobodyUsesAreKeptWithinABound(t *testing.T) {
	var g hub.Gates
	for n := range 4 * hub.MaxIdle {
		pass(t, &g, fmt.Sprint("tenant-", n%100), fmt.Sprint("connector-", n))
	}
	tenants, connectors := g.Kept()
	assert.Equal(t, hub.MaxIdle, connectors)
	assert.LessOrEqual(t, tenants, 100)
	for n := range 2 * hub.MaxIdle {
		pass(t, &g, "one", fmt.Sprint("connector-", n))
	}
	tenants, connectors = g.Kept()
	assert.Equal(t, hub.MaxIdle, connectors)
	assert.Equal(t, 1, tenants, "a tenant goes with the last of its connectors")
}

func TestAGateInUseIsNotForgotten(t *testing.T) {
	var g hub.Gates
	pass(t, &g, "acme", "busy")
	leave, err := g.Enter(t.Context(), "acme", "busy")
	require.NoError(t, err)
	for n := range 2 * hub.MaxIdle {
		pass(t, &g, "acme", fmt.Sprint("connector-", n))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = g.Enter(ctx, "acme", "busy")
	require.ErrorIs(t, err, context.Canceled, "its one place is taken")
	leave()
	pass(t, &g, "acme", "busy")
	_, connectors := g.Kept()
	assert.Equal(t, hub.MaxIdle, connectors)
}

// A call that comes to a full gate when its time is just over was not too much: it was too late.
func TestWhoseTimeIsOverIsToldSo(t *testing.T) {
	var g hub.Gates
	leave, err := g.Enter(t.Context(), "acme", "busy")
	require.NoError(t, err)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = g.Enter(late, "acme", "busy")
	require.ErrorIs(t, err, context.DeadlineExceeded)

	gone, giveUp := context.WithCancel(t.Context())
	notice, err := g.Queue(gone, "acme", "busy")
	require.NoError(t, err, "one may wait")
	_, err = g.Enter(late, "acme", "busy")
	require.ErrorIs(t, err, context.DeadlineExceeded, "though nobody else may wait")
	giveUp()
	_, err = g.Enter(gone, "acme", "busy")
	require.ErrorIs(t, err, context.Canceled)
	notice()
	leave()
	pass(t, &g, "acme", "busy")
}

// Whoever gave up may be slow to notice: its gate may have been forgotten meanwhile, and another one
// made in its place.
func TestACallThatNoticesLateLeavesTheGatesOfOthersAlone(t *testing.T) {
	var g hub.Gates
	others := func() {
		for n := range hub.MaxIdle {
			pass(t, &g, "acme", fmt.Sprint("connector-", n))
		}
	}
	gone, giveUp := context.WithCancel(t.Context())
	leave, err := g.Enter(t.Context(), "acme", "busy")
	require.NoError(t, err)
	notice, err := g.Queue(gone, "acme", "busy")
	require.NoError(t, err)
	giveUp()
	leave()
	others()
	leave, err = g.Enter(t.Context(), "acme", "busy")
	require.NoError(t, err)
	notice()
	others()
	_, err = g.Enter(gone, "acme", "busy")
	require.ErrorIs(t, err, context.Canceled, "its one place is taken")
	leave()
	tenants, connectors := g.Kept()
	assert.Equal(t, hub.MaxIdle, connectors)
	assert.Equal(t, 1, tenants)
}
