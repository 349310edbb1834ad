package hub

import "encoding/json"

// Trigger says who hands over what a request needs.
type Trigger string

// The triggers.
const (
	// TriggerManual: everything is configured; there is no payload.
	TriggerManual Trigger = "manual"
	// TriggerStudio: a Studio script hands over a payload.
	TriggerStudio Trigger = "studio"
)

// PayloadMode says what a Studio request makes of its payload.
type PayloadMode string

// The modes.
const (
	// PayloadMapped: the request is configured, and the payload fills its {{path}} holes.
	PayloadMapped PayloadMode = "mapped"
	// PayloadDynamic: the payload itself describes the call; see [DynamicPayloadSchema].
	PayloadDynamic PayloadMode = "dynamic"
)

// State says whether a request can run.
type State string

// The states.
const (
	StateActive   State = "active"
	StateInactive State = "inactive"
)

// Request is one configured call inside a connector.
type Request struct {
	// ID is opaque; empty: the hub makes one. It stays when the request is renamed.
	ID string `json:"id,omitempty"`
	// Name is unique in the connector: 1 to 255 bytes, no control characters.
	Name string `json:"name"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Trigger is TriggerManual if empty.
	Trigger Trigger `json:"trigger,omitempty"`
	// PayloadMode must be given for a Studio request, and only there.
	PayloadMode PayloadMode `json:"payloadMode,omitempty"`
	// State is StateActive if empty.
	State State `json:"state,omitempty"`

	// Method is one of the template's verbs.
	Method string `json:"method,omitempty"`
	// URL is absolute. References may stand in its host, path and query; see the package
	// documentation for what is allowed where. Of a dynamic request these five are
	// defaults for what the payload leaves out.
	URL       string   `json:"url,omitempty"`
	Headers   []Header `json:"headers,omitempty"`
	Query     []Param  `json:"query,omitempty"`
	MediaType string   `json:"mediaType,omitempty"`
	// Body is the source of the body, written as its media type is: JSON text with
	// "{{path}}" in its strings, a=1&b={{path}}, XML, or plain text.
	Body string `json:"body,omitempty"`
	// Form are the fields of a multipart/form-data body, or of an
	// application/x-www-form-urlencoded one, instead of Body.
	Form []FormField `json:"form,omitempty"`

	// BodyFile, instead of Body and Form, names the file of Call.Files that is the body. An
	// empty MediaType is the file's then.
	BodyFile string `json:"bodyFile,omitempty"`

	// Timeout bounds a call of this request in milliseconds; zero: the connector's, which
	// it must not exceed.
	Timeout int `json:"timeout,omitempty"`
	// RateLimit bounds how often calls of this request go out, beside the connector's.
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
	// PayloadSchema is the JSON Schema that a payload must meet, draft 4 to 2020-12.
	PayloadSchema json.RawMessage `json:"payloadSchema,omitempty"`
	// Sample is a payload for TestRequest.
	Sample json.RawMessage `json:"sample,omitempty"`
	// Outputs are values taken from a successful answer, by name.
	Outputs map[string]Output `json:"outputs,omitempty"`
	// OutputSchema is the JSON Schema that the object of all outputs must meet.
	OutputSchema json.RawMessage `json:"outputSchema,omitempty"`
	// Responses are rules about answers, at most 20: the first that matches decides what the
	// answer to an attempt means. Answers that none matches are judged by Success.
	Responses []ResponseRule `json:"responses,omitempty"`
	// Success says which answers count as success; nil: any 2xx.
	Success *Success `json:"success,omitempty"`
	// Pagination says how the pages of a list follow each other; nil: there is one.
	Pagination *Pagination `json:"pagination,omitempty"`
	// Retry says when the call is sent again; nil: the defaults of its fields.
	Retry *Retry `json:"retry,omitempty"`
	// Fallback is what stands in for an answer that does not come; nil: nothing does.
	Fallback *Fallback `json:"fallback,omitempty"`
}

// FormField is one field of a form. Its value may hold references; its name, file name and
// media type may not.
type FormField struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	FileName  string `json:"fileName,omitempty"`  // multipart only
	MediaType string `json:"mediaType,omitempty"` // multipart only
	// File, instead of Value, names the file of Call.Files that is the part. Its own name
	// and media type go along where FileName and MediaType are empty. Multipart only.
	File string `json:"file,omitempty"`
}

// Success says which answers count as success.
type Success struct {
	// Statuses lists statuses (404), ranges (200-299) and classes (2xx).
	Statuses []string `json:"statuses,omitempty"`
}

// Retry says when a call is sent again. All attempts share the call's one timeout.
type Retry struct {
	// Attempts is the most times the call is sent, but for one time more with another token or
	// the other version of a secret; zero: 3, within the limits of template and host.
	Attempts int `json:"attempts,omitempty"`
	// Idempotent declares that repeating the call does no harm. GET, HEAD, OPTIONS, PUT
	// and DELETE are idempotent anyway (RFC 9110 section 9.2.2); a POST or PATCH that is
	// not is repeated only if no byte of it was sent, or on a 429 or 503 that carries
	// Retry-After.
	Idempotent bool `json:"idempotent,omitempty"`
	// IdempotencyHeader names a header that gets a key, the same on each attempt of a
	// call. It does not make the call Idempotent.
	IdempotencyHeader string `json:"idempotencyHeader,omitempty"`
	// IdempotencyKey is the key, a header's value that may hold references: ticket-{{id}}.
	// Of a walk over pages the second carries it with -2, the third with -3, and so on.
	// Empty or blank, also once its references are put in: Call.IdempotencyKey, or else one that is
	// generated for each call.
	IdempotencyKey string `json:"idempotencyKey,omitempty"`
	// Statuses lists the answers worth another attempt, written like Success.Statuses;
	// empty: 429, 502, 503 and 504. An answer that refuses the token is none of them: it is
	// mended by another token.
	Statuses []string `json:"statuses,omitempty"`
}
