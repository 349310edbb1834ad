package hub_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// planned is a connector with something from every source.
func planned(t *testing.T, h *hub.Tenant, srv *hubtest.Server) hub.Connector {
	tpl := template(t, h, func(tpl *hub.Template) {
		tpl.AuthType = hub.AuthOAuth2
		tpl.Fields = []hub.Field{{Key: "region"}}
		tpl.Headers = []hub.TemplateHeader{{Name: "X-Template", Default: "t-[[region]]"}}
		tpl.Limits.Attempts = 2
	})
	return connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Template = tpl.ID
		c.Variables = map[string]string{"region": "eu", "base": "api"}
		c.Secrets = []hub.Secret{{Name: "key"}, {Name: "unused"}}
		c.Headers = []hub.Header{{Name: "X-Connector", Value: "[[key]]"}}
	}, mapped("go", "POST", srv.URL+"/[[base]]/{{id}}", func(r *hub.Request) {
		r.Query = []hub.Param{{Name: "k", Value: "x [[key]]"}, {Name: "d", Value: `{{absent ?? "dflt"}}`}}
		r.Headers = []hub.Header{{Name: "X-Own", Value: "v"}}
		r.MediaType, r.Body = "application/json", `{"t":"{{text}}","k":"[[key]]"}`
		r.Timeout, r.Sample = 4000, json.RawMessage(`{"id":"s","text":"sample"}`)
	}))
}

func TestAPlanIsTheExactRequestWithSecretsAsNames(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	con := planned(t, h, srv)
	payload := json.RawMessage(`{"id":"a/b","text":"Hi"}`)
	check := func() {
		p, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go", Payload: payload})
		require.NoError(t, err)
		assert.Equal(t, "POST", p.Method)
		assert.Equal(t, srv.URL+"/api/a%2Fb?k=x%20[[key]]&d=dflt", p.URL)
		assert.Equal(t, "Bearer [[@auth.access_token]]", p.Header.Get("Authorization"))
		assert.Equal(t, "t-eu", p.Header.Get("X-Template"))
		assert.Equal(t, "[[key]]", p.Header.Get("X-Connector"))
		assert.JSONEq(t, `{"t":"Hi","k":"[[key]]"}`, p.Body)
		assert.Equal(t, 4*time.Second, p.Timeout)
		assert.Equal(t, 2, p.Attempts)
		assert.Equal(t, []string{"key"}, p.Secrets)
		assert.Equal(t, []string{srv.Host()}, p.Hosts)
		assert.Empty(t, srv.Requests(), "nobody is asked")
	}
	check() // without a secret set
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-canary-0815")))
	check()
}

func TestAPlanTellsWhereEveryPartComesFrom(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	planned(t, h, srv)
	p, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go", Payload: json.RawMessage(`{"id":"1","text":"Hi"}`)})
	require.NoError(t, err)
	sources := map[string][]hub.Source{}
	for _, part := range p.Parts {
		sources[part.Place] = append(sources[part.Place], part.Sources...)
	}
	for place, want := range map[string][]hub.Source{
		"origin":               {{Kind: "definition", Name: "requests[1].url"}},
		"path":                 {{Kind: "definition", Name: "requests[1].url"}, {Kind: "variable", Name: "base"}, {Kind: "payload", Name: "id"}},
		"query:k":              {{Kind: "definition", Name: "requests[1].query[0]"}, {Kind: "secret", Name: "key"}},
		"query:d":              {{Kind: "default", Name: "absent"}},
		"header:X-Template":    {{Kind: "definition", Name: "template.headers[0]"}, {Kind: "variable", Name: "region"}},
		"header:X-Connector":   {{Kind: "secret", Name: "key"}},
		"header:X-Own":         {{Kind: "definition", Name: "requests[1].headers[0]"}},
		"header:Authorization": {{Kind: "auth", Name: "access_token"}},
		"body":                 {{Kind: "definition", Name: "requests[1].body"}, {Kind: "payload", Name: "text"}, {Kind: "secret", Name: "key"}},
	} {
		assert.Subset(t, sources[place], want, place)
	}
}

