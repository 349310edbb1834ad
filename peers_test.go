package hub_test

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// peers starts upstreams that answer every request with 200, and returns what makes a hub
// trust them all.
func peers(t testing.TB, n int) ([]*hubtest.Server, func(*hub.Options)) {
	t.Helper()
	pool := x509.NewCertPool()
	list := make([]*hubtest.Server, n)
	for i := range list {
		list[i] = hubtest.NewServer(t)
		list[i].Handle("/", hubtest.JSON(200, map[string]bool{"ok": true}))
		require.True(t, pool.AppendCertsFromPEM(list[i].CA()))
	}
	return list, func(o *hub.Options) { o.Egress.RootCAs = pool }
}

// hostsOf lists the hosts of upstreams.
func hostsOf(list ...*hubtest.Server) []string {
	var hosts []string
	for _, srv := range list {
		hosts = append(hosts, srv.Host())
	}
	return hosts
}

// carries reports whether a request that an upstream received holds a text anywhere.
func carries(r hubtest.Request, text string) bool { return whereIn(r, text) != "" }

// whereIn names the place of a request that holds a text, empty if none does: header:NAME,
// query:NAME, path or body.
func whereIn(r hubtest.Request, text string) string {
	for name, values := range r.Header {
		if strings.Contains(name+strings.Join(values, " "), text) {
			return "header:" + name
		}
	}
	path, query, _ := strings.Cut(r.Target, "?")
	if strings.Contains(path, text) {
		return "path"
	}
	if strings.Contains(query, text) {
		values, _ := url.ParseQuery(query)
		for name := range values {
			if strings.Contains(values.Get(name), text) {
				return "query:" + name
			}
		}
		return "query:"
	}
	if strings.Contains(string(r.Body), text) {
		return "body"
	}
	return ""
}

// setSecret sets a secret of a connector.
func setSecret(t testing.TB, h *hub.Tenant, connector, name, value string) {
	t.Helper()
	require.NoError(t, h.SetSecret(t.Context(), connector, name, secrets.New(value)))
}

// edit changes a connector.
func edit(t testing.TB, h *hub.Tenant, connector string, change func(*hub.Connector)) hub.Connector {
	t.Helper()
	con, err := h.GetConnector(t.Context(), connector)
	require.NoError(t, err)
	change(&con)
	con, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	return con
}

// fetch sends a GET through a client and closes the answer.
func fetch(t testing.TB, client *http.Client, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	return err
}

// withHost puts an upstream's origin in place of HOST.
func withHost(text string, srv *hubtest.Server) string {
	return strings.ReplaceAll(text, "HOST", srv.URL)
}
