package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/ratelimit"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// telling answers a call with what was sent.
type telling struct{}

func (telling) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	answer, err := json.Marshal(map[string]any{
		"method": req.Method, "url": req.URL.String(), "header": req.Header, "body": string(body), "access_token": "the-token-of-all",
	})
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: req,
	}, err
}

// demanded lets everything pass, and notes what was asked for.
type demanded struct{ list []ratelimit.Demand }

func (d *demanded) Take(_ context.Context, _ string, demands []ratelimit.Demand, _ time.Duration) (ratelimit.Turn, error) {
	d.list = append(d.list, demands...)
	return ratelimit.Turn{OK: true}, nil
}

// alike is a definition that the connectors of several tenants have in common.
type alike struct {
	tpl     hub.Template
	con     hub.Connector
	secrets map[string]string
	payload string
	allowed []string // hosts that are left of the template's in the end; nil: all
}

func newAlike() *alike {
	return &alike{
		tpl: hub.Template{
			Name: "App", Methods: []string{"GET", "POST"}, AuthType: hub.AuthAPIKey,
			Fields:  []hub.Field{{Key: "site"}, {Key: "apiKey", Secret: true}},
			Headers: []hub.TemplateHeader{{Name: "X-Template", Default: "from [[site]]"}},
		},
		con: hub.Connector{
			Name: "con", Hosts: []string{"*.example.com"}, Variables: map[string]string{"site": "one", "kind": "plain"},
			Secrets: []hub.Secret{{Name: "second"}}, Headers: []hub.Header{{Name: "X-Connector", Value: "[[kind]]"}},
			Auth: hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InHeader, Name: "X-Api-Key", Value: "[[apiKey]]"}},
			Requests: []hub.Request{
				{
					Name: "create", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: "https://[[site]].example.com/{{id}}",
					Headers: []hub.Header{{Name: "X-Second", Value: "[[second]]"}}, Body: `{"kind":"[[kind]]","text":"{{text}}"}`,
					PayloadSchema: json.RawMessage(`{"type":"object","properties":{"text":{"maxLength":20}}}`),
					Outputs:       map[string]hub.Output{"url": {Path: "url"}, "body": {Path: "body"}},
				},
				{Name: "list", Method: "GET", URL: "https://api.example.com/things", Outputs: map[string]hub.Output{"url": {Path: "url"}}},
			},
		},
		secrets: map[string]string{"apiKey": "key-of-the-api", "second": "the-second-key"},
		payload: `{"id":"a b","text":"said"}`,
	}
}

// newAlikeWithTokens fetches tokens at a host that its calls do not go to.
func newAlikeWithTokens() *alike {
	a := newAlike()
	a.tpl.AuthType = hub.AuthClientCredentials
	a.con.Auth = hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{
		TokenURL: "https://login.example.com/token", ClientID: "client", ClientSecret: "[[apiKey]]", ClientAuth: hub.ClientPost,
	}}
	return a
}

// save makes template and connector in a tenant, and returns the connector.
func (a *alike) save(t testing.TB, h *hub.Tenant) hub.Connector {
	t.Helper()
	_, con, err := h.CreateTemplateAndConnector(t.Context(), a.tpl, a.con)
	require.NoError(t, err)
	for name, value := range a.secrets {
		require.NoError(t, h.SetSecret(t.Context(), con.ID, name, secrets.New(value)))
	}
	if a.allowed != nil {
		require.NoError(t, h.RestrictTemplate(t.Context(), con.Template, a.allowed))
	}
	return con
}

// told is all that calls of a connector show of its definition.
func (a *alike) told(t testing.TB, h *hub.Tenant, limiter *demanded) string {
	t.Helper()
	var told []any
	for _, r := range a.con.Requests {
		call := hub.Call{Connector: a.con.Name, Request: r.Name}
		if r.Trigger == hub.TriggerStudio {
			call.Payload = json.RawMessage(a.payload)
		}
		plan, err := h.Plan(t.Context(), call)
		told = append(told, plan, fmt.Sprint(err))
		res, err := h.Execute(t.Context(), call)
		if res != nil {
			told = append(told, res.Branch, res.Status, string(res.Body), res.Outputs, len(res.Attempts))
		}
		told = append(told, fmt.Sprint(err))
	}
	ready, err := h.Readiness(t.Context(), a.con.Name)
	told = append(told, ready, fmt.Sprint(err), limiter.list)
	limiter.list = nil
	data, err := json.MarshalIndent(told, "", " ")
	require.NoError(t, err)
	return string(data)
}