// What a plan shows is what is sent, with the names in place of the values.
func TestAPlanIsWhatIsSent(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789", time.Hour))
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	con := planned(t, h, srv)
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("[[key]]"))) // its own name as its value
	call := hub.Call{Connector: "con", Request: "go", Payload: json.RawMessage(`{"id":"1","text":"Hi"}`)}
	p, err := h.Plan(t.Context(), call)
	require.NoError(t, err)
	_, err = h.Execute(t.Context(), call)
	require.NoError(t, err)
	sent := srv.Requests()[1]
	assert.Equal(t, p.Method, sent.Method)
	assert.Equal(t, p.Body, string(sent.Body))
	for name, values := range p.Header {
		if name != "Authorization" {
			assert.Equal(t, values, sent.Header[name], name)
		}
	}
	assert.Equal(t, srv.URL+"/api/1?k=x%20%5B%5Bkey%5D%5D&d=dflt", srv.URL+sent.Target)
}

func TestAPlanUsesTheSampleWhereNoPayloadIsGiven(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	planned(t, h, srv)
	p, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"t":"sample","k":"[[key]]"}`, p.Body)
}

func TestAPlanNeedsNoPlaceAndNoActiveRequest(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.TenantCalls, o.Limits.QueuedCalls = 1, 1 }).Tenant("acme")
	con := connector(t, h, srv, manual("go", "GET", srv.URL), manual("off", "GET", srv.URL, func(r *hub.Request) { r.State = hub.StateInactive }))
	call := start(t, h, "con", "go")
	<-d.entered
	for _, name := range []string{"go", "off"} {
		_, err := h.Plan(t.Context(), hub.Call{Connector: con.ID, Request: name})
		require.NoError(t, err)
	}
	close(d.leave)
	require.NoError(t, <-call)
}

func TestAPlanFailsAsTheCallWould(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	planned(t, h, srv)
	con, err := h.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "any", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		request, payload string
		code             hub.Code
	}{
		"no such request":    {"none", "", hub.NotFound},
		"a broken payload":   {"go", "{", hub.Invalid},
		"a missing value":    {"go", "{}", hub.Invalid},
		"a forbidden host":   {"any", `{"method":"GET","url":"https://elsewhere.example"}`, hub.Forbidden},
		"an unplaced secret": {"any", `{"method":"GET","url":"` + srv.URL + `/[[key]]"}`, hub.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: tt.request, Payload: json.RawMessage(tt.payload)})
			e := failed(t, err, tt.code)
			assert.Equal(t, "Plan", e.Op)
		})
	}
	assert.Empty(t, srv.Requests())
}

// Plans share what is compiled; none may write to it.
func TestConcurrentPlansOfOneConnector(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	planned(t, h, srv)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			p, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
			if assert.NoError(t, err) {
				p.Header.Set("X-Own", "mine now")
				p.Hosts[0] = "mine now"
			}
		})
	}
	wg.Wait()
	p, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
	require.NoError(t, err)
	assert.Equal(t, "v", p.Header.Get("X-Own"))
	assert.Equal(t, []string{srv.Host()}, p.Hosts)
}

func TestAPlanShowsNoTokenHoweverItIsReferredTo(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/token", hubtest.JSON(200, map[string]any{
		"access_token": "canary-access", "nested": map[string]any{"refresh_token": "canary-refresh", "id": 7},
		"tokens": []any{"canary-list"}, "copy": "x canary-access", "region": "eu",
	}))
	for ref, shown := range map[string]string{
		"access_token":       `"[[@auth.access_token]]"`,
		`access_tok\\en`:     `"[[@auth.access_tok\\en]]"`,
		"nested":             `"[[@auth.nested]]"`,
		"nested.refresh_tok": "",
		"nested.id":          "7",
		"tokens":             `"[[@auth.tokens]]"`,
		"tokens.0":           `"[[@auth.tokens.0]]"`,
		"copy":               `"[[@auth.copy]]"`,
		"region":             `"eu"`,
	} {
		t.Run(ref, func(t *testing.T) {
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), manual("go", "POST", srv.URL, func(r *hub.Request) {
				r.MediaType, r.Body = "application/json", `{"v":"[[@auth.`+ref+`]]"}`
			}))
			_, err := h.Authenticate(t.Context(), "con")
			require.NoError(t, err)
			p, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "go"})
			if shown == "" {
				assert.Equal(t, []string{"requests[1].body missing-value"}, brokenRules(failed(t, err, hub.Invalid)))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, `{"v":`+shown+`}`, p.Body)
			assert.NotContains(t, fmt.Sprintf("%+v", p), "canary")
		})
	}
}
