package hub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// faults are the ways in which a call goes wrong, and what upstream and hub do for it. Each
// upstream has the secret and the token before its eyes when it fails.
var faults = []struct {
	name    string
	code    hub.Code
	options func(*hub.Options)
	handler http.Handler
	close   bool
	timeout int
}{
	{name: "unreachable", code: hub.Unreachable, close: true},
	{name: "TLS failure", code: hub.Unreachable, options: func(o *hub.Options) { o.Egress.RootCAs = nil }},
	{name: "timeout", code: hub.Timeout, handler: hubtest.Hang(), timeout: 1500},
	{name: "timeout in the body", code: hub.Timeout, handler: hubtest.Text(200, "0123456789").HangAfter(5), timeout: 1500},
	{name: "dropped", code: hub.BadAnswer, handler: hubtest.Drop()},
	{name: "cut off", code: hub.BadAnswer, handler: hubtest.Text(200, "0123456789").DropAfter(5)},
	{name: "unauthorized", code: hub.Unauthorized, handler: hubtest.Status(401)},
	{name: "busy", code: hub.Rejected, handler: hubtest.Status(503).RetryAfter(3600)},
	{name: "redirect", code: hub.Rejected, handler: http.RedirectHandler("/?key=elsewhere", http.StatusFound)},
	{name: "bomb", code: hub.BadAnswer, handler: hubtest.Bytes(200, "text/plain", []byte(zipped(strings.Repeat("0", 30<<20)))).Header("Content-Encoding", "gzip")},
	{name: "not gzip", code: hub.BadAnswer, handler: hubtest.Text(200, "plain").Header("Content-Encoding", "gzip")},
	{name: "too large", code: hub.BadAnswer, handler: hubtest.Text(200, strings.Repeat("0", 4<<10)), options: func(o *hub.Options) { o.Limits.AnswerBytes = 1 << 10 }},
	{name: "header too large", code: hub.BadAnswer, handler: hubtest.Status(200).Header("X-Long", strings.Repeat("0", 64<<10)), options: func(o *hub.Options) { o.Limits.HeaderBytes = 8 << 10 }},
	{name: "output missing", code: hub.BadAnswer, handler: hubtest.JSON(200, map[string]int{"a": 1})},
}

// leaky puts a secret into every place of a request that can hold it.
func leaky(t *testing.T, h *hub.Tenant, srv *hubtest.Server, secret, token string) hub.Connector {
	t.Helper()
	con := tokenConnector(t, h, srv, func(c *hub.Connector) {
		c.Timeout = 20_000
		c.Requests = []hub.Request{{
			Name: "r", Method: "POST", URL: srv.URL + "/echo/[[key]]?q=[[key]]", Body: `{"k":"[[key]]"}`,
			Headers: []hub.Header{{Name: "X-Token", Value: "[[@auth.access_token]]"}},
			Outputs: map[string]hub.Output{"id": {Path: "missing.id"}},
		}}
	})
	srv.Handle("/token", hubtest.Token(token, time.Hour))
	setSecret(t, h, con.ID, "key", secret)
	return con
}

// Whatever goes wrong, the secrets show nowhere: errors of every method, their causes, events,
// logs, plans, definitions.
func TestNoFaultLeaksASecret(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			const token = "token-of-the-canary-01"
			secret := shapes[1]
			s := newSweep(t, secret, token)
			srv, trust := peers(t, 1)
			change := []func(*hub.Options){trust, s.watch}
			if tt.options != nil {
				change = append(change, tt.options)
			}
			h := open(t, change...).Tenant("acme")
			con := leaky(t, h, srv[0], secret, token)
			if tt.timeout > 0 {
				edit(t, h, con.ID, func(c *hub.Connector) { c.Timeout = tt.timeout })
			}
			if tt.handler != nil {
				srv[0].Handle("/echo/", tt.handler)
			}
			if tt.close {
				srv[0].Close()
			}
			res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
			require.ErrorIs(t, err, tt.code)
			s.check("Execute", err)
			s.check("Execute", res)
			s.roads(h, srv[0])
			s.definitions(h)
			s.end()
		})
	}
}

// roads takes the other ways out and checks their errors.
func (s *sweep) roads(h *hub.Tenant, srv *hubtest.Server) {
	s.t.Helper()
	ctx := s.t.Context()
	_, err := h.TestRequest(ctx, hub.Call{Connector: "con", Request: "r"})
	s.check("TestRequest", err)
	act, err := h.ConnectRequest(ctx, hub.ConnectRequestAction{ConnectName: "con", RequestName: "r"})
	require.NoError(s.t, err)
	s.check("ConnectRequest", act)
	s.check("ConnectRequest", act.Err)
	s.check("ConnectRequest", act.Variables())
	auth, err := h.Authenticate(ctx, "con")
	s.check("Authenticate", auth)
	s.check("Authenticate", err)
	_, err = h.TestConnector(ctx, "con")
	s.check("TestConnector", err)
	client, err := h.HTTPClient(ctx, "con")
	require.NoError(s.t, err)
	s.check("HTTPClient", client)
	s.check("HTTPClient", fetch(s.t, client, srv.URL+"/echo/x"))
}

