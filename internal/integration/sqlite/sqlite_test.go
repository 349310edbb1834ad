// Package sqlite_test runs the hub on the embedded store, as hosts have it: every member of a
// definition, full disks and databases that cannot be written.
package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func openFile(t *testing.T, path string) storage.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err)
	return store
}

// start returns a hub on a store; stop closes both.
func start(t *testing.T, store storage.Store, keeper secrets.Keeper) (h *hub.Hub, stop func()) {
	t.Helper()
	h, err := hub.New(store, keeper, nil)
	require.NoError(t, err)
	return h, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, h.Close(ctx))
		require.NoError(t, store.Close())
	}
}

func key(t *testing.T) secrets.Keeper {
	t.Helper()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	return keeper
}

// golden reads the definition with every member that the hub's own tests keep.
func golden[T any](t *testing.T, name string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", name+".json"))
	require.NoError(t, err)
	var v T
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// Whatever is saved comes back as it was, also in the next process.
func TestEveryMemberSurvivesReopening(t *testing.T) {
	path, keeper := filepath.Join(t.TempDir(), "hub.db"), key(t)
	h, stop := start(t, openFile(t, path), keeper)
	acme := h.Tenant("acme")
	tpl, err := acme.CreateTemplate(t.Context(), golden[hub.Template](t, "template"))
	require.NoError(t, err)
	con, err := acme.CreateConnector(t.Context(), golden[hub.Connector](t, "connector"))
	require.NoError(t, err)
	require.NoError(t, acme.SetSecret(t.Context(), con.ID, "clientSecret", secrets.New("0123456789")))
	stop()

	h, stop = start(t, openFile(t, path), keeper)
	defer stop()
	acme = h.Tenant("acme")
	readTpl, err := acme.GetTemplate(t.Context(), tpl.ID)
	require.NoError(t, err)
	assert.Equal(t, encoded(t, tpl), encoded(t, readTpl))
	icon, err := acme.TemplateIcon(t.Context(), tpl.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, golden[hub.Template](t, "template").Icon, icon.Data)
	readCon, err := acme.GetConnector(t.Context(), con.Name)
	require.NoError(t, err)
	assert.Equal(t, encoded(t, con), encoded(t, readCon))
	list, err := acme.ListConnectors(t.Context(), hub.ListOptions{Tag: "crm", Prefix: "SERVICE", Template: tpl.ID})
	require.NoError(t, err)
	assert.Equal(t, encoded(t, []hub.Connector{con}), encoded(t, list.Items))
	set, err := acme.ListSecrets(t.Context(), con.ID)
	require.NoError(t, err)
	assert.True(t, set[0].Set)
	_, err = acme.CreateConnector(t.Context(), hub.Connector{Name: con.Name, Template: tpl.ID})
	assert.ErrorIs(t, err, hub.Exists)
}

// limited is a hub on a database that a test can fill or shut.
func limited(t *testing.T) (*sql.DB, *hub.Hub) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub.db")
	require.NoError(t, openFile(t, path).Close()) // makes the file as the store wants it
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	store, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
	require.NoError(t, err)
	h, stop := start(t, store, key(t))
	t.Cleanup(func() { stop(); require.NoError(t, db.Close()) })
	return db, h
}

func pragma(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), "PRAGMA "+text)
	require.NoError(t, err)
}

var count atomic.Int64 // of the names that were given

// saveMany saves connectors until one is refused, and returns those that were acknowledged.
func saveMany(t *testing.T, h *hub.Hub, template string, most int) (saved []hub.Connector, err error) {
	t.Helper()
	big := map[string]string{"v": strings.Repeat("x", 20_000)}
	for range most {
		name := fmt.Sprintf("c%06d", count.Add(1))
		con, err := h.CreateConnector(t.Context(), hub.Connector{Name: name, Template: template, Variables: big})
		if err != nil {
			return saved, err
		}
		saved = append(saved, con)
	}
	return saved, nil
}

func requireAll(t *testing.T, h *hub.Hub, saved []hub.Connector) {
	t.Helper()
	n := 0
	for con, err := range h.Connectors(t.Context(), hub.ListOptions{}) {
		require.NoError(t, err)
		assert.Equal(t, saved[n].ID, con.ID)
		n++
	}
	require.Len(t, saved, n)
}

func TestFullDiskLosesNothing(t *testing.T) {
	db, h := limited(t)
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "T", Methods: []string{"GET"}})
	require.NoError(t, err)
	pragma(t, db, "max_page_count = 200")
	saved, err := saveMany(t, h, tpl.ID, 1000)
	requireUnavailable(t, err, "full")
	require.NotEmpty(t, saved)
	requireAll(t, h, saved)
	pragma(t, db, "max_page_count = 100000")
	more, err := saveMany(t, h, tpl.ID, 3)
	require.NoError(t, err, "there is space again")
	requireAll(t, h, append(saved, more...))
}

func TestReadOnlyDatabaseIsReadAndNotWritten(t *testing.T) {
	db, h := limited(t)
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "T", Methods: []string{"GET"}})
	require.NoError(t, err)
	saved, err := saveMany(t, h, tpl.ID, 2)
	require.NoError(t, err)
	pragma(t, db, "query_only = true")
	_, err = saveMany(t, h, tpl.ID, 1)
	requireUnavailable(t, err, "query_only")
	requireUnavailable(t, h.DeleteConnector(t.Context(), saved[0].ID, saved[0].Revision), "query_only")
	requireAll(t, h, saved)
	pragma(t, db, "query_only = false")
	more, err := saveMany(t, h, tpl.ID, 1)
	require.NoError(t, err)
	requireAll(t, h, append(saved, more...))
}

func requireUnavailable(t *testing.T, err error, why string) {
	t.Helper()
	require.ErrorIs(t, err, hub.Unavailable)
	require.ErrorContains(t, err, why)
	var e *hub.Error
	require.True(t, errors.As(err, &e))
	assert.True(t, e.Retryable)
}
