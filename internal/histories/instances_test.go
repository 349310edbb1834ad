package histories_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlite"
)

// Of two hubs on one PostgreSQL, one uses what is saved in the other as soon as the server
// tells: the freshness bound is an hour, so nothing else can make it known.
func TestEditsTravelBetweenHubs(t *testing.T) {
	server := dbtest.Postgres(t)
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	var hubs []*hub.Hub
	for range 2 {
		store, err := postgres.Open(t.Context(), server.DSN(), nil)
		require.NoError(t, err)
		h, err := hub.New(store, keeper, &hub.Options{Limits: hub.Limits{Freshness: time.Hour, Staleness: 2 * time.Hour}})
		require.NoError(t, err)
		hubs = append(hubs, h)
		t.Cleanup(func() {
			require.NoError(t, h.Close(context.Background()))
			require.NoError(t, store.Close())
		})
	}
	here, elsewhere := hubs[0], hubs[1]
	tpl, err := here.CreateTemplate(t.Context(), hub.Template{Name: "App", Methods: []string{"GET"}})
	require.NoError(t, err)
	con, err := here.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: tpl.ID,
		Requests: []hub.Request{{Name: "go", Method: "GET", URL: "https://api.example.com/0"}}})
	require.NoError(t, err)
	uses := func(url string) bool {
		plan, err := elsewhere.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
		require.NoError(t, err)
		return plan.URL == url
	}
	require.True(t, uses("https://api.example.com/0"))

	var delays []time.Duration
	for n := range 31 {
		url := fmt.Sprint("https://api.example.com/", n+1)
		con.Requests[0].URL = url
		con, err = here.UpdateConnector(t.Context(), con)
		require.NoError(t, err)
		saved := time.Now()
		require.Eventually(t, func() bool { return uses(url) }, time.Minute, time.Millisecond)
		delays = append(delays, time.Since(saved))
	}
	slices.Sort(delays)
	t.Logf("an edit is used elsewhere after %v (median), %v at the most", delays[len(delays)/2], delays[len(delays)-1])
}

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(1_800_000_000, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// silent is a store without notices, as one whose every notice is lost.
type silent struct{ storage.Store }

// instances starts two hubs as two processes would, each with a store of its own on the same
// records.
func instances(t *testing.T, open func() (storage.Store, error)) (here, elsewhere *hub.Hub, now *clock) {
	t.Helper()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	now = &clock{}
	var hubs []*hub.Hub
	for range 2 {
		store, err := open()
		require.NoError(t, err)
		h, err := hub.New(store, keeper, &hub.Options{Now: now.Now})
		require.NoError(t, err)
		t.Cleanup(func() {
			require.NoError(t, h.Close(context.Background()))
			require.NoError(t, store.Close())
		})
		hubs = append(hubs, h)
	}
	return hubs[0], hubs[1], now
}

// heard lets a hub ask its store, and once more if the machine was so slow that the hub waited no
// longer for the answer and went on with what it knew.
func heard(ask func()) {
	for {
		begun := time.Now()
		if ask(); time.Since(begun) < time.Second {
			return
		}
	}
}

// connected saves a connector with two requests.
func connected(t *testing.T, h *hub.Hub) hub.Connector {
	t.Helper()
	_, con, err := h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "App", Methods: []string{"GET"}},
		hub.Connector{Name: "con", Requests: []hub.Request{
			{Name: "go", Method: "GET", URL: "https://api.example.com/old"},
			{Name: "gone", Method: "GET", URL: "https://api.example.com/"},
		}})
	require.NoError(t, err)
	return con
}

// Without a single notice, what is edited, deactivated or deleted in one instance is so in the
// other once the freshness bound of a second is over.
func TestEditsTravelWithoutNotices(t *testing.T) {
	for name, place := range map[string]func(t *testing.T) func() (storage.Store, error){
		"SQLite": func(t *testing.T) func() (storage.Store, error) {
			path := filepath.Join(t.TempDir(), "hub.db")
			return func() (storage.Store, error) { return sqlite.Open(t.Context(), path, nil) }
		},
		"PostgreSQL": func(t *testing.T) func() (storage.Store, error) {
			server := dbtest.Postgres(t)
			return func() (storage.Store, error) {
				s, err := postgres.Open(t.Context(), server.DSN(), nil)
				return silent{s}, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			here, elsewhere, now := instances(t, place(t))
			con := connected(t, here)
			url := func(request string) (string, error) {
				plan, err := elsewhere.Plan(t.Context(), hub.Call{Connector: "con", Request: request})
				if err != nil {
					return "", err
				}
				return plan.URL, nil
			}
			for _, request := range []string{"go", "gone"} {
				_, err := url(request)
				require.NoError(t, err)
			}
			con.Requests[0].URL = "https://api.example.com/new"
			con, err := here.UpdateConnector(t.Context(), con)
			require.NoError(t, err)
			require.NoError(t, here.DeleteRequest(t.Context(), con.ID, "gone", con.Revision))
			used := ""
			heard(func() {
				now.advance(time.Second)
				used, err = url("go")
			})
			require.NoError(t, err)
			assert.Equal(t, "https://api.example.com/new", used)
			_, err = url("gone")
			require.ErrorIs(t, err, hub.NotFound)

			_, err = here.DeactivateRequest(t.Context(), con.ID, "go")
			require.NoError(t, err)
			heard(func() {
				now.advance(time.Second)
				_, err = elsewhere.Execute(t.Context(), hub.Call{Connector: "con", Request: "go"})
			})
			require.ErrorIs(t, err, hub.Inactive)
		})
	}
}

// A database that is gone stops no call whose plan is there before the staleness bound of 30
// seconds; it stops writes at once; and once it is back all goes on by itself.
func TestLostDatabase(t *testing.T) {
	server := dbtest.Postgres(t)
	h, _, now := instances(t, func() (storage.Store, error) {
		return postgres.Open(t.Context(), server.DSN(), &postgres.Options{BusyTimeout: -1})
	})
	con := connected(t, h)
	plan := func() error {
		_, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
		return err
	}
	require.NoError(t, plan())

	server.Kill()
	for range 29 {
		now.advance(time.Second)
		require.NoError(t, plan())
	}
	_, err := h.UpdateConnector(t.Context(), con)
	require.ErrorIs(t, err, hub.Unavailable)
	assert.NotContains(t, err.Error(), "postgres://")
	now.advance(31 * time.Second) // since whatever the last processes of a dying server still answered
	err = plan()
	require.ErrorIs(t, err, hub.Unavailable)
	assert.ErrorContains(t, err, "staleness bound")

	server.Start()
	require.Eventually(t, func() bool { return plan() == nil }, time.Minute, 10*time.Millisecond)
	con, err = h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	con.Requests[0].URL = "https://api.example.com/new"
	_, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
}
