package hub

import (
	"bytes"
	"encoding/json"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/storage"
)

// Definitions decode strictly: an unknown member, one that differs only in case, a repeated
// one, or a value of another type is an error that names its path. What a person misspelt
// is told, not dropped.

// UnmarshalJSON decodes strictly; the error is an *[Error] that lists every misfit.
func (t *Template) UnmarshalJSON(data []byte) error {
	return decodeStrict(data, t, (*plainTemplate)(t))
}

// UnmarshalJSON decodes strictly; the error is an *[Error] that lists every misfit.
func (c *Connector) UnmarshalJSON(data []byte) error {
	return decodeStrict(data, c, &plainConnector{to: c})
}

// UnmarshalJSON decodes strictly; the error is an *[Error] that lists every misfit.
func (r *Request) UnmarshalJSON(data []byte) error {
	return decodeStrict(data, r, (*plainRequest)(r))
}

// The plain twins decode as encoding/json does: what has been checked as a whole already, and
// what the hub itself wrote.
type (
	plainTemplate Template
	plainRequest  Request

	plainConnector struct{ to *Connector }
)

// UnmarshalJSON decodes a connector without its requests' strictness.
func (p *plainConnector) UnmarshalJSON(data []byte) error {
	type fields Connector
	plain := struct {
		*fields
		Requests []plainRequest `json:"requests"` // stands before the one of fields
	}{fields: (*fields)(p.to)}
	err := decodeKnown(data, &plain)
	p.to.Requests = nil
	for _, r := range plain.Requests {
		p.to.Requests = append(p.to.Requests, Request(r))
	}
	return err
}

// decodeKnown decodes as encoding/json does, and refuses members that it does not know.
func decodeKnown(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// definitionLimits bound the JSON of a definition before it is parsed: what a record holds,
// and what its parser takes. The numbers of a schema or sample are judged when they are read.
var definitionLimits = payload.Limits{Bytes: storage.MaxData, Depth: 512, Digits: -1, Exponent: -1}

// decodeStrict decodes one JSON text that has the shape of the struct that v points to, into
// its plain twin.
func decodeStrict(data []byte, v, plain any) error {
	if err := payload.Check(data, definitionLimits); err != nil {
		return &Error{Code: Invalid, Op: "Decode", Fields: []FieldError{payloadField("definition", err)}}
	}
	var p problems
	p.shape("", data, reflect.TypeOf(v).Elem())
	if err := p.err(); err != nil {
		return subject(err, "Decode", "", "")
	}
	if err := json.Unmarshal(data, plain); err != nil {
		return &Error{Code: Invalid, Op: "Decode", detail: "cannot be decoded", err: err}
	}
	return nil
}

var (
	typeRaw  = reflect.TypeFor[json.RawMessage]()
	typeTime = reflect.TypeFor[time.Time]()
	typeData = reflect.TypeFor[[]byte]()
)

// shape notes where the JSON value does not fit the Go type that it will be decoded into.
func (p *problems) shape(path string, data json.RawMessage, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	got, want := jsonType(data), wantedType(t)
	switch {
	case want == "any":
		return
	case got != want:
		p.add(orRoot(path), "type", "must be %s, not %s", article(want), article(got))
	case t.Kind() == reflect.Struct && want == "object":
		p.shapeStruct(path, data, t)
	case want == "object":
		p.shapeMap(path, data, t)
	case want == "array":
		p.shapeList(path, data, t)
	case want == "number" && isInteger(t) && bytes.ContainsAny(data, ".eE"):
		p.add(path, "type", "must be a whole number, written without point and exponent")
	case t == typeTime:
		if err := new(time.Time).UnmarshalJSON(data); err != nil {
			p.add(path, "format", "must be a time as RFC 3339 writes it")
		}
	case t == typeData:
		if err := json.Unmarshal(data, new([]byte)); err != nil {
			p.add(path, "format", "must be base64")
		}
	case isInteger(t):
		if err := json.Unmarshal(data, reflect.New(t).Interface()); err != nil {
			p.add(path, "range", "is too large a number")
		}
	}
}

func (p *problems) shapeStruct(path string, data []byte, t reflect.Type) {
	known := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = t.Field(i).Type
	}
	p.eachMember(data, func(name string, value json.RawMessage) {
		if member, ok := known[name]; ok {
			p.shape(in(path, name), value, member)
			return
		}
		p.add(in(path, shorten(name)), "unknown-field", "is not a field of this definition")
	})
}

func (p *problems) shapeMap(path string, data []byte, t reflect.Type) {
	p.eachMember(data, func(name string, value json.RawMessage) {
		p.shape(in(path, shorten(name)), value, t.Elem())
	})
}

func (p *problems) shapeList(path string, data []byte, t reflect.Type) {
	var list []json.RawMessage
	_ = json.Unmarshal(data, &list) // checked to be an array
	for i, value := range list {
		p.shape(at(path, i), value, t.Elem())
	}
}

// eachMember calls f for the members of an object, in the order of their names.
func (p *problems) eachMember(data []byte, f func(string, json.RawMessage)) {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(data, &members) // checked to be an object
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		f(name, members[name])
	}
}

// jsonType names the type of a JSON value by its first byte.
func jsonType(data []byte) string {
	switch data = bytes.TrimSpace(data); data[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// wantedType names the JSON type that a Go type decodes from.
func wantedType(t reflect.Type) string {
	switch {
	case t == typeRaw:
		return "any"
	case t == typeTime || t == typeData || t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return "object"
	case t.Kind() == reflect.Slice:
		return "array"
	case t.Kind() == reflect.Bool:
		return "boolean"
	default:
		return "number"
	}
}

func isInteger(t reflect.Type) bool { return t.Kind() == reflect.Int || t.Kind() == reflect.Int64 }

func article(word string) string {
	switch word {
	case "object", "array":
		return "an " + word
	case "null":
		return word
	default:
		return "a " + word
	}
}

func orRoot(path string) string {
	if path == "" {
		return "definition"
	}
	return path
}

// shorten makes a member's name that somebody else chose safe to show in a path.
func shorten(name string) string {
	if refPattern.MatchString(name) && len(name) <= 64 {
		return name
	}
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	return quote(name)
}