// What differs in one thing, of those that a plan is made of.
var different = map[string]func(*alike){
	"nothing":                  func(*alike) {},
	"a variable's value":       func(a *alike) { a.con.Variables["kind"] = "fancy" },
	"a variable in a host":     func(a *alike) { a.con.Variables["site"] = "two" },
	"a variable without value": func(a *alike) { delete(a.con.Variables, "site") },
	"a secret's value":         func(a *alike) { a.secrets["second"] = "another-second-key" },
	"a secret that is not set": func(a *alike) { delete(a.secrets, "second") },
	"a secret's hosts":         func(a *alike) { a.con.Secrets[0].Hosts = []string{"api.example.com"} },
	"a secret's places":        func(a *alike) { a.con.Secrets[0].Places = []string{"header:X-Second"} },
	"a secret for a variable": func(a *alike) {
		delete(a.con.Variables, "kind")
		a.con.Secrets, a.secrets["kind"] = append(a.con.Secrets, hub.Secret{Name: "kind"}), "a-secret-kind"
	},
	"a variable for a secret": func(a *alike) {
		a.con.Secrets, a.con.Variables["second"] = nil, "no-secret"
		delete(a.secrets, "second")
	},
	"a field that is secret": func(a *alike) {
		a.tpl.Fields = append(a.tpl.Fields, hub.Field{Key: "kind", Secret: true})
		delete(a.con.Variables, "kind")
		a.secrets["kind"] = "kind-of-a-field"
	},
	"a field's default":      func(a *alike) { a.tpl.Fields[0].Default = "three"; delete(a.con.Variables, "site") },
	"a required field":       func(a *alike) { a.tpl.Fields[0].Required = true; delete(a.con.Variables, "site") },
	"hosts":                  func(a *alike) { a.con.Hosts = []string{"one.example.com", "api.example.com"} },
	"a template's header":    func(a *alike) { a.tpl.Headers[0].Default = "changed" },
	"a template's attempts":  func(a *alike) { a.tpl.Limits.Attempts = 1 },
	"a template's answers":   func(a *alike) { a.tpl.Limits.ResponseBytes = 100 },
	"a template's id":        func(a *alike) { a.tpl.ID = "another" },
	"a connector's header":   func(a *alike) { a.con.Headers[0].Value = "changed" },
	"a connector's timeout":  func(a *alike) { a.con.Timeout = 1234 },
	"a connector's rate":     func(a *alike) { a.con.RateLimit = &hub.RateLimit{Requests: 1000, Per: 1000} },
	"hosts that are left":    func(a *alike) { a.allowed = []string{"two.example.com"} },
	"a paused connector":     func(a *alike) { a.con.Paused = true },
	"where the key stands":   func(a *alike) { a.con.Auth.APIKey.In = hub.InQuery },
	"what the key is called": func(a *alike) { a.con.Auth.APIKey.Name = "X-Key" },
	"a request's order":      func(a *alike) { r := a.con.Requests; r[0], r[1] = r[1], r[0] },
	"a request's name":       func(a *alike) { a.con.Requests[1].Name = "all" },
	"a request's state":      func(a *alike) { a.con.Requests[1].State = hub.StateInactive },
	"a request's URL":        func(a *alike) { a.con.Requests[1].URL += "?x=1" },
	"a request's header":     func(a *alike) { a.con.Requests[0].Headers[0].Value = "x [[second]]" },
	"a request's body":       func(a *alike) { a.con.Requests[0].Body = `{"text":"{{text}}"}` },
	"a request's schema": func(a *alike) {
		a.con.Requests[0].PayloadSchema = json.RawMessage(`{"properties":{"text":{"maxLength":1}}}`)
	},
	"a request's outputs":  func(a *alike) { a.con.Requests[0].Outputs = map[string]hub.Output{"b": {Path: "body"}} },
	"a request's contract": func(a *alike) { a.con.Requests[1].OutputSchema = json.RawMessage(`{"required":["x"]}`) },
	"a request's timeout":  func(a *alike) { a.con.Requests[1].Timeout = 999 },
	"a request's attempts": func(a *alike) { a.con.Requests[1].Retry = &hub.Retry{Attempts: 2} },
	"a request's success":  func(a *alike) { a.con.Requests[1].Success = &hub.Success{Statuses: []string{"201"}} },
	"a request's rules": func(a *alike) {
		a.con.Requests[1].Responses = []hub.ResponseRule{{Then: hub.VerdictFail, Message: "no"}}
	},
	"a request's rate":        func(a *alike) { a.con.Requests[1].RateLimit = &hub.RateLimit{Requests: 1000, Per: 1000} },
	"a rate that is the same": func(a *alike) { a.con.Requests[1].RateLimit = &hub.RateLimit{Requests: 1000, Per: 1000} },
	"a request's substitute":  func(a *alike) { a.con.Requests[1].Fallback = &hub.Fallback{StaleFor: 60} },
	"a request without a key": func(a *alike) { a.con.Requests[0].Headers = nil },
}

