package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// within runs do with a hub in a transaction, together with a row of the host's own, and ends
// the transaction.
func within(t *testing.T, db *sql.DB, store *sqlstore.Store, keeper secrets.Keeper, end func(*sql.Tx) error, do func(*hub.Hub)) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO customers DEFAULT VALUES")
	require.NoError(t, err)
	inside, err := hub.New(store.InTx(tx), keeper, nil)
	require.NoError(t, err)
	do(inside)
	require.NoError(t, inside.Close(context.Background()))
	require.NoError(t, end(tx))
}

// Definitions and secrets that are saved in the host's own transaction come and go with it,
// and no hub uses or keeps any of it before.
func TestDefinitionsInTheHostsTransaction(t *testing.T) {
	path, keeper := filepath.Join(t.TempDir(), "hub.db"), key(t)
	require.NoError(t, openFile(t, path).Close()) // makes the file as the store wants it
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE TABLE customers (id INTEGER PRIMARY KEY)")
	require.NoError(t, err)
	store, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
	require.NoError(t, err)
	now := time.Now()
	outside, err := hub.New(store, keeper, &hub.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, outside.Close(context.Background()))
		require.NoError(t, store.Close())
	}()
	url := func(h *hub.Hub) string {
		plan, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
		if errors.Is(err, hub.NotFound) {
			return "none"
		}
		require.NoError(t, err)
		return plan.URL
	}
	request := func(url string) hub.Request {
		return hub.Request{Name: "go", Method: "GET", URL: url, Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}
	}
	const first, second = "https://api.example.com/first", "https://api.example.com/second"
	var con hub.Connector
	create := func(h *hub.Hub) {
		_, con, err = h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "App", Methods: []string{"GET"}},
			hub.Connector{Name: "con", Secrets: []hub.Secret{{Name: "key"}}, Requests: []hub.Request{request(first)}})
		require.NoError(t, err)
		require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))
		assert.Equal(t, first, url(h), "inside it is there")
		assert.Equal(t, "none", url(outside), "outside it is not")
	}
	within(t, db, store, keeper, (*sql.Tx).Rollback, create)
	assert.Equal(t, "none", url(outside))
	within(t, db, store, keeper, (*sql.Tx).Commit, create)
	assert.Equal(t, first, url(outside))

	edit := func(h *hub.Hub) {
		con, err := h.GetConnector(t.Context(), con.ID)
		require.NoError(t, err)
		con.Requests[0] = request(second)
		_, err = h.UpdateConnector(t.Context(), con)
		require.NoError(t, err)
		now = now.Add(time.Second)
		assert.Equal(t, first, url(outside))
	}
	within(t, db, store, keeper, (*sql.Tx).Rollback, edit)
	now = now.Add(time.Second)
	assert.Equal(t, first, url(outside))
	within(t, db, store, keeper, (*sql.Tx).Commit, edit)
	now = now.Add(time.Second)
	assert.Equal(t, second, url(outside))

	var customers int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM customers").Scan(&customers))
	assert.Equal(t, 2, customers)
}
