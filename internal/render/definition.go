// Package render turns the definition of a request into the request itself.
//
// [Compile] runs when a definition is saved: it cuts the URL into its parts and the body into
// its structure, finds every reference, and reports everything that is wrong at once.
// [Program.Render] runs on every call: it puts values into the places that Compile found. The
// place decides how a value is written and what is refused there, never the author and never
// the value: a value cannot move the host, climb out of a path segment, start a header line, add
// a query parameter or change the structure of a body. Values are put in once; brackets in them
// stay text.
//
//	host of a URL        variables inside one DNS label; or the whole origin from [[@auth.…]]
//	path segment         percent-encoded; not empty, "." or "..", also after decoding
//	query value          percent-encoded
//	header value         as it is, without control characters
//	JSON, whole string   the JSON value with its type
//	JSON, in a string    JSON-escaped text
//	form field           percent-encoded
//	multipart field      a part of its own
//	XML text, attribute  XML-escaped text
//	any other text       as it is
//
// Objects and arrays stand only where a whole JSON string is replaced; null anywhere else counts
// as missing. A missing value without a default is a fault.
package render

// A Definition is a request as its author wrote it, with references (see package ref).
type Definition struct {
	Method  string // GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS; HEAD has no body
	URL     string // absolute, http or https; its literal text is already percent-encoded
	Headers []Pair
	Query   []Pair // added after the query of URL; names and values are plain text

	// MediaType says how Body is read and escaped: JSON (application/json, +json), XML
	// (application/xml, text/xml, +xml), application/x-www-form-urlencoded,
	// multipart/form-data, or text. Empty with a Body: application/json; empty with a
	// Form: application/x-www-form-urlencoded, or multipart/form-data if a field has a
	// file name or media type.
	MediaType string
	Body      string
	Form      []Field // instead of Body, for the two form types
	// BodyFile, instead of Body, names the file that is the body. An empty MediaType is
	// the file's then.
	BodyFile string
}

// A Pair is a header or query parameter; only the value holds references.
type Pair struct{ Name, Value string }

// A Field is a form field; only Value holds references. FileName, MediaType and File, the
// name of a file that stands instead of Value, are for multipart/form-data.
type Field struct{ Name, Value, FileName, MediaType, File string }

// A Scope says which references may stand in a definition.
type Scope struct {
	// Variable returns a variable's value, which is used to try those in a host; nil: there
	// are none. A name that is a variable is not looked up as a secret.
	Variable func(name string) (value string, ok bool)
	// Secret reports whether there is a secret of this name; nil: there are none.
	Secret func(name string) bool
	// Payload admits {{path}}, Auth admits [[@auth.path]].
	Payload, Auth bool
	// MaxBytes bounds the rendered path, query, header values and body together; zero: 1 MiB.
	MaxBytes int
}

// DefaultMaxBytes is the largest rendered request unless a Scope says otherwise.
const DefaultMaxBytes = 1 << 20

func (s *Scope) maxBytes() int {
	if s.MaxBytes <= 0 {
		return DefaultMaxBytes
	}
	return s.MaxBytes
}

// A Problem is one thing wrong with a definition. Rule is stable; Message is for the author. The
// message names places, references and rules; it quotes no other text of the definition.
type Problem struct {
	Path    string // "method", "url", "headers[0].name", "query[1].value", "form[2].value", "mediaType", "body"
	Rule    string // "unknown-reference", "secret-in-host", "invalid-json" …
	Message string
}
