package hubtest

import (
	"context"
	"testing"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// closeTimeout is how long the end of a test waits for calls under way.
const closeTimeout = 10 * time.Second

// New returns a hub for a test: on a store in memory, with a key of its own, and with the
// doors open that a [Server] needs: loopback, on any port. Of opts, which may be nil, all
// else holds. The hub is closed when the test and its subtests have ended; calls that are
// still under way ten seconds later are cancelled, and fail the test.
func New(t testing.TB, opts *hub.Options) *hub.Hub {
	t.Helper()
	keeper, err := keyset.Generate()
	if err != nil {
		t.Fatalf("hubtest: %v", err)
	}
	var o hub.Options
	if opts != nil {
		o = *opts
	}
	o.Egress.AllowLoopback, o.Egress.AllowAnyPort = true, true
	store := memory.New()
	h, err := hub.New(store, keeper, &o)
	if err != nil {
		t.Fatalf("hubtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Errorf("hubtest: closing the hub: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("hubtest: closing the store: %v", err)
		}
	})
	return h
}