// A hub that runs many connectors which are alike treats each of them as a hub does that runs
// nothing else.
func TestAConnectorAmongOthersThatAreAlikeIsAsItIsAlone(t *testing.T) {
	store := memory.New()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	hubOn := func() (*hub.Hub, *demanded) {
		limiter := new(demanded)
		h, err := hub.New(store, keeper, &hub.Options{RateLimiter: limiter})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
		hub.SendThrough(h, telling{})
		return h, limiter
	}
	all, limiter := hubOn()
	seen := map[string]string{}
	for range 2 { // whoever came first
		for name, change := range different {
			a := newAlike()
			change(a)
			if seen[name] == "" {
				a.save(t, all.Tenant(name))
				alone, limiter := hubOn()
				seen[name] = a.told(t, alone.Tenant(name), limiter)
			}
			assert.Equal(t, seen[name], a.told(t, all.Tenant(name), limiter), name)
		}
	}
}

// One definition is compiled once, whoever has it; an edit leaves the others what they had.
func TestConnectorsThatAreAlikeShareWhatIsCompiled(t *testing.T) {
	h := open(t)
	hub.SendThrough(h, telling{})
	tenants := make([]*hub.Tenant, 20)
	told, sizes := "", make([]int64, len(tenants))
	for i := range tenants {
		tenants[i] = h.Tenant(fmt.Sprintf("tenant %02d", i))
		a := newAlike()
		a.con.Variables["site"] = fmt.Sprintf("site-%02d", i)
		a.save(t, tenants[i])
		one := strings.ReplaceAll(a.told(t, tenants[i], new(demanded)), a.con.Variables["site"], "here")
		require.Contains(t, one, `"OnSuccess"`)
		require.Contains(t, one, "https://here.example.com/a%20b")
		if told == "" {
			told = one
		}
		require.Equal(t, told, one)
		sizes[i] = hub.PlanBytes(h)
	}
	outlines, requests, templates, schemas := hub.Shared(h)
	require.Equal(t, []int{1, 2, 1, 1}, []int{outlines, requests, templates, schemas})
	own := sizes[1] - sizes[0]
	assert.Less(t, own, sizes[0]-own, "what is shared counts once")
	assert.Equal(t, own*int64(len(tenants)-1), sizes[len(tenants)-1]-sizes[0])

	con, err := tenants[3].GetConnector(t.Context(), "con")
	require.NoError(t, err)
	con.Requests[0].Body, con.Headers[0].Value = `{"text":"edited"}`, "edited"
	_, err = tenants[3].UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	for i, tenant := range tenants {
		now := newAlike().told(t, tenant, new(demanded))
		assert.Equal(t, i == 3, strings.Contains(now, "edited"))
		assert.Equal(t, i == 3, told != strings.ReplaceAll(now, fmt.Sprintf("site-%02d", i), "here"))
	}
	for _, tenant := range tenants {
		con, err := tenant.GetConnector(t.Context(), "con")
		require.NoError(t, err)
		require.NoError(t, tenant.DeleteConnector(t.Context(), con.ID, con.Revision))
	}
	assert.Zero(t, hub.PlanBytes(h))
	assert.Zero(t, hub.PlanParts(h))
}

// Calls of connectors that share, their edits and new ones, all at once: each call is that of
// its own connector.
func TestCallsEditsAndLoadsOfConnectorsThatShare(t *testing.T) {
	h := open(t, func(o *hub.Options) { o.Limits.PlanBytes = 60 << 10 }) // some are loaded again
	hub.SendThrough(h, telling{})
	tenants := make([]*hub.Tenant, 12)
	for i := range tenants {
		tenants[i] = h.Tenant(fmt.Sprint("tenant", i))
		a := newAlike()
		a.con.Variables["site"] = fmt.Sprint("site", i)
		a.secrets["second"] = fmt.Sprint("second-key-of-", i)
		a.save(t, tenants[i])
	}
	together(2*len(tenants), func(n int) {
		i, a := n/2, newAlike()
		for round := range 10 {
			if n%2 == 0 && round%3 == 2 {
				_, err := tenants[i].PauseConnector(t.Context(), "con")
				assert.NoError(t, err)
				_, err = tenants[i].ResumeConnector(t.Context(), "con")
				assert.NoError(t, err)
			}
			res, err := tenants[i].Execute(t.Context(), hub.Call{Connector: "con", Request: "create", Payload: json.RawMessage(a.payload)})
			if errors.Is(err, hub.Inactive) {
				continue
			}
			if assert.NoError(t, err) {
				assert.Equal(t, fmt.Sprintf("https://site%d.example.com/a%%20b", i), res.Outputs["url"])
				assert.Equal(t, `{"kind":"plain","text":"said"}`, res.Outputs["body"])
				assert.Equal(t, "[secret]", res.Get("header.X-Second.0").Str, "its own secret, which is known")
			}
		}
	})
}

