package histories_test

import (
	"database/sql"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// later returns the dialect as a later version of its package will have it: the schema takes
// one more step. No program needs to do this, so the package has no function for it.
func later(d sqlstore.Dialect, step ...string) sqlstore.Dialect {
	field := reflect.ValueOf(&d).Elem().FieldByName("schema").Addr()
	schema := (*[][]string)(field.UnsafePointer())
	*schema = append(slices.Clip(*schema), step)
	return d
}

// Tables of an older version are brought to the newer one, once, however many open them at
// once; a step that fails leaves the older version as it was; and a program that does not know
// the newer version leaves the tables alone.
func takeSteps(t *testing.T, d database) {
	const opening = 8
	opts := &sqlstore.Options{TablePrefix: "steps_"}
	open := func(db *sql.DB, dialect sqlstore.Dialect) (storage.Store, error) {
		return sqlstore.New(t.Context(), db, dialect, opts)
	}
	db := d.pool()
	old, err := open(db, d.dialect)
	require.NoError(t, err)
	fillWithOddities(t, old)
	want, err := storage.Sum(t.Context(), old)
	require.NoError(t, err)

	const create = "CREATE TABLE IF NOT EXISTS {p}steps (taken INTEGER NOT NULL)"
	_, err = open(db, later(d.dialect, create, "INSERT INTO {p}nowhere VALUES (1)"))
	require.ErrorContains(t, err, "bring the schema to version 2")
	if d.name != "MariaDB" { // which commits before and after each change of a table
		_, err = db.Exec("SELECT * FROM steps_steps")
		require.Error(t, err, "the step has left something")
	}
	_, err = open(db, d.dialect)
	require.NoError(t, err, "the tables are those of the older version")

	newer := later(d.dialect, create, "INSERT INTO {p}steps VALUES (1)")
	stores, errs := make([]storage.Store, opening), make([]error, opening)
	var all sync.WaitGroup
	for n := range opening {
		pool := d.pool()
		all.Go(func() { stores[n], errs[n] = open(pool, newer) })
	}
	all.Wait()
	for n, s := range stores {
		require.NoError(t, errs[n])
		sum, err := storage.Sum(t.Context(), s)
		require.NoError(t, err)
		assert.Equal(t, want, sum)
	}
	var taken int
	require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM steps_steps").Scan(&taken))
	assert.Equal(t, 1, taken, "how often the step was taken")

	_, err = open(db, d.dialect)
	require.ErrorContains(t, err, "schema version 2, this program knows versions up to 1")
}
