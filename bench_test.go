package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// The call that is measured: a payload of some 600 bytes with its schema, references in path,
// query, header and body, a secret, a bearer token, an answer of 1 KiB and two outputs of it.
const (
	benchPayload = `{"customer":{"id":"c-4711-0815","name":"Jörg Müller","email":"joerg.mueller@example.com","tier":"gold"},` +
		`"contact":{"channel":"voice","queue":"billing","startedAt":"2026-03-01T09:30:00Z","duration":341},` +
		`"ticket":{"subject":"Invoice 2026-117 was charged twice","priority":2,"tags":["billing","refund","urgent"],` +
		`"description":"The customer says that the invoice of February was charged twice, on the 3rd and on the 5th. Please check and refund the second one if that is so. Call back after noon.",` +
		`"amount":129.95,"currency":"EUR","callback":true},"agent":{"id":90210,"team":"north"}}`

	benchSchema = `{"type":"object","required":["customer","ticket","agent"],"properties":{
		"customer":{"type":"object","required":["id","email"],"additionalProperties":false,"properties":{
			"id":{"type":"string","pattern":"^c-[0-9]+-[0-9]+$"},"name":{"type":"string","maxLength":200},
			"email":{"type":"string","format":"email"},"tier":{"enum":["basic","silver","gold"]}}},
		"contact":{"type":"object","properties":{"channel":{"enum":["voice","chat","mail"]},"queue":{"type":"string"},
			"startedAt":{"type":"string","format":"date-time"},"duration":{"type":"integer","minimum":0}}},
		"ticket":{"type":"object","required":["subject","priority"],"properties":{
			"subject":{"type":"string","minLength":1,"maxLength":120},"priority":{"type":"integer","minimum":1,"maximum":4},
			"tags":{"type":"array","items":{"type":"string","maxLength":40},"maxItems":10,"uniqueItems":true},
			"description":{"type":"string","maxLength":4000},"amount":{"type":"number","minimum":0},
			"currency":{"type":"string","minLength":3,"maxLength":3},"callback":{"type":"boolean"}}},
		"agent":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"team":{"type":"string"}}}}}`

	benchBody = `{"title":"{{ticket.subject}}","text":"{{ticket.description}}","priority":"{{ticket.priority}}",` +
		`"tags":"{{ticket.tags}}","amount":{"value":"{{ticket.amount}}","currency":"{{ticket.currency}}"},` +
		`"requester":"{{customer.name}} <{{customer.email}}>","source":"[[source]]","agent":"{{agent.id}}"}`
)

var benchAnswer = []byte(fmt.Sprintf(`{"result":{"number":"INC0012345","id":987654321,"state":"open","text":%q},"links":{"self":"https://api.example.com/v2/incidents/987654321"}}`,
	strings.Repeat("All work and no play makes a long answer. ", 21)))

// stub answers at once: a token to whoever asks for one, and benchAnswer to everybody else.
type stub struct{}

func (stub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Reused: true})
	}
	answer := benchAnswer
	if strings.HasPrefix(req.URL.Host, "login.") {
		answer = stubToken
	}
	a := new(stubAnswer)
	a.body.Reset(answer)
	a.response = http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: stubHeader, Body: &a.body, ContentLength: int64(len(answer)), Request: req,
	}
	return &a.response, nil
}

// stubAnswer is an answer in one piece of memory: what is measured is the hub's.
type stubAnswer struct {
	response http.Response
	body     stubBody
}

type stubBody struct{ bytes.Reader }

func (*stubBody) Close() error { return nil }

// stubHeader is shared by the answers: nothing in them makes the hub write to it.
var stubHeader = http.Header{"Content-Type": {"application/json"}, "Date": {"Sun, 01 Mar 2026 09:30:00 GMT"}, "X-Request-Id": {"0123456789abcdef"}}

// stubToken is the answer to whoever asks for a token.
var stubToken = []byte(`{"access_token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJiZW5jaCJ9.dG9rZW4","token_type":"Bearer","expires_in":86400}`)