// definitions reads all that can be read of a connector.
func (s *sweep) definitions(h *hub.Tenant) {
	s.t.Helper()
	ctx := s.t.Context()
	reads := map[string]func() (any, error){
		"Plan":           func() (any, error) { return h.Plan(ctx, hub.Call{Connector: "con", Request: "r"}) },
		"Readiness":      func() (any, error) { return h.Readiness(ctx, "con") },
		"GetConnector":   func() (any, error) { return h.GetConnector(ctx, "con") },
		"ListConnectors": func() (any, error) { return h.ListConnectors(ctx, hub.ListOptions{}) },
		"GetRequest":     func() (any, error) { return h.GetRequest(ctx, "con", "r") },
		"ListRequests":   func() (any, error) { return h.ListRequests(ctx, "con", "") },
		"ListSecrets":    func() (any, error) { return h.ListSecrets(ctx, "con") },
		"ListTemplates":  func() (any, error) { return h.ListTemplates(ctx, hub.ListOptions{}) },
		"PlanUpgrade":    func() (any, error) { return h.PlanUpgrade(ctx, "con", 0) },
		"the hub itself": func() (any, error) { return h, nil },
		"CopyConnector":  func() (any, error) { return h.CopyConnector(ctx, "con", "copy of "+time.Now().String()) },
	}
	for name, read := range reads {
		v, err := read()
		require.NoError(s.t, err, name)
		s.check(name, v)
	}
}

// What is wrong with a value is told without the value.
func TestNoErrorRepeatsASecretThatIsRefused(t *testing.T) {
	srv, trust := peers(t, 1)
	s := newSweep(t, shapes...)
	h := open(t, trust, s.watch, func(o *hub.Options) { o.Limits.ValueBytes = 64 }).Tenant("acme")
	con := tokenConnector(t, h, srv[0], func(c *hub.Connector) {
		c.TLS = &hub.TLS{Certificate: string(clientCertOf(t, srv[0])), Key: "tlsKey"}
		c.Secrets = append(c.Secrets, hub.Secret{Name: "tlsKey"})
		c.Requests[0].Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	})
	for _, secret := range shapes {
		err := h.SetSecret(t.Context(), con.ID, "key", secrets.New(strings.Repeat(secret, 20)))
		require.ErrorIs(t, err, hub.Invalid)
		s.check("too long", err)
		setSecret(t, h, con.ID, "key", secret)
		setSecret(t, h, con.ID, "tlsKey", secret) // no PEM
		for range 2 {
			_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
			require.ErrorIs(t, err, hub.NotReady)
			s.check("no key", err)
			ready, err := h.Readiness(t.Context(), "con")
			require.NoError(t, err)
			s.check("readiness", ready)
		}
	}
	setSecret(t, h, con.ID, "key", shapes[4]) // of several lines, on its way into a header
	edit(t, h, con.ID, func(c *hub.Connector) { c.TLS = nil })
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
	require.Error(t, err)
	s.check("line breaks in a header", err)
	require.Empty(t, srv[0].Requests()[min(1, len(srv[0].Requests())):])
	s.end()
}

func clientCertOf(t *testing.T, srv *hubtest.Server) []byte {
	t.Helper()
	cert, _, err := srv.ClientCert("hub")
	require.NoError(t, err)
	return cert
}

// schemas that a payload with the canary breaks, by keyword.
var brokenBy = map[string]string{
	"type": `{"type":"integer"}`, "enum": `{"enum":["a","b"]}`, "const": `{"const":"a"}`,
	"maxLength": `{"maxLength":3}`, "minLength": `{"minLength":300}`, "pattern": `{"pattern":"^[0-9]+$"}`, "format": `{"format":"date"}`,
	"not": `{"not":{"type":"string"}}`, "anyOf": `{"anyOf":[{"type":"null"},{"maxLength":1}]}`, "allOf": `{"allOf":[{"maxLength":1}]}`,
	"oneOf": `{"oneOf":[{"type":"null"},{"type":"integer"}]}`, "false": `false`, "if": `{"if":{"type":"string"},"then":{"maxLength":1}}`,
	"maximum": `{"maximum":1}`, "multipleOf": `{"multipleOf":7}`, "minItems": `{"minItems":9}`, "uniqueItems": `{"uniqueItems":true}`,
	"contains": `{"contains":{"type":"null"}}`, "required": `{"required":["absent"]}`, "minProperties": `{"minProperties":9}`,
	"dependentRequired": `{"dependentRequired":{"k":["absent"]}}`, "additionalProperties": `{"additionalProperties":false}`,
}

