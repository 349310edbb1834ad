package hub_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestTestConnectorRunsTheTemplatesVerifyRequest(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("GET /me", hubtest.JSON(200, map[string]string{"name": "robot"}))
	h := open(t).Tenant("acme")
	tpl := template(t, h, func(tpl *hub.Template) {
		tpl.AuthType = hub.AuthOAuth2
		tpl.Fields = []hub.Field{{Key: "base"}, {Key: "key", Secret: true}}
		tpl.Verify = &hub.Verify{Method: "GET", URL: srv.URL + "/[[base]]", Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}},
			Success: &hub.Success{Statuses: []string{"200"}}}
	})
	con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Template, c.Variables = tpl.ID, map[string]string{"base": "me"} })

	_, err := h.TestConnector(t.Context(), "con")
	assert.Equal(t, []string{"secrets.key required"}, brokenRules(failed(t, err, hub.NotReady)))

	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))
	res, err := h.TestConnector(t.Context(), "con")
	require.NoError(t, err)
	assert.Equal(t, "robot", res.Get("name").String())
	sent := srv.Requests()
	require.Len(t, sent, 2)
	assert.Equal(t, "/me", sent[1].Target)
	assert.Equal(t, "key-0123456789", sent[1].Header.Get("X-Key"))
	assert.Equal(t, "Bearer tok-0000000001", sent[1].Header.Get("Authorization"))

	srv.Handle("GET /me", hubtest.Status(204))
	_, err = h.TestConnector(t.Context(), "con")
	e := failed(t, err, hub.Rejected)
	assert.Equal(t, 204, e.Status, "Verify has its own idea of success")
}

func TestTestConnectorWithoutVerifyAuthenticates(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	res, err := h.TestConnector(t.Context(), "con")
	require.NoError(t, err)
	assert.Equal(t, "[secret]", res.Get("access_token").String())
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.Equal(t, 1, received(srv, "/token"), "what the test fetched is used")

	srv.Handle("POST /token", hubtest.JSON(401, map[string]string{"error": "invalid_client"}))
	res, err = h.TestConnector(t.Context(), "con")
	e := failed(t, err, hub.Unauthorized)
	assert.Equal(t, 401, res.Status)
	assert.Contains(t, e.Detail(), `"invalid_client"`)
}

func TestTestConnectorWithNothingToTestSaysSo(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv)
	_, err := h.TestConnector(t.Context(), "con")
	e := failed(t, err, hub.Invalid)
	assert.Contains(t, e.Detail(), "nothing to test")
	_, err = h.Authenticate(t.Context(), "con")
	failed(t, err, hub.Invalid)
}

func TestAConnectorWithoutItsAuthenticationRequestIsNotReady(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.Auth.Kind = hub.AuthOAuth2 }, manual("go", "GET", srv.URL))
	for name, f := range map[string]func() error{
		"Execute":       func() error { _, err := execute(t, h, "go"); return err },
		"Authenticate":  func() error { _, err := h.Authenticate(t.Context(), "con"); return err },
		"TestConnector": func() error { _, err := h.TestConnector(t.Context(), "con"); return err },
	} {
		assert.Equal(t, []string{"auth.request required"}, brokenRules(failed(t, f(), hub.NotReady)), name)
	}
}

func TestTestRequestTakesTheSampleOrAPayload(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("hand", "GET", srv.URL+"/hand"),
		mapped("fill", "GET", srv.URL+"/{{id}}", func(r *hub.Request) { r.Sample = json.RawMessage(`{"id":"sample"}`) }),
		mapped("bare", "GET", srv.URL+"/{{id}}"),
		dynamic(func(r *hub.Request) { r.Sample = json.RawMessage(`{"method":"GET","url":"` + srv.URL + `/described"}`) }))
	for name, tt := range map[string]struct{ request, payload, want string }{
		"manual":                {"hand", "", "/hand"},
		"with its sample":       {"fill", "", "/sample"},
		"with a payload":        {"fill", `{"id":"given"}`, "/given"},
		"dynamic":               {"any", "", "/described"},
		"without any":           {"bare", "", ""},
		"payload for a manual":  {"hand", `{}`, ""},
		"a payload that is bad": {"fill", `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Forget()
			_, err := h.TestRequest(t.Context(), hub.Call{Connector: "con", Request: tt.request, Payload: json.RawMessage(tt.payload)})
			if tt.want == "" {
				e := failed(t, err, hub.Invalid)
				assert.Equal(t, "TestRequest", e.Op)
				assert.Empty(t, srv.Requests())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 1, received(srv, tt.want))
		})
	}
	_, err := execute(t, h, "fill")
	failed(t, err, hub.Invalid)
}
