package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// onLoopback are the options of a hub that may call loopback, and leaves a slow machine time to connect.
func onLoopback() *hub.Options {
	return &hub.Options{
		Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true},
		Limits: hub.Limits{DialTimeout: time.Minute, TLSTimeout: time.Minute},
	}
}

// open returns a hub on the memory store that may call loopback, closed with the test.
func open(t testing.TB, change ...func(*hub.Options)) *hub.Hub {
	t.Helper()
	return openOn(t, memory.New(), change...)
}

func openOn(t testing.TB, store storage.Store, change ...func(*hub.Options)) *hub.Hub {
	t.Helper()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	opts := onLoopback()
	for _, f := range change {
		f(opts)
	}
	h, err := hub.New(store, keeper, opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, h.Close(ctx))
		require.NoError(t, store.Close())
	})
	return h
}

// unhurried runs f, which allows something so many milliseconds, and allows more while this machine is too
// slow: f tells whether it came as far in the time as it must.
func unhurried(t testing.TB, f func(ms int) bool) {
	t.Helper()
	for ms := 100; !f(ms); ms *= 3 {
		require.Less(t, ms, 60_000, "no time is enough")
	}
}

// template saves a template that allows every verb and any host.
func template(t testing.TB, h *hub.Tenant, change ...func(*hub.Template)) hub.Template {
	t.Helper()
	tpl := hub.Template{Name: "App " + t.Name(), Methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}}
	for _, f := range change {
		f(&tpl)
	}
	saved, err := h.CreateTemplate(t.Context(), tpl)
	require.NoError(t, err)
	return saved
}

// connector saves a connector named "con" that trusts srv and may call it.
func connector(t testing.TB, h *hub.Tenant, srv *hubtest.Server, change ...func(*hub.Connector)) hub.Connector {
	t.Helper()
	con := hub.Connector{Name: "con", TLS: &hub.TLS{CA: string(srv.CA())}, Hosts: []string{srv.Host()}}
	for _, f := range change {
		f(&con)
	}
	if con.Template == "" {
		con.Template = template(t, h, func(tpl *hub.Template) { tpl.AuthType = con.Auth.Kind }).ID
	}
	saved, err := h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	return saved
}
