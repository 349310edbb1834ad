package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func TestHosts(t *testing.T) {
	server := dbtest.Postgres(t)
	for name, test := range map[string]func(*testing.T, *dbtest.Server){
		"unsafe connections refused":      refuseConnections,
		"unsafe servers refused":          refuseServers,
		"simple protocol refused":         refuseSimpleProtocol,
		"schemas apart":                   keepSchemasApart,
		"newer tables refused":            refuseNewerTables,
		"half-made tables leave nothing":  leaveNothing,
		"many make the tables at once":    makeTablesTogether,
		"revoked permission":              revokePermission,
		"in the host's transaction":       joinTransaction,
		"ended transaction":               endTransaction,
		"connections that died meanwhile": replaceConnections,
		"opposite order":                  applyInOppositeOrder,
		"Close leaves the host's pool":    leavePool,
		"plans":                           readIndexes,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

func run(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), text, args...)
	require.NoError(t, err)
}

// with returns the server's DSN with one more parameter.
func with(t *testing.T, server *dbtest.Server, name, value string) string {
	t.Helper()
	u, err := url.Parse(server.DSN())
	require.NoError(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func refuseConnections(t *testing.T, server *dbtest.Server) {
	_, err := postgres.Open(t.Context(), with(t, server, "synchronous_commit", "off"), fresh(t))
	assert.ErrorContains(t, err, "synchronous_commit")
	s, err := postgres.Open(t.Context(), with(t, server, "default_transaction_read_only", "on"), fresh(t))
	require.NoError(t, err, "transactions say themselves that they write")
	assert.NoError(t, s.Close())
}

func refuseServers(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server)
	for _, value := range []string{"off", "on"} {
		run(t, db, "ALTER SYSTEM SET full_page_writes = "+value)
		run(t, db, "SELECT pg_reload_conf()")
		require.Eventually(t, func() bool {
			var is string
			return db.QueryRow("SHOW full_page_writes").Scan(&is) == nil && is == value
		}, time.Minute, 10*time.Millisecond)
		s, err := postgres.Open(t.Context(), server.DSN(), fresh(t))
		if value == "on" {
			require.NoError(t, err)
			require.NoError(t, s.Close())
		} else {
			assert.ErrorContains(t, err, "full_page_writes")
		}
	}
}

func refuseSimpleProtocol(t *testing.T, server *dbtest.Server) {
	_, err := postgres.Open(t.Context(), with(t, server, "default_query_exec_mode", "simple_protocol"), fresh(t))
	assert.ErrorContains(t, err, "simple_protocol")
}

func keepSchemasApart(t *testing.T, server *dbtest.Server) {
	run(t, hostPool(t, server), `CREATE SCHEMA "select"`)
	a := open(t, server, fresh(t))
	opts := fresh(t)
	opts.Schema = "select"
	b := open(t, server, opts)
	require.NoError(t, a.Apply(t.Context(), storage.Create(record("a"))))
	_, err := b.Get(t.Context(), record("a").Key)
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

func refuseNewerTables(t *testing.T, server *dbtest.Server) {
	open(t, server, fresh(t))
	run(t, hostPool(t, server), "UPDATE "+fresh(t).TablePrefix+"schema SET version = 7")
	_, err := postgres.Open(t.Context(), server.DSN(), fresh(t))
	assert.ErrorContains(t, err, "schema version 7, this program knows versions up to 1")
}

func leaveNothing(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server)
	p := fresh(t).TablePrefix
	run(t, db, "CREATE TABLE "+p+"labels (other TEXT)")
	_, err := postgres.Open(t.Context(), server.DSN(), fresh(t))
	require.ErrorContains(t, err, "bring the schema to version 1")
	var tables int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM pg_tables WHERE tablename LIKE $1", p+"%").Scan(&tables))
	assert.Equal(t, 1, tables)
}

func makeTablesTogether(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server)
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL(), &sqlstore.Options{TablePrefix: fresh(t).TablePrefix})
			errs <- err
		}()
	}
	for range 8 {
		assert.NoError(t, <-errs)
	}
}

