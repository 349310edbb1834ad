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

// BenchmarkQuick judges a payload that was read already.
func BenchmarkQuick(b *testing.B) {
	s, err := schema.Compile([]byte(ordinarySchema), schema.Limits{})
	require.NoError(b, err)
	var d payload.Document
	require.NoError(b, d.Read([]byte(ordinary), payload.Limits{}))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.ValidateDocument(&d); err != nil {
			b.Fatal(err)
		}
	}
}