// scribbling is a limiter that writes on what it is given.
type scribbling struct {
	mu   sync.Mutex
	seen [][]ratelimit.Demand
}

func (s *scribbling) Take(_ context.Context, _ string, demands []ratelimit.Demand, _ time.Duration) (ratelimit.Turn, error) {
	s.mu.Lock()
	s.seen = append(s.seen, slices.Clone(demands))
	s.mu.Unlock()
	clear(demands)
	return ratelimit.Turn{OK: true}, nil
}

// A limiter that writes on the demands of one connector leaves those of the others alone.
func TestDemandsOfConnectorsThatShareAreTheirOwn(t *testing.T) {
	limiter := new(scribbling)
	h := open(t, func(o *hub.Options) { o.RateLimiter = limiter })
	hub.SendThrough(h, telling{})
	a := newAlike()
	a.con.RateLimit = &hub.RateLimit{Requests: 1000, Per: 1000}
	tenants := []*hub.Tenant{h.Tenant("one"), h.Tenant("two"), h.Tenant("three"), h.Tenant("four")}
	for _, tenant := range tenants {
		a.save(t, tenant)
	}
	together(len(tenants), func(i int) {
		for range 10 {
			_, err := tenants[i].Execute(t.Context(), hub.Call{Connector: "con", Request: "list"})
			assert.NoError(t, err)
		}
	})
	require.Len(t, limiter.seen, 10*len(tenants))
	for _, demands := range limiter.seen {
		require.Equal(t, []ratelimit.Demand{{Key: "connector", Limit: ratelimit.Limit{Requests: 1000, Per: time.Second, Burst: 1000}}}, demands)
	}
}

// A record that breaks rules, from a store that others write to, is nobody else's trouble: not of
// those that come after it, and those before are no help to it.
func TestWhatIsBrokenIsNotShared(t *testing.T) {
	type damage struct {
		of       func() *alike
		old, new string
	}
	for name, damage := range map[string]damage{
		"a variable named as a secret": {newAlike, `"variables":{`, `"variables":{"second":"no secret",`},
		"a host that is not listed":    {newAlike, `"hosts":["*.example.com"]`, `"hosts":["api.example.com"]`},
		"a token from nowhere":         {newAlikeWithTokens, `"hosts":["*.example.com"]`, `"hosts":["api.example.com"]`},
	} {
		store := memory.New()
		keeper, err := keyset.Generate()
		require.NoError(t, err)
		told := func(tenants ...string) (list []string) {
			limiter := new(demanded)
			h, err := hub.New(store, keeper, &hub.Options{RateLimiter: limiter})
			require.NoError(t, err)
			defer func() { require.NoError(t, h.Close(context.Background())) }()
			hub.SendThrough(h, telling{})
			for _, tenant := range tenants {
				list = append(list, damage.of().told(t, h.Tenant(tenant), limiter))
			}
			return list
		}
		h, err := hub.New(store, keeper, nil)
		require.NoError(t, err)
		broken := damage.of().save(t, h.Tenant("broken"))
		damage.of().save(t, h.Tenant("whole"))
		require.NoError(t, h.Close(t.Context()))
		rec, err := store.Get(t.Context(), storage.Key{Tenant: "broken", Kind: "connector", ID: broken.ID})
		require.NoError(t, err)
		before := rec.Revision
		rec.Data = bytes.Replace(rec.Data, []byte(damage.old), []byte(damage.new), 1)
		rec.Revision++
		require.NoError(t, store.Apply(t.Context(), storage.Update(rec, before)))

		alone := append(told("broken"), told("whole")...)
		require.NotEqual(t, alone[0], alone[1], name)
		assert.Equal(t, alone, told("broken", "whole"), name)
		assert.Equal(t, []string{alone[1], alone[0]}, told("whole", "broken"), name)
	}
}