// benchConnector saves the connector whose request is measured.
func benchConnector(t testing.TB, h *hub.Tenant, tpl, name string, change ...func(*hub.Connector)) {
	t.Helper()
	def := hub.Connector{
		Name: name, Template: tpl, Hosts: []string{"api.example.com", "login.example.com"},
		Auth:      hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: "https://login.example.com/token", ClientAuth: "client_secret_basic"}},
		Variables: map[string]string{"source": "hub", "clientId": "bench"},
		Secrets:   []hub.Secret{{Name: "apiKey"}, {Name: "clientSecret"}},
		Requests: []hub.Request{{
			Name: "create", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST",
			URL:     "https://api.example.com/v2/customers/{{customer.id}}/incidents",
			Query:   []hub.Param{{Name: "queue", Value: "{{contact.queue}}"}, {Name: "notify", Value: "true"}},
			Headers: []hub.Header{{Name: "X-Api-Key", Value: "[[apiKey]]"}, {Name: "X-Agent", Value: "agent-{{agent.id}}"}},
			Body:    benchBody, PayloadSchema: json.RawMessage(benchSchema),
			Outputs: map[string]hub.Output{"number": {Path: "result.number"}, "id": {Path: "result.id"}},
		}},
	}
	for _, f := range change {
		f(&def)
	}
	con, err := h.CreateConnector(t.Context(), def)
	require.NoError(t, err)
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "apiKey", secrets.New("k3y-4711-aBcDeFgHiJkLmNoPqRsTuVwXyZ")))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "clientSecret", secrets.New("s3cr3t-0815-aBcDeFgHiJkLmNoPqRsTu")))
}

func benchTemplate(t testing.TB, h *hub.Tenant) string {
	return template(t, h, func(tpl *hub.Template) { tpl.AuthType = hub.AuthClientCredentials }).ID
}

func benchCall(name string) hub.Call {
	return hub.Call{Connector: name, Request: "create", Payload: json.RawMessage(benchPayload)}
}

// BenchmarkExecute is what a call costs in this process: everything is on, and nothing leaves.
func BenchmarkExecute(b *testing.B) {
	h := open(b)
	hub.SendThrough(h, stub{})
	benchConnector(b, h.Tenant("acme"), benchTemplate(b, h.Tenant("acme")), "con")
	acme, call := h.Tenant("acme"), benchCall("con")
	res, err := acme.Execute(b.Context(), call)
	require.NoError(b, err)
	require.Equal(b, map[string]any{"number": "INC0012345", "id": json.Number("987654321")}, res.Outputs)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := acme.Execute(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExecuteTold is BenchmarkExecute with an Observer and a Tracer that do nothing.
func BenchmarkExecuteTold(b *testing.B) {
	h := open(b, func(o *hub.Options) { o.Tracer, o.Observer = silent{}, func(context.Context, hub.Event) {} })
	hub.SendThrough(h, stub{})
	acme, call := h.Tenant("acme"), benchCall("con")
	benchConnector(b, acme, benchTemplate(b, acme), "con")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := acme.Execute(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlans is the memory that a connector in use takes: what goes with the hub, whose
// store stays. The connectors are alike, or each has a definition of its own.
func BenchmarkPlans(b *testing.B) {
	b.Run("alike", func(b *testing.B) { benchPlans(b, func(*hub.Connector, int) {}) })
	b.Run("different", func(b *testing.B) {
		benchPlans(b, func(c *hub.Connector, n int) {
			note := fmt.Sprint("number ", n)
			c.Headers = []hub.Header{{Name: "X-Note", Value: note}}
			c.Requests[0].PayloadSchema = json.RawMessage(strings.Replace(benchSchema, `{`, `{"title":"`+note+`",`, 1))
		})
	})
}

func benchPlans(b *testing.B, change func(*hub.Connector, int)) {
	store := memory.New()
	keeper, err := keyset.Generate()
	require.NoError(b, err)
	h, err := hub.New(store, keeper, &hub.Options{Limits: hub.Limits{PlanBytes: 1 << 40}})
	require.NoError(b, err)
	hub.SendThrough(h, stub{})
	acme := h.Tenant("acme")
	tpl := benchTemplate(b, acme)
	const connectors = 500
	for n := range connectors {
		benchConnector(b, acme, tpl, fmt.Sprint("con-", n), func(c *hub.Connector) { change(c, n) })
	}
	for b.Loop() {
		for n := range connectors {
			if _, err := acme.Execute(b.Context(), benchCall(fmt.Sprint("con-", n))); err != nil {
				b.Fatal(err)
			}
		}
	}
	with, counted := live(), hub.PlanBytes(h)
	require.NoError(b, h.Close(b.Context()))
	h, acme = nil, nil
	b.ReportMetric(float64(with-live())/connectors, "B/connector")
	b.ReportMetric(float64(counted)/connectors, "counted-B/connector")
	runtime.KeepAlive(store)
}

func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
