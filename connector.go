package hub

import "time"

// Connector is a template made one's own: it lives in a tenant's connections, and the host
// application runs its requests by name.
type Connector struct {
	// ID is opaque; empty on creation: the hub makes one. A caller may supply its own,
	// 1 to 64 of a-z, 0-9, _ and -.
	ID string `json:"id,omitempty"`
	// Revision is what an update or a deletion must name. It grows with each change of
	// the definition; its value means nothing else.
	Revision int64 `json:"revision,omitempty"`

	// Template is the id of the template that the connector was made from.
	Template string `json:"template"`
	// TemplateVersion is the version in force; on creation zero means the latest.
	TemplateVersion int `json:"templateVersion,omitempty"`

	// Name is unique in the tenant: 1 to 255 bytes, no control characters.
	Name string `json:"name"`
	// Hosts are the hosts that the connector may call, within the template's
	// AllowedHosts and written like them. While the connector holds no secret, the hosts
	// of its URLs join by themselves; from the first secret on, only what is written
	// here counts.
	Hosts []string `json:"hosts,omitempty"`
	// Auth is how the connector authenticates.
	Auth Auth `json:"auth,omitzero"`
	// Headers are sent with every request. Here the template's custom headers get their
	// values.
	Headers []Header `json:"headers,omitempty"`
	// Timeout bounds a call from first to last, retries included, in milliseconds. Zero
	// is stored as 10,000.
	Timeout int `json:"timeout,omitempty"`
	// Concurrency is the most calls at once; zero: as many as template and host allow.
	// A larger number than theirs changes nothing.
	Concurrency int `json:"concurrency,omitempty"`
	// RateLimit bounds how often calls go out, beside the template's and the requests'.
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
	// Variables are named values that [[name]] refers to. They are not secret.
	Variables map[string]string `json:"variables,omitempty"`
	// Secrets declares names that [[name]] refers to and whose values SetSecret sets.
	// Variables and secrets share one namespace.
	Secrets []Secret `json:"secrets,omitempty"`
	// TLS is what the connector needs beyond publicly trusted certificates.
	TLS *TLS `json:"tls,omitempty"`
	// Requests are the calls that the connector can make: at most 10 active and 10
	// inactive ones.
	Requests []Request `json:"requests,omitempty"`
	// Tags are words to list connectors by, at most 50.
	Tags []string `json:"tags,omitempty"`
	// Paused connectors run nothing.
	Paused bool `json:"paused,omitempty"`

	// CreatedAt and UpdatedAt are set by the hub.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
}

// Header is one header field. Its value may hold references, its name may not.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Param is one query parameter. Its value may hold references, its name may not.
type Param struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Secret declares a secret of a connector. Its value is set by [Tenant.SetSecret], sealed,
// and never read back.
type Secret struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Hosts narrows the hosts that the secret may be sent to; empty: those of the
	// connector at the moment when the value is set. To add a host the value must be set
	// again.
	Hosts []string `json:"hosts,omitempty"`
	// Places narrows where in a request the secret may stand: header:NAME, query:NAME,
	// path, body, body:/json/pointer, form:NAME, and auth (only what Auth sends or signs
	// with). Empty: anywhere, but for the payload of a dynamic request, which
	// may name a secret only in a header or query key that is listed here.
	Places []string `json:"places,omitempty"`
}

// TLS is what a connector needs beyond publicly trusted certificates. Certificates are
// always verified.
type TLS struct {
	// CA holds certificates (PEM) of authorities that are trusted beside the host
	// system's.
	CA string `json:"ca,omitempty"`
	// Certificate is the client certificate chain (PEM) shown to servers that ask.
	Certificate string `json:"certificate,omitempty"`
	// Key is the name of the secret that holds the certificate's private key (PEM).
	Key string `json:"key,omitempty"`
	// MinVersion is "1.2", also if empty, or "1.3".
	MinVersion string `json:"minVersion,omitempty"`
}
