package mariadb_test

import (
	"database/sql"
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
	"github.com/integrationhub/hub/storage/storagetest"
)

// hostPool is a pool as a host application might have opened it. Parameters follow the DSN.
func hostPool(t *testing.T, server *dbtest.Server, parameters string) *sql.DB {
	t.Helper()
	config, err := mysql.ParseDSN(server.DSN() + parameters)
	require.NoError(t, err)
	config.Logger = &mysql.NopLogger{} // connections are meant to break
	connector, err := mysql.NewConnector(config)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

// hostPoolAs is a pool of another user.
func hostPoolAs(t *testing.T, server *dbtest.Server, user, password string) *sql.DB {
	t.Helper()
	config, err := mysql.ParseDSN(server.DSN())
	require.NoError(t, err)
	config.User, config.Passwd = user, password
	connector, err := mysql.NewConnector(config)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func newStore(t *testing.T, db *sql.DB, opts *sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(t.Context(), db, sqlstore.MySQL(), opts)
	require.NoError(t, err)
	return s
}

// named returns the options of a store whose tables nobody else has.
func named(name string) *sqlstore.Options {
	h := fnv.New64()
	_, _ = h.Write([]byte(name))
	return &sqlstore.Options{TablePrefix: fmt.Sprintf("p%x_", h.Sum64())}
}

func TestContract(t *testing.T) {
	server := dbtest.MariaDB(t)
	openIn := func(t *testing.T, dir string) storage.Store {
		return newStore(t, hostPool(t, server, ""), named(dir))
	}
	t.Run("alone", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store { return openIn(t, t.Name()) })
	})
	t.Run("across openings", func(t *testing.T) { storagetest.RunPersistent(t, openIn) })
	t.Run("two at once", func(t *testing.T) { storagetest.RunShared(t, openIn) })
	t.Run("pool of one connection, values written by the client", func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.Store {
			db := hostPool(t, server, "?interpolateParams=true")
			db.SetMaxOpenConns(1)
			return newStore(t, db, named(t.Name()))
		})
	})
}
