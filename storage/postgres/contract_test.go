package postgres_test

import (
	"database/sql"
	"fmt"
	"hash/fnv"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlstore"
	"github.com/integrationhub/hub/storage/storagetest"
)

// prefix returns a table prefix for a name.
func prefix(name string) string {
	h := fnv.New64()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("p%x_", h.Sum64())
}

func TestContract(t *testing.T) {
	server := dbtest.Postgres(t)
	openIn := func(t *testing.T, dir string) storage.Store {
		s, err := postgres.Open(t.Context(), server.DSN(), &postgres.Options{TablePrefix: prefix(dir)})
		require.NoError(t, err)
		return s
	}
	t.Run("alone", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store { return openIn(t, t.Name()) })
	})
	t.Run("across openings", func(t *testing.T) { storagetest.RunPersistent(t, openIn) })
	t.Run("two at once", func(t *testing.T) { storagetest.RunShared(t, openIn) })
	t.Run("pool of one connection", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store {
			db := hostPool(t, server)
			db.SetMaxOpenConns(1)
			s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL(), &sqlstore.Options{TablePrefix: prefix(t.Name())})
			require.NoError(t, err)
			return s
		})
	})
}

// hostPool is a pool as a host application might have opened it.
func hostPool(t *testing.T, server *dbtest.Server) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", server.DSN())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}
