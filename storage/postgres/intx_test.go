package postgres_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func hostStore(t *testing.T, db *sql.DB) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL(), &sqlstore.Options{TablePrefix: fresh(t).TablePrefix})
	require.NoError(t, err)
	return s
}

// Definitions come and go with the host's own rows.
func joinTransaction(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server)
	s := hostStore(t, db)
	run(t, db, "CREATE TABLE host_rows (id INTEGER PRIMARY KEY)")
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("there"))))
	for n, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		in := s.InTx(tx)
		_, err = tx.Exec("INSERT INTO host_rows VALUES ($1)", n)
		require.NoError(t, err)
		require.NoError(t, in.Apply(t.Context(), storage.Create(record("a"))))
		err = in.Apply(t.Context(), storage.Create(record("b")), storage.Create(record("there")))
		require.ErrorIs(t, err, storage.ErrExists)
		_, err = in.Get(t.Context(), record("b").Key)
		require.ErrorIs(t, err, storage.ErrNotFound, "a failed Apply leaves nothing")
		_, err = in.Get(t.Context(), record("a").Key)
		require.NoError(t, err, "the transaction sees its own changes")
		_, err = s.Get(t.Context(), record("a").Key)
		require.ErrorIs(t, err, storage.ErrNotFound, "others do not")
		require.NoError(t, end(tx))

		var rows int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM host_rows").Scan(&rows))
		page, err := s.List(t.Context(), storage.Query{Kind: "thing"})
		require.NoError(t, err)
		assert.Equal(t, n, rows)
		assert.Len(t, page.Records, 1+n)
	}
}

func endTransaction(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server)
	s := hostStore(t, db)
	begin := func() (*sql.Tx, storage.Store) {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		return tx, s.InTx(tx)
	}
	refuse := func(in storage.Store, want error) {
		t.Helper()
		_, err := in.Get(t.Context(), record("a").Key)
		assert.ErrorIs(t, err, want)
		_, err = in.List(t.Context(), storage.Query{Kind: "thing"})
		assert.ErrorIs(t, err, want)
		assert.ErrorIs(t, in.Apply(t.Context(), storage.Create(record("a"))), want)
	}
	tx, in := begin()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, in.Apply(ended, storage.Create(record("a"))), context.Canceled)
	assert.NoError(t, in.Apply(t.Context(), storage.Create(record("kept"))), "a ctx that had ended harms nothing")
	require.NoError(t, in.Close())
	require.NoError(t, in.Close())
	refuse(in, storage.ErrClosed)
	require.NoError(t, tx.Commit(), "the transaction is the host's")
	_, err := s.Get(t.Context(), record("kept").Key)
	require.NoError(t, err)

	tx, in = begin()
	require.NoError(t, tx.Rollback())
	refuse(in, storage.ErrClosed)

	tx, in = begin()
	require.NoError(t, s.Close())
	refuse(in, storage.ErrClosed)
	require.NoError(t, tx.Rollback())
}
