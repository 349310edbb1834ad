package render

import (
	"net/http"
	"net/url"

	"github.com/integrationhub/hub/internal/payload"
)

// Values are what one call puts into a program. The functions may be nil if the definition's
// scope had no such references. Nothing of Values but Room is kept or changed.
type Values struct {
	// Payload is one JSON text that passed payload.Check; nil: there is none.
	Payload []byte
	// Index is Payload as it was read; nil or empty: it is looked into anew.
	Index    *payload.Document
	Variable func(name string) (string, bool)
	// Secret opens a secret; a call happens for each place the secret stands in.
	Secret func(name string) (string, error)
	// Auth is the last authentication answer, JSON; nil: there is none.
	Auth []byte
	// AuthSecret reports whether the value at path of Auth is a secret, a token say.
	AuthSecret func(path string) bool
	// OriginAllowed admits an origin ("https://host[:port]") taken from Auth; nil: none.
	OriginAllowed func(origin string) bool
	// File tells of a file by its name; nil: nothing is known of it.
	File func(name string) File
	// Mask writes the reference itself, "[[name]]", unescaped, for every secret and, while
	// Auth is nil, for every value of it outside the host; Secret is then not called. A
	// file is shown by its name.
	Mask bool
	// Trace fills Request.Parts.
	Trace bool
	// Scratch is memory to render on; nil: new memory.
	Scratch *Scratch
	// Room is memory for the request; nil: new memory.
	Room *Room
}

// A Request is what goes on the wire. It shares no memory with Values. It belongs to the caller, but for what it shares
// with other requests of its program: Sinks, and the values of headers, which nobody writes to.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header // with Content-Type if there is a body
	Body   []byte      // nil: none, or one with files
	Pieces []Piece     // of a body with files, one behind the other
	Sinks  []Sink      // where secrets were put in, in the order of the places
	Parts  []Part      // with Values.Trace

	values []string // memory for values of headers
}

// A Place is where a value stands in a request: "path", "query:key", "header:X-Api-Key" (canonical
// name), "body", "body:/json/pointer" or "form:field".
type Place string

// A Sink is a secret and a place it is put into. Secret is the name, or "@auth.path" for a secret
// of the authentication answer.
type Sink struct {
	Secret string
	Place  Place
}

// A Part tells what one place holds and where it came from. Besides the places of a [Place] there
// is "origin", and "body" holds the whole body. Secrets in Value are masked as [[name]].
type Part struct {
	Place   string
	Value   string
	Sources []Source
}

// A Source is where a piece of a part came from. Kind is "definition", "variable", "secret",
// "payload", "default", "auth" or "file"; Name is the name or path, empty for a definition.
type Source struct{ Kind, Name string }

// A Fault is why a request could not be rendered. It names places, references and rules, never
// values.
type Fault struct {
	Path      string // as Problem.Path
	Reference string // as written, without its default; empty if the fault is not about one
	Rule      string // stable: "missing-value", "not-a-scalar", "dot-segment" …
	Message   string

	err error
}

// Error names the place, the reference and the rule.
func (f *Fault) Error() string {
	s := "render: " + f.Path + ": "
	if f.Reference != "" {
		s += f.Reference + ": "
	}
	return s + f.Message
}

// Unwrap returns the error of Values.Secret, if that was the reason.
func (f *Fault) Unwrap() error { return f.err }
