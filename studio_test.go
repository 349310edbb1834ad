package hub_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestConnectRequestSetsFourVariablesAndERR(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /ok", hubtest.JSON(201, map[string]string{"number": "INC1"}).Header("X-B", "2").Header("X-A", "1").Header("X-A", "0"))
	srv.Handle("POST /bad", hubtest.Text(422, "no such user"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, mapped("ok", "POST", srv.URL+"/ok"), mapped("bad", "POST", srv.URL+"/bad"))

	a, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "ok", RequestPayload: json.RawMessage(`{}`)})
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, a.Branch)
	require.NoError(t, a.Err)
	v := a.Variables()
	assert.Len(t, v, 5)
	assert.Equal(t, `{"number":"INC1"}`, v["requestBody"])
	assert.Equal(t, "", v["requestErrorDetails"])
	assert.Equal(t, "", v["ERR"])
	assert.Equal(t, hub.Proxy{StatusCode: 201, StatusDescription: "Created", Body: `{"number":"INC1"}`}, v["requestProxy"])
	headers, ok := v["requestHeadersList"].([]hub.Header)
	require.True(t, ok)
	assert.Contains(t, headers, hub.Header{Name: "X-A", Value: "0"})
	assert.IsNonDecreasing(t, names(headers))

	a, err = h.ConnectRequest(t.Context(), hub.ConnectRequestAction{
		ConnectName: "con", RequestName: "bad", RequestPayload: json.RawMessage(`{}`),
		RequestBodyVarName: "b", RequestErrorDetailsVarName: "e", RequestHeadersListVarName: "h", RequestProxyVarName: "p",
	})
	require.NoError(t, err)
	assert.Equal(t, hub.OnError, a.Branch)
	failed(t, a.Err, hub.Rejected)
	v = a.Variables()
	assert.Len(t, v, 5)
	assert.Equal(t, "no such user", v["b"])
	assert.Equal(t, `hub: Execute "con"/"bad": rejected (status 422): the third party answered status 422 (Unprocessable Entity)`, v["e"])
	assert.Equal(t, "the third party answered status 422 (Unprocessable Entity)", v["ERR"])
	assert.Equal(t, hub.Proxy{StatusCode: 422, StatusDescription: "Unprocessable Entity", Body: "no such user"}, v["p"])
	assert.NotEmpty(t, v["h"])
}

func names(list []hub.Header) []string {
	var out []string
	for _, h := range list {
		out = append(out, h.Name)
	}
	return out
}

