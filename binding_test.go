package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

const boundSecret = "bound0123456789secret"

// roads are the ways on which a connector's secret, or the token that it fetched, leaves the
// process. Each takes the road to a host.
var roads = []struct {
	name  string
	token bool // what leaves is the token
	setUp func(c *hub.Connector, tpl *hub.Template, host string)
	call  func(t *testing.T, h *hub.Tenant, host string) error
}{
	{
		name: "request",
		setUp: func(c *hub.Connector, _ *hub.Template, host string) {
			c.Requests = []hub.Request{{Name: "r", Method: "GET", URL: host + "/r", Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}}
		},
		call: callFor("r", nil),
	},
	{
		name: "test of a request",
		setUp: func(c *hub.Connector, _ *hub.Template, host string) {
			c.Requests = []hub.Request{{Name: "r", Method: "GET", URL: host + "/r?k=[[key]]"}}
		},
		call: func(t *testing.T, h *hub.Tenant, _ string) error {
			_, err := h.TestRequest(t.Context(), hub.Call{Connector: "con", Request: "r"})
			return err
		},
	},
	{
		name: "Studio action",
		setUp: func(c *hub.Connector, _ *hub.Template, host string) {
			c.Requests = []hub.Request{{Name: "r", Method: "POST", URL: host + "/r", Body: `{"k":"[[key]]"}`}}
		},
		call: func(t *testing.T, h *hub.Tenant, _ string) error {
			res, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "r"})
			require.NoError(t, err)
			return res.Err
		},
	},
	{
		name: "dynamic request",
		setUp: func(c *hub.Connector, _ *hub.Template, host string) {
			c.Secrets = []hub.Secret{{Name: "key", Places: []string{"header:X-KEY"}}}
			c.Requests = []hub.Request{{Name: "r", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic}}
		},
		call: func(t *testing.T, h *hub.Tenant, host string) error {
			return callFor("r", map[string]any{"method": "GET", "url": host + "/r", "headers": map[string]string{"x-key": "[[key]]"}})(t, h, host)
		},
	},
	{
		name: "dynamic request with a secret of its own",
		setUp: func(c *hub.Connector, _ *hub.Template, _ string) {
			c.Requests = []hub.Request{{Name: "r", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic, Method: "GET",
				Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}}
		},
		call: func(t *testing.T, h *hub.Tenant, host string) error {
			return callFor("r", map[string]any{"url": host + "/r"})(t, h, host)
		},
	},
	{
		name: "authentication",
		setUp: func(c *hub.Connector, tpl *hub.Template, host string) {
			tpl.AuthType = hub.AuthOAuth2
			c.Auth = hub.Auth{Request: &hub.AuthRequest{URL: host + "/token", Body: "client_secret=[[key]]"}}
		},
		call: func(t *testing.T, h *hub.Tenant, _ string) error {
			_, err := h.Authenticate(t.Context(), "con")
			return err
		},
	},
}

func callFor(request string, payload any) func(*testing.T, *hub.Tenant, string) error {
	return func(t *testing.T, h *hub.Tenant, _ string) error {
		call := hub.Call{Connector: "con", Request: request}
		if payload != nil {
			data, err := json.Marshal(payload)
			require.NoError(t, err)
			call.Payload = data
		}
		_, err := h.Execute(t.Context(), call)
		return err
	}
}

// On every road: the host is among the connector's, but joined after the secret was set.
func TestASecretStaysWithTheHostsOfTheMomentWhenItWasSet(t *testing.T) {
	for _, road := range roads {
		t.Run(road.name, func(t *testing.T) {
			srv, trust := peers(t, 2)
			for _, s := range srv {
				s.Handle("/token", hubtest.Token("token0123456789", time.Hour))
			}
			first, second := srv[0], srv[1]
			h := open(t, trust).Tenant("acme")
			tpl, con := hub.Template{Name: "T", Methods: []string{"GET", "POST"}}, hub.Connector{Name: "con", Hosts: hostsOf(first), Secrets: []hub.Secret{{Name: "key"}}}
			road.setUp(&con, &tpl, first.URL)
			_, con, err := h.CreateTemplateAndConnector(t.Context(), tpl, con)
			require.NoError(t, err)
			setSecret(t, h, con.ID, "key", boundSecret)
			require.NoError(t, road.call(t, h, first.URL))
			require.True(t, carries(first.Requests()[0], boundSecret))

			edit(t, h, con.ID, func(c *hub.Connector) {
				c.Hosts = hostsOf(first, second)
				road.setUp(c, &hub.Template{}, second.URL)
			})
			refusal := fmt.Sprintf("secret %q is not bound to host %q, which was not among its hosts when it was set: set its value again to send it there", "key", second.Host())
			err = road.call(t, h, second.URL)
			require.ErrorIs(t, err, hub.Forbidden)
			require.ErrorContains(t, err, refusal)
			require.Empty(t, second.Requests())
			assertNotReady(t, h, road.name, refusal)

			setSecret(t, h, con.ID, "key", boundSecret+"2")
			require.NoError(t, road.call(t, h, second.URL))
			require.True(t, carries(second.Requests()[0], boundSecret+"2"))
			ready, err := h.Readiness(t.Context(), "con")
			require.NoError(t, err)
			assert.True(t, ready.Ready, "%v", ready.Missing)
		})
	}
}

