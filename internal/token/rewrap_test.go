package token_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

func TestAGrantMovesToAnotherKey(t *testing.T) {
	old, err := keyset.Generate()
	require.NoError(t, err)
	both, id, err := old.Add()
	require.NoError(t, err)
	both, err = both.Promote(id)
	require.NoError(t, err)
	alone, err := both.Disable(old.Keys()[0].ID)
	require.NoError(t, err)

	srv, store := newServer(), memory.New()
	first, err := instance(store, old).Get(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	rec, err := store.Get(t.Context(), storage.Key{Tenant: "acme", Kind: token.Kind, ID: "crm"})
	require.NoError(t, err)

	stolen := rec
	stolen.ID = "other"
	require.ErrorIs(t, token.Rewrap(t.Context(), both, &stolen), secrets.ErrSealBroken)

	next := rec
	require.NoError(t, token.Rewrap(t.Context(), both, &next))
	assert.Equal(t, sealed.Labelled(nil, id), next.Labels)
	next.Revision++
	require.NoError(t, store.Apply(t.Context(), storage.Update(next, rec.Revision)))
	again, err := instance(store, alone).Get(t.Context(), key, &source{srv: srv})
	require.NoError(t, err)
	assert.Equal(t, first.Access, again.Access)
	calls, _ := srv.counts()
	assert.Equal(t, 1, calls)

	for name, data := range map[string]string{"damaged": "{", "of a newer release": `{"format":9}`} {
		rec.Data = []byte(data)
		require.ErrorIs(t, token.Rewrap(t.Context(), both, &rec), secrets.ErrSealBroken, name)
	}
	rec.Data = []byte(`{"format":1,"state":"unknown"}`)
	require.NoError(t, token.Rewrap(t.Context(), both, &rec))
	assert.Equal(t, `{"format":1,"state":"unknown"}`, string(rec.Data))
}
