package histories_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlite"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// database is one that package sqlstore has a dialect for.
type database struct {
	name    string
	dialect sqlstore.Dialect
	pool    func() *sql.DB // one more
}

// TestStores is about what holds between stores of different kinds, with one server for each
// of those that need one.
func TestStores(t *testing.T) {
	pg, maria := dbtest.Postgres(t), dbtest.MariaDB(t)
	file := filepath.Join(t.TempDir(), "steps.db")
	pool := func(driver, dsn string) func() *sql.DB {
		return func() *sql.DB {
			db, err := sql.Open(driver, dsn)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, db.Close()) })
			return db
		}
	}
	mariadb := database{"MariaDB", sqlstore.MySQL(), pool("mysql", maria.DSN())}
	t.Run("copy", func(t *testing.T) { copyThroughAll(t, pg.DSN(), mariadb) })
	for _, d := range []database{
		{"SQLite", sqlstore.SQLite(), pool("sqlite", "file:"+file+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")},
		{"PostgreSQL", sqlstore.PostgreSQL(), pool("pgx", pg.DSN())},
		mariadb,
	} {
		t.Run("steps of "+d.name, func(t *testing.T) { takeSteps(t, d) })
	}
}

// copyThroughAll copies from store to store, and at the end has what it began with.
func copyThroughAll(t *testing.T, dsn string, mariadb database) {
	first := memory.New()
	fillWithOddities(t, first)
	want, err := storage.Sum(t.Context(), first)
	require.NoError(t, err)
	require.Greater(t, want.Records, int64(400))

	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hub.db"), nil)
	require.NoError(t, err)
	tree, err := bolt.Open(t.Context(), filepath.Join(t.TempDir(), "hub.bolt"), nil)
	require.NoError(t, err)
	pg, err := postgres.Open(t.Context(), dsn, nil)
	require.NoError(t, err)
	maria, err := sqlstore.New(t.Context(), mariadb.pool(), mariadb.dialect, nil)
	require.NoError(t, err)

	from := storage.Store(first)
	for _, to := range []storage.Store{file, tree, pg, maria, memory.New()} {
		sum, err := storage.Copy(t.Context(), to, from, nil)
		require.NoError(t, err, "%T to %T", from, to)
		assert.Equal(t, want, sum, "%T to %T", from, to)
		read, err := storage.Sum(t.Context(), to)
		require.NoError(t, err)
		assert.Equal(t, want, read, "%T", to)
		require.NoError(t, from.Close())
		from = to
	}
	require.NoError(t, from.Close())
}

// oddities are texts that some database folds, trims, escapes, cuts or cannot show.
var oddities = []string{
	"", "a", "A", "a ", " a", "á", "a\u0301", "ß", "ss", "İ", "i̇", "ſ", "\u200b", "\u202e", "😀", "\ufeff", "\uffff",
	"\xff", "\xc3\x28", "\xed\xa0\x80", "\r\n", "\t", "\x01", "\x7f", "%", "_", "\\", "\\0", "'", "''", `"`, "`", "?", "$1", ":p",
	"{p}", "--", ";", "NULL", "0", "00", "1e3", strings.Repeat("x", 255), strings.Repeat("😀", 63),
}

// fillWithOddities saves the oddities in each place of a record, and large and small data.
func fillWithOddities(t *testing.T, s storage.Store) {
	t.Helper()
	for n, odd := range oddities {
		var changes []storage.Change
		for i := range 10 {
			r := storage.Record{
				Key:    storage.Key{Tenant: oddities[(n+i)%len(oddities)], Kind: "k" + odd[:min(len(odd), 250)], ID: fmt.Sprintf("%d%.240s", i, odd)},
				Parent: odd, Search: odd + strings.Repeat("s", i*80), Revision: int64(n+1) << (i * 5),
				Updated: time.Date(1+n*200, 1, 1, 0, 0, 0, (i+1)*1000, time.UTC),
				Data:    bytes.Repeat([]byte(odd+"\x00"), i*i),
			}
			if i%2 == 0 {
				r.Name = fmt.Sprintf("%.240s %d", odd, i)
			}
			for l := range i {
				r.Labels = append(r.Labels, storage.Label{Key: oddities[(n+l)%len(oddities)], Value: odd})
			}
			changes = append(changes, storage.Create(r))
		}
		require.NoError(t, s.Apply(t.Context(), changes...))
	}
	large := storage.Record{Key: storage.Key{Kind: "large", ID: "1"}, Revision: 1, Data: make([]byte, storage.MaxData)}
	for i := range large.Data {
		large.Data[i] = byte(i * i >> 7)
	}
	require.NoError(t, s.Apply(t.Context(), storage.Create(large)))
}
