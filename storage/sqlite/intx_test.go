package sqlite_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/storagetest"
)

// ownTransaction is a store in a transaction that ends with it.
type ownTransaction struct {
	storage.Store
	tx *sql.Tx
}

func (o ownTransaction) Close() error {
	_ = o.tx.Rollback() // it is over, the second time
	return o.Store.Close()
}

// In a transaction of the host's a store keeps the whole contract, but for what only the
// commit brings.
func TestContractInATransaction(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		db := hostPool(t, newPath(t), safe...)
		s := newHostStore(t, db)
		tx, err := db.Begin()
		require.NoError(t, err)
		return ownTransaction{s.InTx(tx), tx}
	})
}

func TestTransactionOfTheHost(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	s := newHostStore(t, db)
	_, err := db.Exec("CREATE TABLE host_rows (id INTEGER PRIMARY KEY)")
	require.NoError(t, err)
	for n, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx, err := db.Begin()
		require.NoError(t, err)
		in := s.InTx(tx)
		_, err = tx.Exec("INSERT INTO host_rows VALUES (?)", n)
		require.NoError(t, err)
		require.NoError(t, in.Apply(t.Context(), storage.Create(record("a"))))
		_, err = s.Get(t.Context(), record("a").Key)
		require.ErrorIs(t, err, storage.ErrNotFound, "others do not see it")
		require.NoError(t, end(tx))
		assert.ErrorIs(t, in.Apply(t.Context(), storage.Create(record("b"))), storage.ErrClosed)

		var rows int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM host_rows").Scan(&rows))
		page, err := s.List(t.Context(), storage.Query{Kind: "thing"})
		require.NoError(t, err)
		assert.Equal(t, n, rows)
		assert.Len(t, page.Records, n)
	}
}

func TestUnsafeTransactionRefused(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	s := newHostStore(t, db)
	unsafe := hostPool(t, newPath(t), "journal_mode(wal)", "synchronous(off)")
	tx, err := unsafe.Begin()
	require.NoError(t, err)
	defer func() { assert.NoError(t, tx.Rollback()) }()
	assert.ErrorContains(t, s.InTx(tx).Apply(context.Background(), storage.Create(record("a"))), "synchronous")
}