func TestASecretIsVerifiedOnlyAtTheHostsOfTheMomentWhenItWasSet(t *testing.T) {
	srv, trust := peers(t, 2)
	h := open(t, trust).Tenant("acme")
	_, con, err := h.CreateTemplateAndConnector(t.Context(), hub.Template{
		Name: "T", Methods: []string{"GET"}, Fields: []hub.Field{{Key: "key", Secret: true}},
		Verify: &hub.Verify{Method: "GET", URL: srv[1].URL + "/me?k=[[key]]"},
	}, hub.Connector{Name: "con", Hosts: hostsOf(srv...)})
	require.NoError(t, err)
	edit(t, h, con.ID, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key", Hosts: hostsOf(srv[0])}} })
	setSecret(t, h, con.ID, "key", boundSecret)
	edit(t, h, con.ID, func(c *hub.Connector) { c.Secrets[0].Hosts = nil })
	_, err = h.TestConnector(t.Context(), "con")
	require.ErrorContains(t, err, "set its value again")
	require.Empty(t, srv[1].Requests())
	setSecret(t, h, con.ID, "key", boundSecret)
	_, err = h.TestConnector(t.Context(), "con")
	require.NoError(t, err)
	require.True(t, carries(srv[1].Requests()[0], boundSecret))
}

// assertNotReady holds what Readiness says against the refusal; where only the payload names
// the host, it cannot know.
func assertNotReady(t *testing.T, h *hub.Tenant, road, refusal string) {
	t.Helper()
	ready, err := h.Readiness(t.Context(), "con")
	require.NoError(t, err)
	if road == "dynamic request" || road == "dynamic request with a secret of its own" {
		return
	}
	assert.False(t, ready.Ready)
	assert.Contains(t, ready.Missing, hub.FieldError{Path: "secrets.key", Rule: "secret-binding", Message: refusal})
}

// tokenConnector authenticates at first with a secret, and calls target.
func tokenConnector(t *testing.T, h *hub.Tenant, first *hubtest.Server, change ...func(*hub.Connector)) hub.Connector {
	t.Helper()
	first.Handle("/token", hubtest.Token("token0123456789", time.Hour))
	con := hub.Connector{
		Name: "con", Hosts: hostsOf(first),
		Auth:     hub.Auth{Request: &hub.AuthRequest{URL: first.URL + "/token", Body: "client_secret=[[key]]"}},
		Secrets:  []hub.Secret{{Name: "key"}},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: first.URL + "/r"}},
	}
	for _, f := range change {
		f(&con)
	}
	_, con, err := h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "T", Methods: []string{"GET", "POST"}, AuthType: hub.AuthOAuth2}, con)
	require.NoError(t, err)
	return con
}

