package render

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/ref"
)

// An Envelope is a call that a program describes when it makes it. In its texts only [[name]] is a
// reference; every other bracket, and a [[ that starts no reference, is text. It is cut into parts
// before anything is put in, as a [Definition] is.
type Envelope struct {
	Method    string
	URL       string
	Headers   []Pair
	Query     []Pair
	MediaType string // empty: application/json
	// Body is a JSON text that passed payload.Check; nil or null: none. A string is the body
	// itself, read by the media type. Any other value is sent as JSON, or as the fields
	// of a form if it is an object of scalars and the media type a form's.
	Body []byte
}

// Dynamic renders an envelope with the variables and secrets of s and v; what s says of payload and
// answer does not matter. A secret is put in where allow admits it, by name and place; nil admits
// none. The error is a [*Fault].
func Dynamic(e Envelope, s Scope, v Values, allow func(name string, at Place) bool) (*Request, error) {
	c := compiler{scope: s, dynamic: true}
	d, err := c.definition(e)
	if err != nil {
		return nil, err
	}
	p, problems := c.compile(d)
	if len(problems) > 0 {
		first := problems[0]
		return nil, &Fault{Path: first.Path, Rule: first.Rule, Message: first.Message}
	}
	for _, sink := range p.Secrets() {
		if allow == nil || !allow(sink.Secret, sink.Place) {
			return nil, &Fault{Path: sink.Place.path(), Reference: "[[" + sink.Secret + "]]", Rule: "secret-not-allowed", Message: "the secret is not bound to this place"}
		}
	}
	return p.Render(v)
}

// path returns the part of a definition that a place belongs to.
func (p Place) path() string {
	kind, _, _ := strings.Cut(string(p), ":")
	switch kind {
	case "header":
		return "headers"
	case "path":
		return "url"
	case "form":
		return "body"
	}
	return kind
}

// definition reads the body of an envelope.
func (c *compiler) definition(e Envelope) (Definition, error) {
	d := Definition{Method: e.Method, URL: e.URL, Headers: e.Headers, Query: e.Query, MediaType: e.MediaType}
	body := gjson.ParseBytes(e.Body)
	format, _, ok := c.mediaType("mediaType", e.MediaType)
	switch {
	case !ok || !body.Exists() || body.Type == gjson.Null:
	case body.Type == gjson.String:
		d.Body = body.Str
	case format == jsonFormat:
		d.Body = body.Raw
	case body.IsObject() && (format == formFormat || format == multipartFormat):
		return c.envelopeForm(d, body)
	default:
		return d, &Fault{Path: "body", Rule: "body-not-text", Message: "for this media type the body is a string"}
	}
	c.problems = nil
	return d, nil
}

// envelopeForm makes fields of the members of an object.
func (c *compiler) envelopeForm(d Definition, body gjson.Result) (Definition, error) {
	scalars := true
	body.ForEach(func(name, value gjson.Result) bool {
		scalars = value.Type != gjson.JSON && value.Type != gjson.Null
		text := value.Str
		if value.Type != gjson.String {
			text = value.Raw
		}
		d.Form = append(d.Form, Field{Name: name.Str, Value: text})
		return scalars
	})
	if !scalars {
		return d, &Fault{Path: "body", Rule: "not-a-scalar", Message: "the fields of a form are strings, numbers and booleans"}
	}
	return d, nil
}

// Literal puts variables and secrets into a text that a program handed over, in which only [[name]] is
// a reference. It returns the secrets it put in, each once. The error is a [*Fault].
func Literal(text string, variable func(name string) (string, bool), secret func(name string) (string, error)) (string, []string, error) {
	v := Values{Variable: variable, Secret: secret}
	w := writer{v: v, max: DefaultMaxBytes}
	s := slot{encode: plain, path: "text"}
	for _, segment := range ref.ParseNamed(text) {
		if !segment.Reference() {
			s.pieces = append(s.pieces, piece{literal: segment.Text})
			continue
		}
		known := false
		if variable != nil {
			_, known = variable(segment.Text)
		}
		s.pieces = append(s.pieces, piece{hole: &hole{ref: segment, name: segment.String(), secret: !known}})
	}
	if err := w.slot(&s); err != nil {
		return "", nil, err
	}
	return string(w.buf), w.secrets(), nil
}

// secrets returns the names of the secrets put in, each once.
func (w *writer) secrets() []string {
	var names []string
	seen := map[string]bool{}
	for _, s := range w.sinks {
		if !seen[s.Secret] {
			seen[s.Secret] = true
			names = append(names, s.Secret)
		}
	}
	return names
}
