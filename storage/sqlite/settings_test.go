package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

func open(t *testing.T, path string, opts *sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "hub.db") }

func record(id string) storage.Record {
	return storage.Record{Key: storage.Key{Kind: "thing", ID: id}, Revision: 1}
}

// Pragmas belong to a connection: each of a pool must have them.
func TestSettingsOfEveryConnection(t *testing.T) {
	const readers = 7
	s := open(t, newPath(t), &sqlite.Options{Readers: readers})
	reader, writer := s.Pools()
	common := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "checkpoint_fullfsync": "1",
		"foreign_keys": "1", "trusted_schema": "0", "busy_timeout": "100",
	}
	for range 2 {
		verify(t, writer, 1, common, map[string]string{"query_only": "0"})
		verify(t, reader, readers, common, map[string]string{"query_only": "1"})
		assert.Equal(t, readers, reader.Stats().OpenConnections, "connections stay open")
	}
	// A defensive connection cannot be talked into damaging its file.
	_, err := writer.ExecContext(t.Context(), "PRAGMA writable_schema = ON")
	require.NoError(t, err)
	verify(t, writer, 1, map[string]string{"writable_schema": "0"})
}

// verify takes all connections of the pool at once.
func verify(t *testing.T, pool *sql.DB, size int, settings ...map[string]string) {
	assert.Equal(t, size, pool.Stats().MaxOpenConnections)
	for range size {
		conn, err := pool.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for _, group := range settings {
			for pragma, want := range group {
				var is string
				require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&is))
				assert.Equal(t, want, is, pragma)
			}
		}
	}
}

func TestDriverIsRecentEnough(t *testing.T) {
	s := open(t, newPath(t), nil)
	_, writer := s.Pools()
	var is string
	require.NoError(t, writer.QueryRowContext(t.Context(), "SELECT sqlite_version()").Scan(&is))
	assert.Equal(t, "3.53.4", is)
}

func TestOptionsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		opts *sqlite.Options
		want string
	}{
		"empty path":       {"", nil, "the path is empty"},
		"NUL in the path":  {"a\x00b", nil, "the path holds a NUL byte"},
		"negative Readers": {newPath(t), &sqlite.Options{Readers: -1}, "Options.Readers is negative"},
		"odd TablePrefix":  {newPath(t), &sqlite.Options{TablePrefix: "x; DROP"}, "Options.TablePrefix does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlite.Open(t.Context(), c.path, c.opts)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := newPath(t)
	stores := make([]*sqlite.Store, 8)
	errs := make([]error, len(stores))
	var opening sync.WaitGroup
	for i := range stores {
		opening.Go(func() { stores[i], errs[i] = sqlite.Open(t.Context(), path, nil) })
	}
	opening.Wait()
	for i, s := range stores {
		require.NoError(t, errs[i])
		require.NoError(t, s.Close())
	}
}

// held lets another connection hold the write lock of the file until release is called.
func held(t *testing.T, path string) (release func()) {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	return func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		assert.NoError(t, err)
		assert.NoError(t, conn.Close())
		assert.NoError(t, db.Close())
	}
}

func TestWaitingForTheLockOfAnother(t *testing.T) {
	path := newPath(t)
	patient := open(t, path, &sqlite.Options{BusyTimeout: time.Hour})
	hasty := open(t, path, &sqlite.Options{BusyTimeout: -1})
	require.NoError(t, patient.Apply(t.Context(), storage.Create(record("a"))))
	release := held(t, path)

	err := hasty.Apply(t.Context(), storage.Create(record("b")))
	assert.ErrorContains(t, err, "database is locked")

	// Longer than SQLite waits by itself, so that it is the store that goes on waiting.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = patient.Apply(ctx, storage.Create(record("b")))
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = patient.Get(t.Context(), record("a").Key)
	assert.NoError(t, err, "a reader waits for no writer")

	done := make(chan error)
	go func() { done <- patient.Apply(t.Context(), storage.Create(record("b"))) }()
	release()
	assert.NoError(t, <-done)
}

func TestCloseTwiceAtOnce(t *testing.T) {
	s, err := sqlite.Open(t.Context(), newPath(t), nil)
	require.NoError(t, err)
	var closing sync.WaitGroup
	for range 4 {
		closing.Go(func() { assert.NoError(t, s.Close()) })
	}
	closing.Wait()
}

func TestOpenWithEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sqlite.Open(ctx, newPath(t), nil)
	assert.ErrorIs(t, err, context.Canceled)
}
