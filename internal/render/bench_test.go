package render_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/render"
)

// incident is a request of ordinary size: a path, a query, three headers, 600 bytes of JSON.
var incident = render.Definition{
	Method: "POST",
	URL:    "https://[[instance]].service-now.com/api/now/table/{{table}}/records?sysparm_fields=number,sys_id&caller={{caller.id}}",
	Headers: []render.Pair{
		{Name: "Accept", Value: "application/json"},
		{Name: "X-Api-Key", Value: "[[apiKey]]"},
		{Name: "X-Correlation-Id", Value: "hub-{{contact}}"},
	},
	Body: `{"short_description": "Call from {{caller.name}}", "caller": "{{caller}}", "urgency": "{{urgency ?? 3}}",
		"description": "Opened by the contact centre for contact {{contact}}. The caller was asked for a call-back number and agreed to be called between nine and five on working days.",
		"tags": ["hub", "phone"], "details": {"queue": "[[queue]]", "attached": false, "cost": 12345678901234567890}}`,
}

var incidentValues = render.Values{
	Payload:  []byte(`{"table":"incident","contact":"1234567","caller":{"id":"a7/9","name":"Zoë \"Z\" Smith","vip":true},"notes":"none"}`),
	Variable: variable,
	Secret:   secret,
}

var testScope = render.Scope{
	Variable: variable,
	Secret:   func(name string) bool { _, err := secret(name); return err == nil },
	Payload:  true,
	Auth:     true,
}

func BenchmarkRender(b *testing.B) {
	p, problems := render.Compile(incident, testScope)
	require.Empty(b, problems)
	v := incidentValues
	v.Index, v.Scratch = new(payload.Document), new(render.Scratch)
	require.NoError(b, v.Index.Read(v.Payload, payload.Limits{}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Render(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		render.Compile(incident, testScope)
	}
}
