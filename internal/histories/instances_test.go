package histories_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/postgres"
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
		require.Eventually(t, func() bool { return uses(url) }, 20*time.Second, time.Millisecond)
		delays = append(delays, time.Since(saved))
	}
	slices.Sort(delays)
	t.Logf("an edit is used elsewhere after %v (median), %v at the most", delays[len(delays)/2], delays[len(delays)-1])
}
