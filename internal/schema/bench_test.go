package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/schema"
)

// An ordinary payload of some 600 bytes, and its schema.
const (
	ordinary = `{"customer":{"id":"c-4711-0815","name":"Jörg Müller","email":"joerg.mueller@example.com","tier":"gold"},` +
		`"contact":{"channel":"voice","queue":"billing","startedAt":"2026-03-01T09:30:00Z","duration":341},` +
		`"ticket":{"subject":"Invoice 2026-117 was charged twice","priority":2,"tags":["billing","refund","urgent"],` +
		`"description":"The customer says that the invoice of February was charged twice, on the 3rd and on the 5th. Please check and refund the second one if that is so. Call back after noon.",` +
		`"amount":129.95,"currency":"EUR","callback":true},"agent":{"id":90210,"team":"north"}}`

	ordinarySchema = `{"type":"object","required":["customer","ticket","agent"],"properties":{
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
)

// alternatives is a schema whose parts depend on each other.
const alternatives = `{"oneOf":[
	{"required":["card"],"properties":{"kind":{"const":"card"},"card":{"type":"string","pattern":"^[0-9]{16}$"}}},
	{"required":["iban"],"properties":{"kind":{"const":"iban"},"iban":{"type":"string","pattern":"^[A-Z]{2}[0-9A-Z]{13,32}$"}}}],
	"patternProperties":{"^x-":{"type":"string"}},"dependentRequired":{"vat":["country"]},
	"if":{"properties":{"country":{"const":"DE"}}},"then":{"required":["city"]}}`

// BenchmarkQuick judges payloads that were read already.
func BenchmarkQuick(b *testing.B) {
	for name, c := range map[string]struct{ schema, data string }{
		"ordinary":     {ordinarySchema, ordinary},
		"alternatives": {alternatives, `{"kind":"iban","iban":"DE02120300000000202051","country":"DE","city":"K\u00f6ln","vat":"DE 123","x-trace":"1"}`},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := schema.Compile([]byte(c.schema), schema.Limits{})
			require.NoError(b, err)
			var d payload.Document
			require.NoError(b, d.Read([]byte(c.data), payload.Limits{}))
			b.ReportAllocs()
			for b.Loop() {
				if err := s.ValidateDocument(&d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
