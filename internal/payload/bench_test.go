package payload_test

import (
	"testing"

	"github.com/integrationhub/hub/internal/payload"
)

// ordinary is a payload of some 600 bytes.
var ordinary = []byte(`{"customer":{"id":"c-4711-0815","name":"Jörg Müller","email":"joerg.mueller@example.com","tier":"gold"},` +
	`"contact":{"channel":"voice","queue":"billing","startedAt":"2026-03-01T09:30:00Z","duration":341},` +
	`"ticket":{"subject":"Invoice 2026-117 was charged twice","priority":2,"tags":["billing","refund","urgent"],` +
	`"description":"The customer says that the invoice of February was charged twice, on the 3rd and on the 5th. Please check and refund the second one if that is so. Call back after noon.",` +
	`"amount":129.95,"currency":"EUR","callback":true},"agent":{"id":90210,"team":"north"}}`)

func BenchmarkOrdinary(b *testing.B) {
	b.SetBytes(int64(len(ordinary)))
	b.ReportAllocs()
	for b.Loop() {
		if err := payload.Check(ordinary, payload.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	b.SetBytes(int64(len(ordinary)))
	b.ReportAllocs()
	var d payload.Document
	for b.Loop() {
		if err := d.Read(ordinary, payload.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