// A user who may only read has a store that reads, and says why it does not write.
func revokePermission(t *testing.T, server *dbtest.Server) {
	db := hostPool(t, server)
	p := fresh(t).TablePrefix
	require.NoError(t, open(t, server, fresh(t)).Apply(t.Context(), storage.Create(record("a"))))
	run(t, db, "CREATE ROLE reader LOGIN PASSWORD 'secret'")
	for _, table := range []string{"records", "labels", "schema"} {
		run(t, db, "GRANT SELECT ON "+p+table+" TO reader")
	}
	u, err := url.Parse(server.DSN())
	require.NoError(t, err)
	u.User = url.UserPassword("reader", "secret")
	s, err := postgres.Open(t.Context(), u.String(), fresh(t))
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Get(t.Context(), record("a").Key)
	require.NoError(t, err)
	assert.ErrorContains(t, s.Apply(t.Context(), storage.Create(record("b"))), "permission denied")
	run(t, db, "GRANT ALL ON "+p+"records, "+p+"labels TO reader")
	assert.NoError(t, s.Apply(t.Context(), storage.Create(record("b"))))
}

// Idle connections do not know yet that the server was started again.
func replaceConnections(t *testing.T, server *dbtest.Server) {
	const size = 4
	config, err := pgx.ParseConfig(server.DSN())
	require.NoError(t, err)
	never := func(context.Context, stdlib.ShouldPingParams) bool { return false } // it would find out
	db := stdlib.OpenDB(*config, stdlib.OptionShouldPing(never))
	defer db.Close()
	db.SetMaxIdleConns(size)
	s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL(), &sqlstore.Options{TablePrefix: fresh(t).TablePrefix})
	require.NoError(t, err)
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
	_, err = s.Get(t.Context(), record("a").Key)
	require.NoError(t, err)
	fill()
	_, err = s.List(t.Context(), storage.Query{Kind: "thing"})
	require.NoError(t, err)
}

// Transactions with the same records in opposite order wait for each other's end and not for
// each other.
func applyInOppositeOrder(t *testing.T, server *dbtest.Server) {
	opts := fresh(t)
	opts.BusyTimeout = -1 // a deadlock would be an error
	s := open(t, server, opts)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a")), storage.Create(record("b"))))
	var writing sync.WaitGroup
	for _, ids := range [][]string{{"a", "b"}, {"b", "a"}, {"a", "b"}, {"b", "a"}} {
		writing.Go(func() {
			for range 50 {
				assert.NoError(t, touch(t.Context(), s, ids))
			}
		})
	}
	writing.Wait()
}

// touch updates the records together, unless another was faster.
func touch(ctx context.Context, s storage.Store, ids []string) error {
	var changes []storage.Change
	for _, id := range ids {
		r, err := s.Get(ctx, record(id).Key)
		if err != nil {
			return err
		}
		r.Revision++
		changes = append(changes, storage.Update(r, r.Revision-1))
	}
	err := s.Apply(ctx, changes...)
	if errors.Is(err, storage.ErrConflict) {
		return nil
	}
	return err
}

func leavePool(t *testing.T, server *dbtest.Server) {
	pool, err := pgxpool.New(t.Context(), server.DSN())
	require.NoError(t, err)
	defer pool.Close()
	s, err := postgres.New(t.Context(), pool, fresh(t))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	assert.NoError(t, pool.Ping(t.Context()))
}

func TestOpenRefuses(t *testing.T) {
	_, err := postgres.New(t.Context(), nil, nil)
	assert.ErrorContains(t, err, "pool is nil")

	const password = "canary"
	for _, dsn := range []string{"postgres://hub:" + password + "@[::1/x", "host=127.0.0.1 password=" + password + " port=x"} {
		_, err := postgres.Open(t.Context(), dsn, nil)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), password)
	}
	_, err = postgres.Open(t.Context(), "postgres://hub:"+password+"@127.0.0.1:1/x", nil)
	require.ErrorContains(t, err, "refused")
	assert.NotContains(t, err.Error(), password)
}