func TestATokenStaysWithTheHostsOfTheSecretsThatFetchedIt(t *testing.T) {
	calls := map[string]func(*testing.T, *hub.Tenant, string) error{
		"Execute": callFor("r", nil),
		"HTTPClient": func(t *testing.T, h *hub.Tenant, host string) error {
			client, err := h.HTTPClient(t.Context(), "con")
			require.NoError(t, err)
			return fetch(t, client, host+"/r")
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			srv, trust := peers(t, 2)
			first, second := srv[0], srv[1]
			h := open(t, trust).Tenant("acme")
			con := tokenConnector(t, h, first)
			setSecret(t, h, con.ID, "key", boundSecret)
			require.NoError(t, call(t, h, first.URL))

			edit(t, h, con.ID, func(c *hub.Connector) {
				c.Hosts, c.Requests[0].URL = hostsOf(first, second), second.URL+"/r"
			})
			err := call(t, h, second.URL)
			require.ErrorIs(t, err, hub.Forbidden)
			require.ErrorContains(t, err, "the token is not bound to host")
			require.Empty(t, second.Requests())
			ready, err := h.Readiness(t.Context(), "con")
			require.NoError(t, err)
			require.Len(t, ready.Missing, 1)
			assert.Equal(t, "secrets.key", ready.Missing[0].Path)
			assert.Contains(t, ready.Missing[0].Message, second.Host())

			setSecret(t, h, con.ID, "key", boundSecret)
			require.NoError(t, call(t, h, second.URL))
			require.Equal(t, "Bearer token0123456789", second.Requests()[0].Header.Get("Authorization"))
		})
	}
}

// The secret goes to the token endpoint only, the token to all hosts of the connector.
func TestASecretBoundToTheTokenHostFetchesTokensForAllHosts(t *testing.T) {
	srv, trust := peers(t, 2)
	auth, api := srv[0], srv[1]
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, auth, func(c *hub.Connector) {
		c.Hosts, c.Secrets[0].Hosts, c.Requests[0].URL = hostsOf(auth, api), hostsOf(auth), api.URL+"/r"
		c.Requests = append(c.Requests, hub.Request{Name: "leak", Method: "GET", URL: api.URL + "/?k=[[key]]"})
	})
	setSecret(t, h, con.ID, "key", boundSecret)
	require.NoError(t, callFor("r", nil)(t, h, ""))
	require.ErrorIs(t, callFor("leak", nil)(t, h, ""), hub.Forbidden)
	require.Len(t, api.Requests(), 1)
	assert.False(t, carries(api.Requests()[0], boundSecret))
}

// Narrowing takes effect at once and without the value; what was narrowed in the declaration
// can be widened again up to what the value was bound to.
func TestNarrowingIsFree(t *testing.T) {
	srv, trust := peers(t, 2)
	h := open(t, trust).Tenant("acme")
	con := hub.Connector{Name: "con", Template: template(t, h).ID, Hosts: hostsOf(srv...), Requests: []hub.Request{
		{Name: "r", Method: "GET", URL: srv[1].URL, Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}},
	}, Secrets: []hub.Secret{{Name: "key"}}}
	con, err := h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	setSecret(t, h, con.ID, "key", boundSecret)
	call := callFor("r", nil)
	require.NoError(t, call(t, h, ""))

	edit(t, h, con.ID, func(c *hub.Connector) { c.Secrets[0].Hosts = hostsOf(srv[0]) })
	require.ErrorIs(t, call(t, h, ""), hub.Forbidden)
	edit(t, h, con.ID, func(c *hub.Connector) { c.Secrets[0].Hosts = nil })
	require.NoError(t, call(t, h, ""))
	require.Len(t, srv[1].Requests(), 2)
}

func TestASecretStandsOnlyAtItsPlaces(t *testing.T) {
	put := map[string]func(r *hub.Request){
		"header:X-Key": func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} },
		"query:k":      func(r *hub.Request) { r.Query = []hub.Param{{Name: "k", Value: "[[key]]"}} },
		"path":         func(r *hub.Request) { r.URL += "/[[key]]" },
		"body:/k":      func(r *hub.Request) { r.Body = `{"k":"[[key]]","l":1}` },
		"body:/l":      func(r *hub.Request) { r.Body = `{"l":"[[key]]","k":1}` },
		"form:k":       func(r *hub.Request) { r.MediaType, r.Body = "application/x-www-form-urlencoded", "k=[[key]]" },
		"body":         func(r *hub.Request) { r.MediaType, r.Body = "text/plain", "[[key]]" },
	}
	covered := func(bound, place string) bool {
		return bound == place || bound == "body" && (place[:4] == "body" || place[:4] == "form")
	}
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h).ID, Hosts: hostsOf(srv...)})
	require.NoError(t, err)
	for bound := range put {
		edit(t, h, con.ID, func(c *hub.Connector) {
			c.Secrets, c.Requests = []hub.Secret{{Name: "key", Places: []string{bound}}}, nil
		})
		setSecret(t, h, con.ID, "key", boundSecret)
		edit(t, h, con.ID, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} }) // declared anywhere, bound as before
		for place, into := range put {
			edit(t, h, con.ID, func(c *hub.Connector) {
				c.Requests = []hub.Request{{Name: "r", Method: "POST", URL: srv[0].URL}}
				into(&c.Requests[0])
			})
			srv[0].Forget()
			err := callFor("r", nil)(t, h, "")
			ready, readyErr := h.Readiness(t.Context(), "con")
			require.NoError(t, readyErr)
			if covered(bound, place) {
				require.NoError(t, err, "%s at %s", bound, place)
				require.True(t, carries(srv[0].Requests()[0], boundSecret))
				assert.True(t, ready.Ready)
				continue
			}
			require.ErrorIs(t, err, hub.Forbidden, "%s at %s", bound, place)
			require.Empty(t, srv[0].Requests())
			require.Len(t, ready.Missing, 1)
			assert.Equal(t, "secret-place", ready.Missing[0].Rule)
			assert.Contains(t, ready.Missing[0].Message, "set its value again")
		}
	}
}

