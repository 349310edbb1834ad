package bolt_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
)

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "hub.bolt") }

func open(t *testing.T, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(t.Context(), path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func thing(id string) storage.Record {
	return storage.Record{Key: storage.Key{Kind: "thing", ID: id}, Revision: 1}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign")
	require.NoError(t, os.WriteFile(foreign, make([]byte, 1<<16), 0o600))
	for name, c := range map[string]struct{ path, want string }{
		"empty path":      {"", "the path is empty"},
		"NUL in the path": {"a\x00b", "the path holds a NUL byte"},
		"no directory":    {filepath.Join(dir, "none", "file"), "the directory does not exist"},
		"a directory":     {dir, "not a regular file"},
		"foreign file":    {foreign, "invalid database"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bolt.Open(t.Context(), c.path, nil)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestOneStoreAtATime(t *testing.T) {
	path := newPath(t)
	first := open(t, path)
	_, err := bolt.Open(t.Context(), path, &bolt.Options{LockTimeout: -1})
	assert.ErrorContains(t, err, "another store has the file open")

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = bolt.Open(ctx, path, &bolt.Options{LockTimeout: time.Hour})
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	opened := make(chan error)
	go func() {
		second, err := bolt.Open(t.Context(), path, &bolt.Options{LockTimeout: time.Hour})
		if err == nil {
			err = second.Close()
		}
		opened <- err
	}()
	require.NoError(t, first.Close())
	assert.NoError(t, <-opened)
}

// edit changes the file behind the store's back.
func edit(t *testing.T, path string, do func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(do))
	require.NoError(t, db.Close())
}

func TestOtherFormatsRefused(t *testing.T) {
	for want, version := range map[string][]byte{
		"format version 7, this program knows version 1": binary.BigEndian.AppendUint64(nil, 7),
		"damaged or another program's":                   {1},
	} {
		path := newPath(t)
		require.NoError(t, open(t, path).Close())
		edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), version) })
		_, err := bolt.Open(t.Context(), path, nil)
		assert.ErrorContains(t, err, want)
	}
}

func TestDamageIsAnError(t *testing.T) {
	key := []byte("\x00thing\x00a")
	for name, damage := range map[string]func(*bbolt.Tx) error{
		"record cut":  func(tx *bbolt.Tx) error { return tx.Bucket([]byte("record")).Put(key, []byte{2}) },
		"record gone": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("record")).Delete(key) },
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			s := open(t, path)
			r := thing("a")
			r.Name = "name"
			require.NoError(t, s.Apply(t.Context(), storage.Create(r)))
			require.NoError(t, s.Close())
			edit(t, path, damage)
			s = open(t, path)
			for _, q := range []storage.Query{{Kind: "thing"}, {Kind: "thing", Name: "name"}} {
				_, err := s.List(t.Context(), q)
				assert.ErrorContains(t, err, "the stored record is damaged")
				assert.NotErrorIs(t, err, storage.ErrNotFound)
			}
		})
	}
}

// A walk through one kind leaps over the others, in whatever order kinds and tenants come.
func TestWalkThroughOneKind(t *testing.T) {
	s := open(t, newPath(t))
	want := []string{}
	for _, tenant := range []string{"", "a", "a\x01", "a\xff", "b"} {
		for _, kind := range []string{"a", "k", "k\x01", "kk", "z"} {
			r := storage.Record{Key: storage.Key{Tenant: tenant, Kind: kind, ID: "i"}, Revision: 1}
			require.NoError(t, s.Apply(t.Context(), storage.Create(r)))
		}
		want = append(want, tenant)
	}
	for _, limit := range []int{1, 2, 100} {
		got := []string{}
		q := storage.Query{Everywhere: true, Kind: "k", Limit: limit}
		for more := true; more; more = q.After != "" {
			page, err := s.List(t.Context(), q)
			require.NoError(t, err)
			for _, r := range page.Records {
				assert.Equal(t, "k", r.Kind)
				got = append(got, r.Tenant)
			}
			q.After = page.Next
		}
		assert.Equal(t, want, got, "limit %d", limit)
	}
}
