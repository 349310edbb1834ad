// Package job is the work that is compared: one call, the same for everybody. A payload of
// some 600 bytes is held against a JSON Schema, a request is made of it, with values in path,
// query, headers and a JSON body, a secret in a header and a bearer token that is fetched once;
// it is sent with POST, and of an answer of 1 KiB two values are taken.
//
// There are [Variants] payloads, so that nobody can remember a whole call.
package job

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Variants is how many payloads there are.
const Variants = 64

// Timeout is the deadline of each call.
const Timeout = 10 * time.Second

// What the caller is known by.
const (
	APIKey       = "k3y-4711-aBcDeFgHiJkLmNoPqRsTuVwXyZ"
	ClientID     = "bench"
	ClientSecret = "s3cr3t-0815-aBcDeFgHiJkLmNoPqRsTu"
	Token        = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJiZW5jaCJ9.dG9rZW4"
	Source       = "hub" // a value of the configuration that goes into the body
)

// Where the third party listens.
const (
	TokenPath = "/token"
	pathStart = "/v2/customers/"
	pathEnd   = "/incidents"
)

// Schema is what a payload must meet.
const Schema = `{"type":"object","required":["customer","ticket","agent"],"properties":{
	"customer":{"type":"object","required":["id","email"],"additionalProperties":false,"properties":{
		"id":{"type":"string","pattern":"^c-[0-9]+-[0-9]+$"},"name":{"type":"string","maxLength":200},
		"email":{"type":"string","minLength":3,"maxLength":200},"tier":{"enum":["basic","silver","gold"]}}},
	"contact":{"type":"object","properties":{"channel":{"enum":["voice","chat","mail"]},"queue":{"type":"string"},
		"startedAt":{"type":"string","minLength":20},"duration":{"type":"integer","minimum":0}}},
	"ticket":{"type":"object","required":["subject","priority"],"properties":{
		"subject":{"type":"string","minLength":1,"maxLength":120},"priority":{"type":"integer","minimum":1,"maximum":4},
		"tags":{"type":"array","items":{"type":"string","maxLength":40},"maxItems":10,"uniqueItems":true},
		"description":{"type":"string","maxLength":4000},"amount":{"type":"number","minimum":0},
		"currency":{"type":"string","minLength":3,"maxLength":3},"callback":{"type":"boolean"}}},
	"agent":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"team":{"type":"string"}}}}}`

const payload = `{"customer":{"id":"%[1]s","name":"Jörg Müller","email":"joerg.mueller@example.com","tier":"gold"},` +
	`"contact":{"channel":"voice","queue":"billing %[2]d","startedAt":"2026-03-01T09:30:00Z","duration":341},` +
	`"ticket":{"subject":"Invoice 2026-%[2]d was charged twice","priority":%[3]d,"tags":["billing","refund","urgent"],` +
	`"description":"The customer says that the invoice of February was charged twice, on the 3rd and on the 5th. ` +
	`Please check, refund the second one if that is so, and call back in the afternoon.","amount":129.95,"currency":"EUR","callback":true},` +
	`"agent":{"id":%[4]d,"team":"north"}}`

// Payload returns payload n.
func Payload(n int) []byte {
	return fmt.Appendf(nil, payload, customer(n), n, 1+n%4, agent(n))
}

// Wrong returns a payload that breaks the schema in one small thing.
func Wrong() []byte { return fmt.Appendf(nil, payload, customer(1), 1, 5, agent(1)) }

// Body returns the body that payload n must lead to, but for spaces and the order of members.
func Body(n int) []byte {
	return fmt.Appendf(nil, `{"title":"Invoice 2026-%[1]d was charged twice",`+
		`"text":"The customer says that the invoice of February was charged twice, on the 3rd and on the 5th. `+
		`Please check, refund the second one if that is so, and call back in the afternoon.",`+
		`"priority":%[2]d,"tags":["billing","refund","urgent"],"amount":{"value":129.95,"currency":"EUR"},`+
		`"requester":"Jörg Müller <joerg.mueller@example.com>","source":"%[3]s","agent":%[4]d}`, n, 1+n%4, Source, agent(n))
}

// Path returns the path of the request that payload n leads to.
func Path(n int) string { return pathStart + customer(n) + pathEnd }

// Query returns the query parameters of that request.
func Query(n int) map[string]string {
	return map[string]string{"queue": fmt.Sprint("billing ", n), "notify": "true"}
}

// Headers returns the headers of that request.
func Headers(n int) map[string]string {
	return map[string]string{
		"Authorization": "Bearer " + Token,
		"Content-Type":  "application/json",
		"X-Agent":       fmt.Sprint("agent-", agent(n)),
		"X-Api-Key":     APIKey,
	}
}

// Variant returns the number of the payload that led to a request's path; -1: none did.
func Variant(path string) int {
	id, ok := strings.CutPrefix(path, pathStart+"c-4711-")
	if !ok {
		return -1
	}
	if id, ok = strings.CutSuffix(id, pathEnd); !ok {
		return -1
	}
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 || n >= Variants {
		return -1
	}
	return n
}

// Reply returns the third party's answer to payload n, of 1 KiB.
func Reply(n int) []byte {
	const size = 1024
	head := fmt.Sprintf(`{"result":{"number":"%s","id":%d,"state":"open","text":"`, number(n), id(n))
	tail := fmt.Sprintf(`"},"links":{"self":"https://api.example.com/v2/incidents/%d"}}`, id(n))
	text := strings.Repeat("All work and no play makes a long answer. ", size)
	return []byte(head + text[:size-len(head)-len(tail)] + tail)
}

// TokenReply is the answer to whoever asks for a token.
const TokenReply = `{"access_token":"` + Token + `","token_type":"Bearer","expires_in":86400}`

// Answer is what is taken from a reply.
type Answer struct {
	Number string
	ID     int64
}

// Want returns what is in the reply to payload n.
func Want(n int) Answer { return Answer{Number: number(n), ID: id(n)} }

func customer(n int) string { return fmt.Sprint("c-4711-", n) }
func agent(n int) int       { return 90210 + n }
func number(n int) string   { return fmt.Sprintf("INC%07d", 12345+n) }
func id(n int) int64        { return 987654300 + int64(n) }
