package nginx_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/internal/integration/nginx"
	"github.com/integrationhub/hub/internal/integration/pki"
	"github.com/integrationhub/hub/secrets"
)

// connect saves a connector "con" that trusts the server, and lets change add a certificate.
func connect(t *testing.T, srv *nginx.Server, change func(*hub.Connector)) (*hub.Tenant, hub.Connector) {
	t.Helper()
	h := hubtest.New(t, nil).Tenant("acme")
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "nginx", Methods: []string{"GET"}})
	require.NoError(t, err)
	con := hub.Connector{
		Name: "con", Template: tpl.ID, Hosts: []string{strings.TrimPrefix(srv.URL, "https://")},
		TLS:      &hub.TLS{CA: string(srv.Authority.PEM)},
		Requests: []hub.Request{{Name: "who", Method: "GET", URL: srv.URL + "/who"}},
	}
	if change != nil {
		change(&con)
	}
	con, err = h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	return h, con
}

func TestMutualTLS(t *testing.T) {
	for _, protocol := range []string{"TLSv1.2", "TLSv1.3"} {
		t.Run(protocol, func(t *testing.T) {
			srv := nginx.Start(t, protocol)
			cert, key := srv.Authority.Client(t, "hub")
			h, con := connect(t, srv, func(c *hub.Connector) {
				c.TLS.Certificate, c.TLS.Key = string(cert), "certificateKey"
				c.Secrets = []hub.Secret{{Name: "certificateKey"}}
			})
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "who"})
			require.ErrorIs(t, err, hub.NotReady, "the key is not set")
			require.NoError(t, h.SetSecret(t.Context(), con.ID, "certificateKey", secrets.New(string(key))))
			res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "who"})
			require.NoError(t, err)
			assert.Equal(t, "CN=hub", res.Get("subject").String())
			assert.Equal(t, "SUCCESS", res.Get("verified").String())
			assert.Equal(t, protocol, res.Get("protocol").String())
		})
	}
}

func TestCertificatesOfOthersAreRefused(t *testing.T) {
	srv := nginx.Start(t, "TLSv1.2 TLSv1.3")
	for name, change := range map[string]func(*hub.Connector) string{
		"none": func(*hub.Connector) string { return "" },
		"of another authority": func(c *hub.Connector) string {
			cert, key := pki.New(t).Client(t, "hub")
			c.TLS.Certificate, c.TLS.Key = string(cert), "certificateKey"
			c.Secrets = []hub.Secret{{Name: "certificateKey"}}
			return string(key)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var key string
			h, con := connect(t, srv, func(c *hub.Connector) { key = change(c) })
			if key != "" {
				require.NoError(t, h.SetSecret(t.Context(), con.ID, "certificateKey", secrets.New(key)))
			}
			res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "who"})
			require.ErrorIs(t, err, hub.Rejected)
			assert.Equal(t, 400, res.Status)
		})
	}
}

func TestServersOfOthersAreNotTrusted(t *testing.T) {
	srv := nginx.Start(t, "TLSv1.3")
	h, _ := connect(t, srv, func(c *hub.Connector) { c.TLS.CA = string(pki.New(t).PEM) })
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "who"})
	require.ErrorIs(t, err, hub.Unreachable)
}
