package mariadb_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func record(id string) storage.Record {
	return storage.Record{Key: storage.Key{Kind: "thing", ID: id}, Revision: 1}
}

func exec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), text)
	require.NoError(t, err)
}

func TestHosts(t *testing.T) {
	server := dbtest.MariaDB(t)
	for name, test := range map[string]func(*testing.T, *dbtest.Server){
		"unsafe connections refused":      refuseConnections,
		"unsafe servers refused":          refuseServers,
		"schemas apart":                   keepSchemasApart,
		"newer tables refused":            refuseNewerTables,
		"interrupted making of tables":    finishTables,
		"many make the tables at once":    makeTablesTogether,
		"revoked permission":              revokePermission,
		"in the host's transaction":       joinTransaction,
		"connections that died meanwhile": replaceConnections,
		"plans":                           readIndexes,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

func refuseConnections(t *testing.T, server *dbtest.Server) {
	for parameters, want := range map[string]string{
		"?sql_mode=''":  "no strict sql_mode",
		"?autocommit=0": "autocommit",
	} {
		_, err := sqlstore.New(t.Context(), hostPool(t, server, parameters), sqlstore.MySQL(), named(t.Name()))
		assert.ErrorContains(t, err, want)
	}
}

func refuseServers(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	s := newStore(t, db, named(t.Name()))
	exec(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
	assert.ErrorContains(t, s.Apply(t.Context(), storage.Create(record("a"))), "innodb_flush_log_at_trx_commit")
	exec(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
	assert.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
}

func keepSchemasApart(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	exec(t, db, "CREATE DATABASE `select`")
	opts := named(t.Name())
	a := newStore(t, db, opts)
	b := newStore(t, db, &sqlstore.Options{TablePrefix: opts.TablePrefix, Schema: "select"})
	require.NoError(t, a.Apply(t.Context(), storage.Create(record("a"))))
	_, err := b.Get(t.Context(), record("a").Key)
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

func refuseNewerTables(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	opts := named(t.Name())
	newStore(t, db, opts)
	exec(t, db, "UPDATE "+opts.TablePrefix+"schema SET version = 7")
	_, err := sqlstore.New(t.Context(), db, sqlstore.MySQL(), opts)
	assert.ErrorContains(t, err, "schema version 7, this program knows versions up to 1")
}

// Each statement that changes tables commits by itself, so that a crash can come between.
func finishTables(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	opts := named(t.Name())
	newStore(t, db, opts)
	for _, undo := range []string{"DELETE FROM %sschema", "DROP TABLE %slabels", "DROP TABLE %srecords"} {
		exec(t, db, "DELETE FROM "+opts.TablePrefix+"schema")
		if undo[:4] == "DROP" {
			exec(t, db, undo[:len("DROP TABLE ")]+opts.TablePrefix+undo[len("DROP TABLE %s"):])
		}
		s := newStore(t, db, opts)
		require.NoError(t, s.Apply(t.Context(), storage.Create(record(undo))))
	}
}

func makeTablesTogether(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	opts := named(t.Name())
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := sqlstore.New(t.Context(), db, sqlstore.MySQL(), opts)
			errs <- err
		}()
	}
	for range 8 {
		assert.NoError(t, <-errs)
	}
}

// A user who may only read has a store that reads, and says why it does not write.
func revokePermission(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server, "")
	opts := named(t.Name())
	require.NoError(t, newStore(t, db, opts).Apply(t.Context(), storage.Create(record("a"))))
	exec(t, db, "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret'")
	exec(t, db, "GRANT SELECT ON hub.* TO reader@'127.0.0.1'")
	limited := hostPoolAs(t, server, "reader", "secret")
	s := newStore(t, limited, opts)
	_, err := s.Get(t.Context(), record("a").Key)
	require.NoError(t, err)
	assert.ErrorContains(t, s.Apply(t.Context(), storage.Create(record("b"))), "denied")
	exec(t, db, "GRANT ALL ON hub.* TO reader@'127.0.0.1'")
	limited.SetMaxIdleConns(0) // a connection keeps the permissions it began with
	assert.NoError(t, s.Apply(t.Context(), storage.Create(record("b"))))
}

// Idle connections do not know yet that the server was started again.
func replaceConnections(t *testing.T, server *dbtest.Server) {
	const size = 4
	db := hostPool(t, server, "?checkConnLiveness=false") // the driver would find out
	db.SetMaxIdleConns(size)
	s := newStore(t, db, named(t.Name()))
	fill := func() {
		for range size {
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer conn.Close()
		}
		server.Kill()
		server.Start()
	}
	fill()
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
	fill()
	_, err := s.Get(t.Context(), record("a").Key)
	require.NoError(t, err)
	fill()
	_, err = s.List(t.Context(), storage.Query{Kind: "thing"})
	require.NoError(t, err)
}