func TestTheProxyAndTheHeadersEncodeAsScriptsReadThem(t *testing.T) {
	data, err := json.Marshal(map[string]any{"p": hub.Proxy{StatusCode: 200, StatusDescription: "OK", Body: "b"}, "h": []hub.Header{{Name: "A", Value: "1"}}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"p":{"statusCode":200,"statusDescription":"OK","body":"b"},"h":[{"name":"A","value":"1"}]}`, string(data))
}

// Whatever happens to a call is a branch of the script, and says why.
func TestConnectRequestBranches(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/hang", hubtest.Hang())
	srv.Handle("/ok", hubtest.Status(204))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, mapped("hang", "POST", srv.URL+"/hang"), manual("ok", "GET", srv.URL+"/ok"),
		mapped("off", "GET", srv.URL+"/ok", func(r *hub.Request) { r.State = hub.StateInactive }))
	for name, tt := range map[string]struct {
		connect, request, payload string
		branch                    hub.Branch
		code                      hub.Code
		short                     string
	}{
		"success":            {"con", "ok", "", hub.OnSuccess, "", ""},
		"timeout":            {"con", "hang", "{}", hub.OnTimeout, hub.Timeout, "no answer before the deadline"},
		"syntax":             {"con", "hang", "{", hub.OnError, hub.Invalid, "payload: is JSON that ends in the middle (at byte 1) (truncated)"},
		"no such connection": {"none", "ok", "", hub.OnError, hub.NotFound, `there is no connector "none"`},
		"no such request":    {"con", "none", "", hub.OnError, hub.NotFound, `there is no request "none" in the connector`},
		"inactive":           {"con", "off", "{}", hub.OnError, hub.Inactive, "the request is inactive"},
	} {
		t.Run(name, func(t *testing.T) {
			unhurried(t, func(ms int) bool {
				edit(t, h, con.ID, func(c *hub.Connector) { c.Requests[0].Timeout = ms })
				srv.Forget()
				a, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: tt.connect, RequestName: tt.request, RequestPayload: json.RawMessage(tt.payload)})
				require.NoError(t, err)
				assert.Equal(t, tt.branch, a.Branch)
				if tt.code == hub.Timeout && len(srv.Requests()) == 0 {
					return false
				}
				assert.Equal(t, tt.short, a.ERR)
				if tt.code != "" {
					failed(t, a.Err, tt.code)
					assert.Nil(t, a.Result)
					assert.Equal(t, hub.Proxy{}, a.Proxy)
					assert.Equal(t, []hub.Header{}, a.HeadersList, "a list without members, not nothing")
				}
				return true
			})
		})
	}
}

func TestConnectAuthShowsTheAnswerWithoutItsTokens(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789", time.Hour))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	a, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, a.Branch)
	v := a.Variables()
	assert.JSONEq(t, `{"access_token":"[secret]","token_type":"Bearer","expires_in":3600}`, v["authBody"].(string))
	assert.Equal(t, "", v["authErrorDetails"])
	assert.Equal(t, 200, v["authProxy"].(hub.Proxy).StatusCode)
	assert.NotEmpty(t, v["authHeadersList"])
	assert.Equal(t, "", v["ERR"])

	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.Equal(t, 1, received(srv, "/token"), "its token serves the calls to come")

	_, err = h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
	require.NoError(t, err)
	assert.Equal(t, 2, received(srv, "/token"), "the action itself always authenticates")
}

func TestConnectAuthBranches(t *testing.T) {
	names := hub.ConnectAuthAction{ConnectName: "con", AuthBodyVarName: "b", AuthErrorDetailsVarName: "e", AuthHeadersListVarName: "h", AuthProxyVarName: "p"}
	for name, tt := range map[string]struct {
		answer http.Handler
		branch hub.Branch
		status int
	}{
		"refused":     {hubtest.JSON(401, map[string]string{"error": "invalid_client"}), hub.OnError, 401},
		"no token":    {hubtest.JSON(200, map[string]string{}), hub.OnError, 200},
		"no answer":   {hubtest.Hang(), hub.OnTimeout, 0},
		"not allowed": {hubtest.Status(403), hub.OnError, 403},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", tt.answer)
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
				if tt.branch == hub.OnTimeout {
					c.Timeout = 150
				}
			})
			a, err := h.ConnectAuth(t.Context(), names)
			require.NoError(t, err)
			assert.Equal(t, tt.branch, a.Branch)
			v := a.Variables()
			assert.Equal(t, tt.status, v["p"].(hub.Proxy).StatusCode)
			assert.NotEmpty(t, v["e"])
			assert.NotEmpty(t, v["ERR"])
			assert.Contains(t, v, "b")
			assert.Contains(t, v, "h")
		})
	}

	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) {
		c.Name, c.Template = "plain", template(t, h, func(tpl *hub.Template) { tpl.Name = "plain" }).ID
	})
	a, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "plain"})
	require.NoError(t, err)
	assert.Equal(t, hub.OnError, a.Branch)
	assert.Equal(t, "the connector's template has no authentication", a.ERR)
}

func TestStudioProperties(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, mapped("fill", "POST", srv.URL, func(r *hub.Request) {
		r.Sample, r.PayloadSchema = json.RawMessage(`{"a":1}`), json.RawMessage(`{"type":"object"}`)
	}), dynamic(), manual("hand", "GET", srv.URL), mapped("off", "GET", srv.URL, func(r *hub.Request) { r.State = hub.StateInactive }))

	p, err := h.StudioProperties(t.Context(), con.ID, "fill")
	require.NoError(t, err)
	data, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, `{"connectName":"con","requestName":"fill","requestPayload":{"a":1},"payloadSchema":{"type":"object"},
		"requestBodyVarName":"requestBody","requestErrorDetailsVarName":"requestErrorDetails",
		"requestHeadersListVarName":"requestHeadersList","requestProxyVarName":"requestProxy"}`, string(data))

	p, err = h.StudioProperties(t.Context(), "con", "any")
	require.NoError(t, err)
	assert.JSONEq(t, hub.DynamicPayloadSchema, string(p.PayloadSchema))

	for request, code := range map[string]hub.Code{"hand": hub.Invalid, "off": hub.Inactive, "none": hub.NotFound} {
		_, err = h.StudioProperties(t.Context(), "con", request)
		failed(t, err, code)
	}
	_, err = h.PauseConnector(t.Context(), con.ID)
	require.NoError(t, err)
	_, err = h.StudioProperties(t.Context(), "con", "fill")
	failed(t, err, hub.Inactive)
}

func TestAnActionsVariablesHoldNoSecrets(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("X-Key"))
		_, _ = w.Write([]byte("you said " + r.Header.Get("X-Key")))
	}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
		manual("go", "GET", srv.URL, func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-canary-0815")))
	a, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "go"})
	require.NoError(t, err)
	data, err := json.Marshal(a.Variables())
	require.NoError(t, err)
	assert.NotContains(t, string(data), "canary")
	assert.Equal(t, "you said [secret]", a.Body)
}
