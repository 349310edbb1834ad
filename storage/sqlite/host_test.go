package sqlite_test

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
	"github.com/integrationhub/hub/storage/storagetest"
)

// hostPool is a pool as a host application might have opened it.
func hostPool(t *testing.T, path string, pragmas ...string) *sql.DB {
	db, err := sql.Open("sqlite", dsn(path, pragmas...))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func dsn(path string, pragmas ...string) string {
	return "file://" + path + "?" + url.Values{"_pragma": pragmas}.Encode()
}

var safe = []string{"journal_mode(wal)", "synchronous(full)"}

func newHostStore(t *testing.T, db *sql.DB) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
	require.NoError(t, err)
	return s
}

// A pool of one connection: no call may need a second while it holds the first.
func TestContractOnAHostsPool(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		db := hostPool(t, newPath(t), safe...)
		db.SetMaxOpenConns(1)
		return newHostStore(t, db)
	})
}

func TestUnsafeSettingsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		pragmas []string
		want    string
	}{
		"no WAL":             {[]string{"synchronous(full)"}, `journal_mode = "delete"`},
		"no journal":         {[]string{"journal_mode(off)", "synchronous(full)"}, `journal_mode = "off"`},
		"synchronous normal": {[]string{"journal_mode(wal)", "synchronous(normal)"}, `synchronous = "1"`},
		"synchronous off":    {[]string{"journal_mode(wal)", "synchronous(off)"}, `synchronous = "0"`},
		"query only":         {append([]string{"query_only(1)"}, safe...), `query_only = "1"`},
	} {
		t.Run(name, func(t *testing.T) {
			db := hostPool(t, newPath(t), c.pragmas...)
			_, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "a store needs")
		})
	}
}

// A pool opens connections at any time, and any of them may lack a setting.
func TestUnsafeConnectionRefusedLater(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	db.SetMaxOpenConns(1)
	s := newHostStore(t, db)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
	_, err := db.Exec("PRAGMA synchronous = OFF")
	require.NoError(t, err)
	err = s.Apply(t.Context(), storage.Create(record("b")))
	assert.ErrorContains(t, err, "synchronous")
	_, err = s.Get(t.Context(), record("b").Key)
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

func TestNewerSchemaRefused(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	s := newHostStore(t, db)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
	_, err := db.Exec("UPDATE hub_schema SET version = 7")
	require.NoError(t, err)
	_, err = sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
	assert.ErrorContains(t, err, "schema version 7, this program knows versions up to 1")
	_, err = db.Exec("UPDATE hub_schema SET version = 1")
	require.NoError(t, err)
	_, err = newHostStore(t, db).Get(t.Context(), record("a").Key)
	assert.NoError(t, err)
}

func TestHalfMadeSchemaLeavesNothing(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	_, err := db.Exec("CREATE TABLE hub_labels (other TEXT)")
	require.NoError(t, err)
	_, err = sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
	require.ErrorContains(t, err, "bring the schema to version 1")
	var tables int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'").Scan(&tables))
	assert.Equal(t, 1, tables)
}

func TestPrefixesKeepStoresApart(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	a := newHostStore(t, db)
	b, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), &sqlstore.Options{TablePrefix: "other_"})
	require.NoError(t, err)
	require.NoError(t, a.Apply(t.Context(), storage.Create(record("a"))))
	_, err = b.Get(t.Context(), record("a").Key)
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

func TestCloseLeavesThePoolToTheHost(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	require.NoError(t, newHostStore(t, db).Close())
	assert.NoError(t, db.Ping())
}

func TestDamagedLabelsAreAnError(t *testing.T) {
	db := hostPool(t, newPath(t), safe...)
	s := newHostStore(t, db)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
	_, err := db.Exec("UPDATE hub_records SET labels = x'ff'")
	require.NoError(t, err)
	_, err = s.Get(t.Context(), record("a").Key)
	assert.ErrorContains(t, err, "labels are damaged")
}

// Every listing is one statement, reads an index in the order of the page, and sorts
// nothing.
func TestListingsReadAnIndexInOrder(t *testing.T) {
	script, db := newScripted(t)
	s := newHostStore(t, db)
	for i := range 10 {
		r := record(strings.Repeat("i", i+1))
		r.Labels = []storage.Label{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}
		r.Search = "p" + r.ID
		require.NoError(t, s.Apply(t.Context(), storage.Create(r)))
	}
	one := []storage.Label{{Key: "a", Value: "1"}}
	two := append([]storage.Label{{Key: "b", Value: "2"}}, one...)
	for name, c := range map[string]struct {
		query storage.Query
		uses  string
	}{
		"all":            {storage.Query{Kind: "thing"}, "hub_records_search (tenant=? AND kind=? AND parent=?"},
		"prefix":         {storage.Query{Kind: "thing", Prefix: "p"}, "hub_records_search (tenant=? AND kind=? AND parent=? AND search>? AND search<?"},
		"name":           {storage.Query{Kind: "thing", Name: "n"}, "hub_records_name (tenant=? AND kind=? AND parent=? AND name=?)"},
		"label":          {storage.Query{Kind: "thing", Labels: one}, "PRIMARY KEY (tenant=? AND kind=? AND parent=? AND label_key=? AND label_value=?"},
		"label, prefix":  {storage.Query{Kind: "thing", Labels: one, Prefix: "p"}, "label_value=? AND search>? AND search<?"},
		"labels, prefix": {storage.Query{Kind: "thing", Labels: two, Prefix: "p"}, "label_value=? AND search>? AND search<?"},
		"everywhere":     {storage.Query{Everywhere: true}, "INDEX sqlite_autoindex_hub_records_1"},
		"of a kind":      {storage.Query{Everywhere: true, Kind: "thing"}, "INDEX sqlite_autoindex_hub_records_1"},
	} {
		t.Run(name, func(t *testing.T) {
			c.query.Limit = 3
			for range 2 { // the first page, and one after a cursor
				script.forget()
				page, err := s.List(t.Context(), c.query)
				require.NoError(t, err)
				queries := script.forget()
				require.Len(t, queries, 1)
				plan := explain(t, db, queries[0])
				assert.NotContains(t, plan, "TEMP B-TREE")
				assert.Contains(t, plan, c.uses)
				if !c.query.Everywhere {
					assert.NotContains(t, plan, "SCAN hub")
					assert.NotContains(t, plan, "SCAN r")
					assert.NotContains(t, plan, "SCAN l")
				}
				if c.query.After = page.Next; page.Next == "" {
					break
				}
				c.uses = strings.Replace(c.uses, "search>?", "(search,id)>(?,?)", 1)
			}
		})
	}
}

func explain(t *testing.T, db *sql.DB, q query) string {
	var args []any
	for _, a := range q.args {
		args = append(args, a.Value)
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+q.text, args...)
	require.NoError(t, err)
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan.WriteString(detail + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}
