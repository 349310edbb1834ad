package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// unreachable is a database that nobody can connect to.
type unreachable struct{}

var errUnreachable = errors.New("no route to the database")

func (unreachable) Connect(context.Context) (driver.Conn, error) { return nil, errUnreachable }
func (unreachable) Driver() driver.Driver                        { return nil }

func TestNewRefuses(t *testing.T) {
	db := sql.OpenDB(unreachable{})
	defer db.Close()
	for name, c := range map[string]struct {
		db      *sql.DB
		dialect sqlstore.Dialect
		opts    *sqlstore.Options
		want    string
	}{
		"no pool":          {nil, sqlstore.SQLite(), nil, "db is nil"},
		"no dialect":       {db, sqlstore.Dialect{}, nil, "dialect is the zero Dialect"},
		"capital prefix":   {db, sqlstore.SQLite(), &sqlstore.Options{TablePrefix: "Hub"}, "Options.TablePrefix does not match"},
		"quote in prefix":  {db, sqlstore.SQLite(), &sqlstore.Options{TablePrefix: `a"b`}, "Options.TablePrefix does not match"},
		"line in prefix":   {db, sqlstore.SQLite(), &sqlstore.Options{TablePrefix: "a\n"}, "Options.TablePrefix does not match"},
		"long prefix":      {db, sqlstore.SQLite(), &sqlstore.Options{TablePrefix: strings.Repeat("a", 33)}, "Options.TablePrefix does not match"},
		"schema of SQLite": {db, sqlstore.SQLite(), &sqlstore.Options{Schema: "main"}, "SQLite has no schemas"},
		"quote in schema":  {db, sqlstore.PostgreSQL(), &sqlstore.Options{Schema: `a"b`}, "Options.Schema does not match"},
		"no connection":    {db, sqlstore.SQLite(), nil, "no route to the database"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.New(t.Context(), c.db, c.dialect, c.opts)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestEndedContextInItsOwnWords(t *testing.T) {
	db := sql.OpenDB(unreachable{})
	defer db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sqlstore.New(ctx, db, sqlstore.SQLite(), nil)
	assert.ErrorIs(t, err, context.Canceled)
}

// Placeholders are numbered through the whole statement, and no value is in its text.
func TestStatementsKeepValuesApart(t *testing.T) {
	const value = "canary' OR 1=1 --"
	q := storage.Query{Tenant: value, Kind: value, Parent: value, Prefix: value, Labels: []storage.Label{
		{Key: value, Value: "1"}, {Key: value, Value: "2"}, {Key: "x", Value: value},
	}}
	for _, q.Name = range []string{"", value} {
		text, args, err := sqlstore.Selection(q)
		require.NoError(t, err)
		assert.NotContains(t, text, "canary")
		assert.NotContains(t, text, "?")
		assert.NotContains(t, text, "{")
		var numbers []string
		for _, marker := range placeholder.FindAllStringSubmatch(text, -1) {
			numbers = append(numbers, marker[1])
		}
		var want []string
		for n := range args {
			want = append(want, strconv.Itoa(n+1))
		}
		assert.Equal(t, want, numbers)
	}
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

func TestSelectionRefusesForeignCursor(t *testing.T) {
	_, _, err := sqlstore.Selection(storage.Query{Kind: "k", After: "x"})
	assert.ErrorIs(t, err, storage.ErrInvalid)
}
