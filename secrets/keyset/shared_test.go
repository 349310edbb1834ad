package keyset_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// openFile makes a keyset and opens its file twice, as two processes do.
func openFile(t testing.TB) (path string, one, other *keyset.File) {
	t.Helper()
	path = filepath.Join(newDir(t), "hub.keyset")
	_, err := keyset.Create(path)
	require.NoError(t, err)
	one, err = keyset.OpenFile(path)
	require.NoError(t, err)
	other, err = keyset.OpenFile(path)
	require.NoError(t, err)
	return path, one, other
}

func keyID(t testing.TB, k secrets.Keeper) string {
	t.Helper()
	id, err := k.KeyID(t.Context())
	require.NoError(t, err)
	return id
}

func TestProcessesSeeEachOthersKeys(t *testing.T) {
	_, one, other := openFile(t)
	old := keyID(t, one)
	before, err := other.Seal(t.Context(), old, []byte("before"), nil)
	require.NoError(t, err)

	fresh, err := one.Add(t.Context())
	require.NoError(t, err)
	box, err := one.Seal(t.Context(), fresh, []byte("early"), nil)
	require.NoError(t, err)
	plain, err := other.Open(t.Context(), fresh, box, nil)
	require.NoError(t, err, "a key that is not known is looked for in the file")
	assert.Equal(t, "early", string(plain))

	require.NoError(t, one.Promote(t.Context(), fresh))
	assert.Equal(t, fresh, keyID(t, other))
	_, err = other.Open(t.Context(), old, before, nil)
	require.NoError(t, err)

	require.NoError(t, other.Disable(t.Context(), old))
	_, err = one.Seal(t.Context(), old, []byte("late"), nil)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound, "nobody seals under a disabled key")
	require.NoError(t, one.Enable(t.Context(), old))
	_, err = other.Open(t.Context(), old, before, nil)
	require.NoError(t, err)
	assert.NotContains(t, one.GoString(), "material")
}

func TestKeysReadLastServeWhileTheFileCannotBeRead(t *testing.T) {
	path, one, _ := openFile(t)
	id := keyID(t, one)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, harm := range map[string]func() error{
		"gone":    func() error { return os.Remove(path) },
		"garbled": func() error { return os.WriteFile(path, []byte("{"), 0o600) },
	} {
		require.NoError(t, harm(), name)
		assert.Equal(t, id, keyID(t, one), name)
		_, err := one.Add(t.Context())
		require.Error(t, err, "%s: what cannot be read is not overwritten", name)
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
	_, err = one.Add(t.Context())
	require.NoError(t, err)
}

func TestStepsOfSeveralProcessesAllCount(t *testing.T) {
	path, _, _ := openFile(t)
	const processes, steps = 4, 5
	var wg sync.WaitGroup
	for range processes {
		f, err := keyset.OpenFile(path)
		require.NoError(t, err)
		wg.Go(func() {
			for range steps {
				_, err := f.Add(t.Context())
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	s, err := keyset.Open(path)
	require.NoError(t, err)
	assert.Len(t, s.Keys(), 1+processes*steps)
	assert.ElementsMatch(t, []string{"hub.keyset", "hub.keyset.lock"}, names(t, filepath.Dir(path)))
}

func TestAStepHonoursCtx(t *testing.T) {
	_, one, _ := openFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := one.Add(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, one.Keys(), 1)
}

func TestDestroyRefusesWhileARecordNamesTheKey(t *testing.T) {
	_, one, other := openFile(t)
	store := memory.New()
	defer func() { require.NoError(t, store.Close()) }()
	old := keyID(t, one)
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "token", Generation: 1}
	require.NoError(t, sealed.New(store, one).Put(t.Context(), ref, secrets.New("value")))
	require.NoError(t, store.Apply(t.Context(), storage.Create(storage.Record{
		Key: storage.Key{Tenant: "z", Kind: "other", ID: "x"}, Labels: sealed.Labelled(nil, old), Revision: 1, Updated: time.Now(),
	})))

	fresh, err := one.Add(t.Context())
	require.NoError(t, err)
	require.NoError(t, one.Promote(t.Context(), fresh))
	again, err := sealed.New(store, other).Rewrap(t.Context(), ref)
	require.NoError(t, err)
	assert.True(t, again)
	require.NoError(t, one.Disable(t.Context(), old))

	err = one.Destroy(t.Context(), old, store)
	require.ErrorIs(t, err, keyset.ErrInUse)
	require.ErrorContains(t, err, `other "x" of tenant "z"`)
	require.NoError(t, store.Apply(t.Context(), storage.Delete(storage.Key{Tenant: "z", Kind: "other", ID: "x"}, 1)))
	require.NoError(t, one.Destroy(t.Context(), old, store))
	assert.Equal(t, []keyset.KeyInfo{{ID: fresh, Primary: true}}, other.Keys())

	require.NoError(t, store.Close())
	third, err := one.Add(t.Context())
	require.NoError(t, err)
	require.NoError(t, one.Disable(t.Context(), third))
	require.ErrorIs(t, one.Destroy(t.Context(), third, store), storage.ErrClosed, "a store that does not answer proves nothing")
}