// What a customer typed must not become a secret in a ticket: a script's text may name one
// only in a header or query key of the secret's own binding.
func TestAScriptPutsASecretOnlyWhereItsBindingNames(t *testing.T) {
	everywhere := []string{"header:X-Key", "query:k", "path", "body", "form:f"}
	tests := []struct {
		name    string
		places  []string
		own     hub.Request
		payload string
		ok      bool
	}{
		{"header that is named", everywhere, hub.Request{}, `{"headers":{"X-Key":"[[key]]"}}`, true},
		{"query key that is named", everywhere, hub.Request{}, `{"queryParameters":{"k":"[[key]]"}}`, true},
		{"header with a binding to no place", nil, hub.Request{}, `{"headers":{"X-Key":"[[key]]"}}`, false},
		{"header that is not named", everywhere, hub.Request{}, `{"headers":{"X-Other":"[[key]]"}}`, false},
		{"query key that is not named", everywhere, hub.Request{}, `{"queryParameters":{"other":"[[key]]"}}`, false},
		{"body", everywhere, hub.Request{}, `{"body":{"text":"[[key]]"}}`, false},
		{"text", everywhere, hub.Request{}, `{"mediaType":"text/plain","body":"[[key]]"}`, false},
		{"form", everywhere, hub.Request{}, `{"mediaType":"application/x-www-form-urlencoded","body":{"f":"[[key]]"}}`, false},
		{"path", everywhere, hub.Request{}, `{"url":"HOST/[[key]]"}`, false},
		{"own header", nil, hub.Request{Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}, `{}`, true},
		{"own header, replaced", nil, hub.Request{Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}, `{"headers":{"x-key":"a [[key]]"}}`, false},
		{"own query", nil, hub.Request{Query: []hub.Param{{Name: "k", Value: "[[key]]"}}}, `{"body":{"a":1}}`, true},
		{"own query of another value, and the key in the URL", nil, hub.Request{Query: []hub.Param{{Name: "k", Value: "1"}}}, `{"url":"HOST/?k=[[key]]"}`, false},
		{"own URL with a query", nil, hub.Request{URL: "HOST/?k=[[key]]"}, `{"body":{"a":1}}`, true},
		{"own URL with a query, replaced", nil, hub.Request{URL: "HOST/?k=[[key]]"}, `{"url":"HOST/?k=a[[key]]"}`, false},
		{"own body", nil, hub.Request{Body: `{"k":"[[key]]"}`}, `{}`, true},
		{"own body, replaced", nil, hub.Request{Body: `{"k":"[[key]]"}`}, `{"body":{"k":"[[key]]"}}`, false},
		{"own body as another type", nil, hub.Request{Body: `{"k":"[[key]]"}`}, `{"mediaType":"text/plain"}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, trust := peers(t, 1)
			h := open(t, trust).Tenant("acme")
			own := tt.own
			own.Name, own.Trigger, own.PayloadMode, own.Method = "r", hub.TriggerStudio, hub.PayloadDynamic, "POST"
			own.URL = withHost(own.URL, srv[0])
			if own.URL == "" {
				own.URL = srv[0].URL
			}
			con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h).ID, Hosts: hostsOf(srv...),
				Secrets: []hub.Secret{{Name: "key", Places: tt.places}}, Requests: []hub.Request{own}})
			require.NoError(t, err)
			setSecret(t, h, con.ID, "key", boundSecret)
			_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r", Payload: []byte(withHost(tt.payload, srv[0]))})
			if tt.ok {
				require.NoError(t, err)
				require.True(t, carries(srv[0].Requests()[0], boundSecret))
				return
			}
			require.Error(t, err)
			for _, r := range srv[0].Requests() {
				require.False(t, carries(r, boundSecret))
			}
		})
	}
}

// The key of a client certificate proves who the connector is: only to the hosts that it was
// set for.
func TestACertificateIsShownOnlyToTheHostsOfItsKey(t *testing.T) {
	srv, trust := peers(t, 2)
	cert, key, err := srv[0].ClientCert("hub")
	require.NoError(t, err)
	h := open(t, trust).Tenant("acme")
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: template(t, h).ID, Secrets: []hub.Secret{{Name: "key"}},
		TLS:      &hub.TLS{Certificate: string(cert), Key: "key"},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: srv[0].URL}},
	})
	require.NoError(t, err)
	setSecret(t, h, con.ID, "key", string(key))
	require.NoError(t, callFor("r", nil)(t, h, ""))
	require.NotNil(t, srv[0].Requests()[0].ClientCert)

	edit(t, h, con.ID, func(c *hub.Connector) { c.Hosts, c.Requests[0].URL = hostsOf(srv...), srv[1].URL })
	require.ErrorIs(t, callFor("r", nil)(t, h, ""), hub.Forbidden)
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	require.ErrorIs(t, fetch(t, client, srv[1].URL), hub.Forbidden)
	require.Empty(t, srv[1].Requests())
	ready, err := h.Readiness(t.Context(), "con")
	require.NoError(t, err)
	require.False(t, ready.Ready)
	assert.Equal(t, "secrets.key", ready.Missing[0].Path)
}

func TestASecretNeedsHosts(t *testing.T) {
	h := open(t).Tenant("acme")
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h).ID})
	require.NoError(t, err)
	err = h.SetSecret(t.Context(), con.ID, "key", secrets.New(boundSecret))
	require.ErrorIs(t, err, hub.Invalid)
	require.ErrorContains(t, err, "set its Hosts first")
}

// A copy has the definitions of the other connector and none of its secrets.
func TestACopyHasNoSecrets(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, srv[0])
	setSecret(t, h, con.ID, "key", boundSecret)
	_, err := h.CopyConnector(t.Context(), con.ID, "copy")
	require.NoError(t, err)
	_, err = h.Execute(t.Context(), hub.Call{Connector: "copy", Request: "r"})
	require.ErrorIs(t, err, hub.NotReady)
	client, err := h.HTTPClient(t.Context(), "copy")
	require.NoError(t, err)
	require.Error(t, fetch(t, client, srv[0].URL))
	require.Empty(t, srv[0].Requests())
}

// The answer of a lent client must not lead back to the request with the token.
func TestALentAnswerHoldsTheCallersRequest(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, srv[0])
	setSecret(t, h, con.ID, "key", boundSecret)
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv[0].URL, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Empty(t, resp.Request.Header)
	assert.Empty(t, req.Header)
}

func TestADeclarationThatBecameNarrowerIsToldApart(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	}), func(c *hub.Connector) {
		c.Hosts = append(c.Hosts, "later.example.com")
		c.Secrets = []hub.Secret{{Name: "key"}}
	})
	setSecret(t, h, "con", "key", "key-canary-0815")
	edit(t, h, "con", func(c *hub.Connector) { c.Secrets[0].Hosts = []string{"later.example.com"} })
	_, err := execute(t, h, "go")
	assert.Contains(t, failed(t, err, hub.Forbidden).Detail(), "which its declaration does not list")
	r, err := h.Readiness(t.Context(), "con")
	require.NoError(t, err)
	require.Len(t, r.Missing, 1)
	assert.Contains(t, r.Missing[0].Message, "add it to the secret's hosts")

	edit(t, h, "con", func(c *hub.Connector) { c.Secrets[0].Hosts = append(c.Secrets[0].Hosts, srv.Host()) })
	_, err = execute(t, h, "go")
	require.NoError(t, err, "the binding never changed")
}
