package hub

import "time"

// IntegrationMethod is how a template's application is spoken to.
type IntegrationMethod string

// REST is the only integration method.
const REST IntegrationMethod = "REST"

// AuthKind is how an application wants to be authenticated with: a template's AuthType, and
// the Kind of its connectors' [Auth].
type AuthKind string

// The kinds.
const (
	// AuthNone: no authentication step. Credentials, if any, stand as [[secret]] in
	// headers, query or body.
	AuthNone AuthKind = "none"
	// AuthOAuth2: an authentication request (Auth.Request) whose answer carries an
	// access_token, sent as "Authorization: Bearer" until it expires (RFC 6749 section
	// 5.1, RFC 6750 section 2.1).
	AuthOAuth2 AuthKind = "oauth2"
)

// Template describes a third-party application once, for everybody who connects to it. It
// lives in the connection library.
//
// A saved version never changes: [Tenant.ReviseTemplate] makes the next one and leaves every
// connector where it is.
type Template struct {
	// ID is opaque; empty on creation: the hub makes one. A caller may supply its own,
	// 1 to 64 of a-z, 0-9, _ and -.
	ID string `json:"id,omitempty"`
	// Version counts from 1. The hub sets it; of a system template the host does.
	Version int `json:"version,omitempty"`
	// Revision is what ReviseTemplate and DeleteTemplate must name. It grows; its value
	// means nothing else.
	Revision int64 `json:"revision,omitempty"`
	// System marks a template that came with the host application: read-only.
	System bool `json:"system,omitempty"`

	// Name is unique in the tenant's library: 1 to 255 bytes, no control characters.
	Name string `json:"name"`
	// Application is the name of the third-party product.
	Application string `json:"application,omitempty"`
	// IntegrationMethod is REST, also if empty.
	IntegrationMethod IntegrationMethod `json:"integrationMethod,omitempty"`
	// AuthType is AuthNone if empty.
	AuthType AuthKind `json:"authType,omitempty"`
	// Description is for people, at most 4,096 bytes.
	Description string `json:"description,omitempty"`
	// Icon is a PNG, JPEG, GIF, WebP or SVG image of at most 256 KiB, known by its
	// content. It is taken when a version is saved, kept in a record of its own, and
	// read by [Tenant.TemplateIcon]: templates come back without it. A revision without
	// one keeps the icon of the version before, unless IconType is cleared too.
	Icon []byte `json:"icon,omitempty"`
	// IconType is the media type of the icon, empty if there is none. The hub sets it.
	IconType string `json:"iconType,omitempty"`

	// Methods are the verbs that requests may use, at least one of GET, POST, PUT, PATCH,
	// DELETE, HEAD and OPTIONS.
	Methods []string `json:"methods,omitempty"`
	// Headers are custom headers that connectors give values to.
	Headers []TemplateHeader `json:"headers,omitempty"`
	// AllowedHosts bound the hosts that connectors may call: api.example.com,
	// *.example.com (its subdomains, not itself), either with :port (443 if absent).
	// Empty: the connector decides.
	AllowedHosts []string `json:"allowedHosts,omitempty"`
	// Fields are what a form asks of whoever connects. Their keys are names that
	// [[name]] can refer to.
	Fields []Field `json:"fields,omitempty"`
	// Verify is a request that proves that a credential works; TestConnector runs it.
	Verify *Verify `json:"verify,omitempty"`
	// Limits are ceilings for connectors and their requests.
	Limits TemplateLimits `json:"limits,omitzero"`

	// CreatedAt is when this version was saved.
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// HeaderPlace says on which requests a custom header stands.
type HeaderPlace string

// The places.
const (
	OnAuth    HeaderPlace = "auth"    // on the authentication request
	OnRequest HeaderPlace = "request" // on every request
)

// TemplateHeader is a custom header that a connector gives a value to.
type TemplateHeader struct {
	Name string `json:"name"`
	// Required headers must have a value before a connector can run.
	Required bool `json:"required,omitempty"`
	// On is OnRequest if empty.
	On HeaderPlace `json:"on,omitempty"`
	// Default is the value where the connector gives none; it may refer to [[name]].
	Default string `json:"default,omitempty"`
	// Help is for people.
	Help string `json:"help,omitempty"`
}

// Field is one thing that a form asks of whoever connects: it becomes a variable or a
// secret of the connector, named by Key.
type Field struct {
	Key         string `json:"key"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Secret fields are set by SetSecret, the others as variables.
	Secret bool `json:"secret,omitempty"`
	// Required fields must have a value before a connector can run, unless VisibleWhen
	// hides them.
	Required bool `json:"required,omitempty"`
	// Pattern is a regular expression (RE2) that the whole value must match.
	Pattern string `json:"pattern,omitempty"`
	// Enum lists the values allowed; empty: any.
	Enum []string `json:"enum,omitempty"`
	// Format is one of email, hostname, uri, uuid, date, integer; empty: any text.
	Format string `json:"format,omitempty"`
	// Default is the value of a variable that the connector does not set.
	Default string `json:"default,omitempty"`
	// Order sorts the form, smallest first; equal ones stand as listed.
	Order int `json:"order,omitempty"`
	// VisibleWhen shows the field only while another one has one of some values.
	VisibleWhen *Condition `json:"visibleWhen,omitempty"`
}

// Condition holds while the variable of a field has one of the values.
type Condition struct {
	Field  string   `json:"field"`
	Values []string `json:"values,omitempty"`
}

// Verify is a request that proves that a connector's credential works.
type Verify struct {
	Method    string   `json:"method"`
	URL       string   `json:"url"`
	Headers   []Header `json:"headers,omitempty"`
	Query     []Param  `json:"query,omitempty"`
	MediaType string   `json:"mediaType,omitempty"`
	Body      string   `json:"body,omitempty"`
	Success   *Success `json:"success,omitempty"`
}

// TemplateLimits are ceilings. Zero: the host application's.
type TemplateLimits struct {
	// Timeout is the longest timeout of a connector, in milliseconds.
	Timeout int `json:"timeout,omitempty"`
	// Attempts is the most attempts of one call.
	Attempts int `json:"attempts,omitempty"`
	// ResponseBytes is the largest answer, decoded, in bytes.
	ResponseBytes int64 `json:"responseBytes,omitempty"`
	// Concurrency is the most calls of one connector at once.
	Concurrency int `json:"concurrency,omitempty"`
	// RateLimit bounds how often calls of one connector go out.
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
}
