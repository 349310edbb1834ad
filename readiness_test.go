package hub_test

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func missing(t *testing.T, h *hub.Tenant, con string) []string {
	t.Helper()
	r, err := h.Readiness(t.Context(), con)
	require.NoError(t, err)
	list := []string{}
	for _, f := range r.Missing {
		list = append(list, f.Path+" "+f.Rule)
	}
	assert.Equal(t, len(list) == 0, r.Ready)
	return list
}

// A connector becomes ready field by field.
func TestReadinessFieldByField(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h, func(tpl *hub.Template) {
		tpl.AuthType = hub.AuthOAuth2
		tpl.Headers = []hub.TemplateHeader{
			{Name: "X-Needed", Required: true}, {Name: "X-Given", Required: true, Default: "x"}, {Name: "X-Auth", Required: true, On: hub.OnAuth},
			{Name: "X-Optional"},
		}
		tpl.Fields = []hub.Field{
			{Key: "region", Required: true}, {Key: "given", Required: true, Default: "x"}, {Key: "key", Secret: true, Required: true},
			{Key: "only-eu", Required: true, VisibleWhen: &hub.Condition{Field: "region", Values: []string{"eu"}}}, {Key: "optional"},
		}
	})
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Hosts: []string{"a.example.com"},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: "https://a.example.com", Headers: []hub.Header{{Name: "X-Key", Value: "[[other]]"}}}},
		Secrets:  []hub.Secret{{Name: "other"}},
	})
	require.NoError(t, err)
	lacks := func(want ...string) {
		t.Helper()
		assert.ElementsMatch(t, want, missing(t, h, con.ID))
		_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
		assert.ErrorIs(t, err, hub.NotReady)
	}
	edit := func(f func(*hub.Connector)) {
		t.Helper()
		con, err = h.GetConnector(t.Context(), con.ID)
		require.NoError(t, err)
		f(&con)
		con, err = h.UpdateConnector(t.Context(), con)
		require.NoError(t, err)
	}
	lacks("variables.region required", "secrets.key required", "headers required", "auth.request.headers required", "auth.request required", "secrets.other required")
	edit(func(c *hub.Connector) { c.Variables = map[string]string{"region": ""} })
	lacks("variables.region required", "secrets.key required", "headers required", "auth.request.headers required", "auth.request required", "secrets.other required")
	edit(func(c *hub.Connector) { c.Variables["region"] = "eu" })
	lacks("variables.only-eu required", "secrets.key required", "headers required", "auth.request.headers required", "auth.request required", "secrets.other required")
	edit(func(c *hub.Connector) { c.Variables["region"] = "us" })
	edit(func(c *hub.Connector) { c.Headers = []hub.Header{{Name: "x-needed", Value: "v"}} })
	lacks("secrets.key required", "auth.request.headers required", "auth.request required", "secrets.other required")
	edit(func(c *hub.Connector) {
		c.Auth.Request = &hub.AuthRequest{URL: "https://a.example.com/token", Headers: []hub.Header{{Name: "X-Auth", Value: "[[key]]"}}}
	})
	lacks("secrets.key required", "secrets.other required")
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "other", secrets.New("0123456789")))
	lacks("secrets.key required")
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("short")))
	assert.Empty(t, missing(t, h, con.ID))
	r, err := h.Readiness(t.Context(), con.ID)
	require.NoError(t, err)
	require.Len(t, r.Warnings, 1)
	assert.Equal(t, "secrets.key short", r.Warnings[0].Path+" "+r.Warnings[0].Rule)

	edit(func(c *hub.Connector) {
		c.Hosts = append(c.Hosts, "b.example.com")
		c.Requests[0].URL = "https://b.example.com"
	})
	assert.Contains(t, missing(t, h, con.ID), "secrets.other secret-binding")
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "other", secrets.New("0123456789")))
	assert.NotContains(t, missing(t, h, con.ID), "secrets.other secret-binding", "the value was set again")
	_, err = h.Readiness(t.Context(), "nobody")
	assert.ErrorIs(t, err, hub.NotFound)
}

func TestReadinessTellsOfHostsThatWereTakenAway(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h)
	there := func(name, url string) hub.Request { return hub.Request{Name: name, Method: "GET", URL: url} }
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: tpl.ID, Requests: []hub.Request{
		there("good", "https://good.example.com"), there("bad", "https://bad.example.com"),
	}})
	require.NoError(t, err)
	assert.Empty(t, missing(t, h, con.ID))
	require.NoError(t, h.RestrictTemplate(t.Context(), tpl.ID, []string{"good.example.com"}))
	assert.Equal(t, []string{"requests[1].url host"}, missing(t, h, con.ID))
	_, err = h.DeactivateRequest(t.Context(), con.ID, "bad")
	require.NoError(t, err)
	assert.Empty(t, missing(t, h, con.ID))
}

// Certificates that end within 30 days are told of, the connector's own and its authority's.
func TestReadinessTellsOfCertificatesThatExpire(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	h := open(t, now.on).Tenant("acme")
	cert, key, err := srv.ClientCert("hub")
	require.NoError(t, err)
	con := connector(t, h, srv, func(c *hub.Connector) {
		c.TLS.Certificate, c.TLS.Key = string(cert), "certificateKey"
		c.Secrets = append(c.Secrets, hub.Secret{Name: "certificateKey"})
	})
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "certificateKey", secrets.New(string(key))))
	end := func(text []byte) time.Time {
		block, _ := pem.Decode(text)
		c, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return c.NotAfter
	}
	told := func(at time.Time) []string {
		now.advance(at.Sub(now.Now()))
		r, err := h.Readiness(t.Context(), con.ID)
		require.NoError(t, err)
		assert.True(t, r.Ready)
		var list []string
		for _, w := range r.Warnings {
			if w.Rule == "expiry" {
				list = append(list, w.Path)
			}
		}
		return list
	}
	for path, text := range map[string][]byte{"tls.certificate": cert, "tls.ca": srv.CA()} {
		notice := end(text).Add(-30 * 24 * time.Hour)
		assert.NotContains(t, told(notice), path)
		assert.Contains(t, told(notice.Add(time.Second)), path)
	}
}
