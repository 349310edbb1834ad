package mariadb_test

import (
	"database/sql"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
)

// No call reads many more rows than it returns, nor sorts, whatever the size of the tables.
func readIndexes(t *testing.T, server *dbtest.Server) {
	const many, page = 3000, 10
	db := hostPool(t, server, "")
	db.SetMaxOpenConns(1) // what is counted belongs to a connection
	s := newStore(t, db, named(t.Name()))
	labels := []storage.Label{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}
	for from := 0; from < many; from += storage.MaxChanges {
		var changes []storage.Change
		for i := from; i < min(many, from+storage.MaxChanges); i++ {
			r := record(fmt.Sprintf("%06d", i))
			r.Name, r.Search, r.Labels = "name "+r.ID, "search "+r.ID, labels
			changes = append(changes, storage.Create(r))
		}
		require.NoError(t, s.Apply(t.Context(), changes...))
	}
	for name, q := range map[string]storage.Query{
		"all":              {Kind: "thing"},
		"prefix":           {Kind: "thing", Prefix: "search 002"},
		"name":             {Kind: "thing", Name: "name 002999"},
		"label":            {Kind: "thing", Labels: labels[:1]},
		"labels":           {Kind: "thing", Labels: labels},
		"label and prefix": {Kind: "thing", Labels: labels[:1], Prefix: "search 002"},
		"everywhere":       {Everywhere: true},
		"of a kind":        {Everywhere: true, Kind: "thing"},
	} {
		t.Run(name, func(t *testing.T) {
			q.Limit = page
			for range 3 {
				before := rowsRead(t, db)
				got, err := s.List(t.Context(), q)
				require.NoError(t, err)
				assert.NotEmpty(t, got.Records)
				// A row of an index, its record, and two for the labels of each; the counting itself.
				assert.Less(t, rowsRead(t, db)-before, 8*page)
				if q.After = got.Next; q.After == "" {
					break
				}
			}
		})
	}
	t.Run("several changes", func(t *testing.T) {
		before := rowsRead(t, db)
		var changes []storage.Change
		for _, id := range []string{"002000", "001000", "000500"} {
			r := record(id)
			r.Revision = 2
			changes = append(changes, storage.Update(r, 1))
		}
		require.NoError(t, s.Apply(t.Context(), changes...))
		assert.Less(t, rowsRead(t, db)-before, 60)
	})
}

// rowsRead returns how many rows the only connection has read or sorted so far. The question
// itself makes a temporary table, of which the server counts one row for each variable.
func rowsRead(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Sort_rows'")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name, value string
		require.NoError(t, rows.Scan(&name, &value))
		count, err := strconv.Atoi(value)
		require.NoError(t, err)
		if name != "Handler_read_rnd_next" && name != "Handler_read_rnd" { // of SHOW itself
			n += count
		}
	}
	require.NoError(t, rows.Err())
	return n
}
