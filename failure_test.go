package hub_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

var errDisk = errors.New("disk I/O error \x1b[31m")

// failing is a store whose n-th call from now fails; zero: none does.
type failing struct {
	storage.Store
	countdown atomic.Int64
}

func (s *failing) fails() bool { return s.countdown.Add(-1) == 0 }

func (s *failing) Get(ctx context.Context, k storage.Key) (storage.Record, error) {
	if s.fails() {
		return storage.Record{}, errDisk
	}
	return s.Store.Get(ctx, k)
}

func (s *failing) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if s.fails() {
		return storage.Page{}, errDisk
	}
	return s.Store.List(ctx, q)
}

func (s *failing) Apply(ctx context.Context, changes ...storage.Change) error {
	if s.fails() {
		return errDisk
	}
	return s.Store.Apply(ctx, changes...)
}

// edits are what an owner does, each needing the store.
var edits = map[string]func(context.Context, *hub.Tenant, hub.Connector) error{
	"CreateTemplate": func(ctx context.Context, h *hub.Tenant, _ hub.Connector) error {
		_, err := h.CreateTemplate(ctx, hub.Template{ID: "new", Name: "new", Methods: []string{"GET"}})
		return err
	},
	"CreateConnector": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		_, err := h.CreateConnector(ctx, hub.Connector{ID: "new", Name: "new", Template: con.Template})
		return err
	},
	"UpdateConnector": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		con.Tags = []string{"edited"}
		_, err := h.UpdateConnector(ctx, con)
		return err
	},
	"AddRequest": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		_, err := h.AddRequest(ctx, con.ID, get("new"))
		return err
	},
	"SwapRequests": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		_, err := h.SwapRequests(ctx, con.ID, "i0", "a0")
		return err
	},
	"RestrictTemplate": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		return h.RestrictTemplate(ctx, con.Template, []string{"a.example.com"})
	},
	"CopyConnector": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		_, err := h.CopyConnector(ctx, con.ID, "copy")
		return err
	},
	"DeleteConnector": func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
		return h.DeleteConnector(ctx, con.ID, con.Revision)
	},
}

// Whichever call of the store fails, the edit says so, has changed nothing or can be repeated,
// and succeeds once the store is well.
func TestEditsSurviveAStoreThatFailsAtAnyCall(t *testing.T) {
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			failures := 0
			for n := int64(1); ; n++ {
				store := &failing{Store: memory.New()}
				h := openOn(t, store).Tenant("")
				con := filled(t, h, 1, 1)
				store.countdown.Store(n)
				err := edit(t.Context(), h, con)
				if store.countdown.Load() > 0 { // the edit needs fewer calls
					require.NoError(t, err)
					break
				}
				if err != nil {
					failures++
					require.ErrorIs(t, err, hub.Unavailable, "call %d", n)
					require.ErrorIs(t, err, errDisk)
					require.NotContains(t, err.Error(), "\x1b")
					var e *hub.Error
					require.True(t, errors.As(err, &e) && e.Retryable)
					require.Equal(t, name, e.Op)
					require.NoError(t, edit(t.Context(), h, con), "again, after call %d failed", n)
				}
			}
			assert.Positive(t, failures)
		})
	}
}

func TestSecretsSurviveAStoreThatFailsAtAnyCall(t *testing.T) {
	for n := int64(1); ; n++ {
		store := &failing{Store: memory.New()}
		h := openOn(t, store).Tenant("")
		con := filled(t, h, 1, 0)
		require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("first value")))
		store.countdown.Store(n)
		err := h.SetSecret(t.Context(), con.ID, "key", secrets.New("second value"))
		done := store.countdown.Load() > 0
		store.countdown.Store(0)
		if err != nil {
			require.ErrorIs(t, err, hub.Unavailable, "call %d", n)
			assert.Empty(t, missing(t, h, con.ID), "the first value is in force")
			require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("second value")))
		}
		assert.Empty(t, missing(t, h, con.ID))
		if done {
			return
		}
	}
}

func TestEditsHeedTheirContext(t *testing.T) {
	for name, edit := range edits {
		h := open(t).Tenant("")
		con := filled(t, h, 1, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, edit(ctx, h, con), hub.Canceled, name)
		assert.NoError(t, edit(t.Context(), h, con), name)
	}
}
