package histories_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/internal/toxics"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/postgres"
)

// behind returns a proxy before the server, and the server's DSN through it.
func behind(t *testing.T, server *dbtest.Server) (*toxics.Proxy, string) {
	t.Helper()
	dsn, err := url.Parse(server.DSN())
	require.NoError(t, err)
	proxy, err := toxics.New(net.JoinHostPort(dsn.Hostname(), dsn.Port()), 1)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	dsn.Host = proxy.Addr()
	return proxy, dsn.String()
}

// calling opens a hub on the database of a DSN that calls srv, and asks the store at each call.
func calling(t *testing.T, dsn string, keeper secrets.Keeper, srv *hubtest.Server) *hub.Hub {
	t.Helper()
	store, err := postgres.Open(t.Context(), dsn, nil)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(srv.CA()))
	h, err := hub.New(store, keeper, &hub.Options{
		Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true, RootCAs: roots},
		Limits: hub.Limits{Freshness: -1, Staleness: time.Hour},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, h.Close(context.Background()))
		require.NoError(t, store.Close())
	})
	return h
}

// A database that hangs, and neither answers nor fails, takes next to nothing from calls whose
// definition is known; what is saved meanwhile fails when its caller's time is over, and says
// so; and once the database answers again all goes on by itself.
func TestHangingDatabase(t *testing.T) {
	const calls = 40
	server, srv := dbtest.Postgres(t), hubtest.NewServer(t)
	srv.Handle("/old", hubtest.Status(200))
	srv.Handle("/new", hubtest.Status(204))
	proxy, through := behind(t, server)
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	direct, h := calling(t, server.DSN(), keeper, srv), calling(t, through, keeper, srv)
	_, con, err := direct.CreateTemplateAndConnector(t.Context(),
		hub.Template{Name: "App", Methods: []string{"GET"}},
		hub.Connector{Name: "con", Hosts: []string{srv.Host()}, Requests: []hub.Request{{Name: "go", Method: "GET", URL: srv.URL + "/old"}}})
	require.NoError(t, err)
	status := func() (int, error) {
		res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "go"})
		if err != nil {
			return 0, err
		}
		return res.Status, nil
	}
	got, err := status()
	require.NoError(t, err)
	require.Equal(t, 200, got)

	for _, d := range toxics.Directions {
		proxy.Set(d, toxics.Timeout{})
	}
	begun := time.Now()
	for range calls {
		got, err := status()
		require.NoError(t, err)
		require.Equal(t, 200, got)
	}
	took := time.Since(begun)
	t.Logf("%d calls in %v", calls, took)
	assert.Less(t, took, calls*time.Second/2, "each call waited for the database")

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = h.CreateTemplate(ctx, hub.Template{Name: "Other", Methods: []string{"GET"}})
	require.ErrorIs(t, err, hub.Timeout)
	con.Requests[0].URL = srv.URL + "/new"
	_, err = direct.UpdateConnector(t.Context(), con)
	require.NoError(t, err)

	require.NoError(t, proxy.Heal())
	require.Eventually(t, func() bool {
		got, err := status()
		return err == nil && got == 204
	}, time.Minute, 10*time.Millisecond, "the edit is used")
	_, err = h.CreateTemplate(t.Context(), hub.Template{Name: "Other", Methods: []string{"GET"}})
	require.NoError(t, err)
}
