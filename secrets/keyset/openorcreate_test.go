package keyset_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

func newStore(t testing.TB, recs ...storage.Record) storage.Store {
	store := memory.New()
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for _, rec := range recs {
		rec.Revision = 1
		require.NoError(t, store.Apply(context.Background(), storage.Create(rec)))
	}
	return store
}

func record(tenant, kind string, labels ...storage.Label) storage.Record {
	return storage.Record{Key: storage.Key{Tenant: tenant, Kind: kind, ID: "x"}, Parent: "crm", Labels: labels}
}

func TestFirstStartMakesTheFile(t *testing.T) {
	path := filepath.Join(newDir(t), "hub.keyset")
	store := newStore(t, record("acme", "connector"), record("acme", "zzz"))
	first, err := keyset.OpenOrCreate(t.Context(), path, store)
	require.NoError(t, err)
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "apiKey"}
	require.NoError(t, sealed.New(store, first).Put(t.Context(), ref, secrets.New("s3cr3t")))

	second, err := keyset.OpenOrCreate(t.Context(), path, store)
	require.NoError(t, err)
	got, err := sealed.New(store, second).Get(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, "s3cr3t", got.Reveal())
}

// TestLostFileIsNotReplaced: a store with sealed records, whoever's, and no file.
func TestLostFileIsNotReplaced(t *testing.T) {
	label := storage.Label{Key: sealed.LabelKey, Value: "k_lost"}
	tests := map[string]struct {
		rec   storage.Record
		kinds []string
		names string
	}{
		"a secret":               {record("", sealed.Kind, label), nil, "key k_lost"},
		"of some tenant":         {record("acme", sealed.Kind, label), nil, "key k_lost"},
		"a hub's key check":      {record("", sealed.CheckKind, label), nil, "key k_lost"},
		"without a label":        {record("acme", sealed.Kind), nil, "of unknown id"},
		"of a further kind":      {record("acme", "grant", label), []string{"descriptor", "grant"}, "key k_lost"},
		"a secret, kinds given":  {record("acme", sealed.Kind, label), []string{"grant"}, "key k_lost"},
		"with other labels, too": {record("acme", sealed.Kind, storage.Label{Key: "tag", Value: "k_tag"}, label), nil, "key k_lost"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			path := filepath.Join(dir, "hub.keyset")
			s, err := keyset.OpenOrCreate(t.Context(), path, newStore(t, test.rec), test.kinds...)
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.ErrorContains(t, err, test.names)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, "put back the file")
			assert.Nil(t, s)
			assert.Empty(t, names(t, dir))
		})
	}
}

func TestKindsThatAreNotNamedDoNotCount(t *testing.T) {
	store := newStore(t, record("acme", "grant"))
	_, err := keyset.OpenOrCreate(t.Context(), filepath.Join(newDir(t), "hub.keyset"), store)
	require.NoError(t, err)
}

// TestUnreadableFileIsNotReplaced: what is wrong with a file is told, and a store full or
// empty does not matter.
func TestUnreadableFileIsNotReplaced(t *testing.T) {
	path := filepath.Join(newDir(t), "hub.keyset")
	require.NoError(t, os.WriteFile(path, []byte("damaged"), 0o600))
	for _, store := range []storage.Store{newStore(t), newStore(t, record("", sealed.Kind))} {
		_, err := keyset.OpenOrCreate(t.Context(), path, store)
		require.ErrorContains(t, err, "not a keyset")
		require.NotErrorIs(t, err, fs.ErrNotExist)
	}
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "damaged", string(kept))
}

func TestProcessesStartAtOnce(t *testing.T) {
	dir := newDir(t)
	path, store := filepath.Join(dir, "hub.keyset"), newStore(t)
	var wg sync.WaitGroup
	sets, errs := make([]*keyset.Keyset, 16), make([]error, 16)
	for i := range sets {
		wg.Go(func() { sets[i], errs[i] = keyset.OpenOrCreate(t.Context(), path, store) })
	}
	wg.Wait()
	for i := range sets {
		require.NoError(t, errs[i])
		assert.True(t, sets[0].Encode().Equal(sets[i].Encode()))
	}
	assert.Equal(t, []string{"hub.keyset"}, names(t, dir))
}

// lister is a store of which only List is set.
type lister struct {
	storage.Store
	list func(storage.Query) (storage.Page, error)
}

func (l lister) List(_ context.Context, q storage.Query) (storage.Page, error) { return l.list(q) }

func TestStoreThatCannotAnswer(t *testing.T) {
	down := errors.New("store is down")
	dir := newDir(t)
	_, err := keyset.OpenOrCreate(t.Context(), filepath.Join(dir, "hub.keyset"), lister{list: func(storage.Query) (storage.Page, error) {
		return storage.Page{}, down
	}})
	require.ErrorIs(t, err, down)
	assert.Empty(t, names(t, dir))
}

// TestEmptyPagesAreNotTheEnd gives a store whose first page is empty but not the last.
func TestEmptyPagesAreNotTheEnd(t *testing.T) {
	dir := newDir(t)
	_, err := keyset.OpenOrCreate(t.Context(), filepath.Join(dir, "hub.keyset"), lister{list: func(q storage.Query) (storage.Page, error) {
		if q.After == "" {
			return storage.Page{Next: "more"}, nil
		}
		return storage.Page{Records: []storage.Record{record("acme", sealed.Kind)}}, nil
	}})
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Empty(t, names(t, dir))
}

func TestEndedCtxMakesNoFile(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := newDir(t)
	_, err := keyset.OpenOrCreate(ctx, filepath.Join(dir, "hub.keyset"), newStore(t))
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, names(t, dir))
}