// A payload's values show in no error, whichever keyword of a schema they break.
func TestPayloadErrorsRepeatNoValue(t *testing.T) {
	const value, number = "canary: Jane Doe, born 1970-01-01", "98765432109876543"
	payloads := []string{
		`{"v":"` + value + `"}`, `{"v":` + number + `}`, `{"v":["` + value + `","` + value + `",` + number + `,` + number + `]}`, `{"v":{"k":"` + value + `"}}`,
	}
	broken := 0
	for keyword, schema := range brokenBy {
		s := newSweep(t, value, number)
		srv, trust := peers(t, 1)
		h := open(t, trust, s.watch).Tenant("acme")
		_, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h, func(tpl *hub.Template) { tpl.Name = keyword }).ID, Requests: []hub.Request{{
			Name: "r", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: srv[0].URL, Body: `{"v":"{{v}}"}`,
			PayloadSchema: json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"v":` + schema + `}}`),
		}}})
		require.NoError(t, err, keyword)
		refused := 0
		for _, payload := range payloads {
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r", Payload: []byte(payload)})
			if err == nil {
				continue
			}
			require.ErrorIs(t, err, hub.Invalid, keyword)
			s.check(keyword, err)
			var e *hub.Error
			require.ErrorAs(t, err, &e)
			s.check(keyword, e.Fields)
			s.check(keyword, e.Detail())
			refused++
		}
		assert.Positive(t, refused, "%s refuses nothing", keyword)
		broken += refused
		s.end()
	}
	t.Logf("%d payloads refused by %d keywords, none shown", broken, len(brokenBy))
}

// Nor in the errors of the guard before the schema, and of rendering after it.
func TestRenderErrorsRepeatNoValue(t *testing.T) {
	const value = "canary_Jane_Doe_1970"
	payloads := map[string]string{
		"cut": `{"v":"` + value, "trailing": `{"v":1}` + value, "duplicate": `{"v":"` + value + `","v":"` + value + `"}`,
		"not UTF-8": "{\"v\":\"" + value + "\xff\"}", "surrogate": `{"v":"` + value + `\ud800"}`, "number": `{"v":1e9999,"w":"` + value + `"}`,
		"line break in a header": `{"v":"` + value + `\r\nX-Evil: 1"}`, "object in a header": `{"v":{"k":"` + value + `"}}`,
		"dots in the path": `{"p":"..","v":"` + value + `"}`, "missing": `{"p":"x","w":"` + value + `"}`, "no object": `"` + value + `"`, "null": `{"v":null,"w":"` + value + `"}`,
		"envelope": `{"url":"` + value + `","method":"` + value + `","headers":{"` + "X Y" + `":"` + value + `"},"body":"` + value + `"}`,
		"URL":      `{"url":"https://canary-host.example/` + value + `","method":"GET"}`, "method": `{"url":"https://x.example","method":"` + value + `"}`,
		"media type": `{"url":"HOST","method":"POST","mediaType":"` + value + `","body":"` + value + `"}`,
		"reference":  `{"url":"HOST","method":"GET","headers":{"X-V":"[[` + value + `]]"}}`, "unknown": `{"` + "url" + `":"HOST","method":"GET","more":"` + value + `"}`, "header": `{"url":"HOST","method":"GET","headers":{"Host":"` + value + `"}}`,
		"query": `{"url":"HOST/?a=` + value + `&a=%zz","method":"GET"}`, "path": `{"url":"HOST/../` + value + `","method":"GET"}`,
	}
	for _, mode := range []hub.PayloadMode{hub.PayloadMapped, hub.PayloadDynamic} {
		s := newSweep(t, value)
		srv, trust := peers(t, 1)
		h := open(t, trust, s.watch).Tenant("acme")
		req := hub.Request{Name: "r", Trigger: hub.TriggerStudio, PayloadMode: mode}
		if mode == hub.PayloadMapped {
			req.Method, req.URL, req.Headers = "POST", srv[0].URL+"/{{p ?? \"a\"}}", []hub.Header{{Name: "X-V", Value: "{{v}}"}}
		}
		_, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h, func(tpl *hub.Template) { tpl.Name = string(mode) }).ID, Hosts: hostsOf(srv...), Requests: []hub.Request{req}})
		require.NoError(t, err)
		for what, payload := range payloads {
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r", Payload: []byte(withHost(payload, srv[0]))})
			require.Error(t, err, "%s %s", mode, what)
			if !strings.Contains(err.Error(), "canary-host") { // a host is named: it is how the refusal helps
				s.check(fmt.Sprintf("%s %s", mode, what), err)
			}
		}
		s.end()
	}
}

// A lent client's error names the address that its caller gave, and no secret.
func TestALentClientsErrorIsTheHubs(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, srv[0])
	setSecret(t, h, con.ID, "key", boundSecret)
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	err = fetch(t, client, "https://elsewhere.example/")
	require.ErrorIs(t, err, hub.Forbidden)
	var own *hub.Error
	require.True(t, errors.As(err, &own))
	var foreign *url.Error
	require.True(t, errors.As(err, &foreign))
	assert.Equal(t, "RoundTrip", own.Op)
}

// A value cannot be printed, also not by a panic's message.
func TestAPanicShowsNoSecret(t *testing.T) {
	v := secrets.New(shapes[0])
	defer func() {
		s := newSweep(t, shapes[0])
		s.check("panic", recover())
	}()
	panic(v)
}
