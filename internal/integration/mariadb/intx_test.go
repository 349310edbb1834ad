package mariadb_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
)

// Definitions come and go with the host's own rows.
func joinTransaction(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	s := newStore(t, db, named(t.Name()))
	exec(t, db, "CREATE TABLE host_rows (id INTEGER PRIMARY KEY) ENGINE=InnoDB")
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("there"))))
	for n, end := range []string{"rollback", "commit"} {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		in := s.InTx(tx)
		_, err = tx.Exec("INSERT INTO host_rows VALUES (?)", n)
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
		if end == "commit" {
			require.NoError(t, tx.Commit())
		} else {
			require.NoError(t, tx.Rollback())
		}
		assert.ErrorIs(t, in.Apply(t.Context(), storage.Create(record("c"))), storage.ErrClosed)

		var rows int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM host_rows").Scan(&rows))
		page, err := s.List(context.Background(), storage.Query{Kind: "thing"})
		require.NoError(t, err)
		assert.Equal(t, n, rows)
		assert.Len(t, page.Records, 1+n)
	}
}
