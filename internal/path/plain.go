package path

import (
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
)

// Plain returns the names of a path that leads through objects alone, as most do, and nil for any
// other: each name is made of letters, digits, "_" and "-", and begins with none of the last two.
func Plain(p string) []string {
	names := strings.Split(p, ".")
	for _, name := range names {
		if name == "" || !isLetter(name[0]) || strings.ContainsFunc(name, notPlain) {
			return nil
		}
	}
	return names
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' || b == '_' }

func notPlain(r rune) bool {
	return r > 'z' || !isLetter(byte(r)) && (r < '0' || r > '9') && r != '-'
}

// In returns the value at a plain path of a document, as [Get] would, but without Num and Index. It
// reports false where it does not know: see [Find].
func In(d *payload.Document, names []string) (gjson.Result, bool) {
	v, known := Find(d, names)
	if v == nil {
		return gjson.Result{}, known
	}
	return result(d.Text(), v), true
}

// Find returns the value at a plain path of a document; nil: there is none. It reports false where it
// does not know: nothing was kept of the document, or a name is written with escapes, or the path
// leads into an array.
func Find(d *payload.Document, names []string) (*payload.Value, bool) {
	values := d.Values()
	if len(values) == 0 {
		return nil, false
	}
	at := int32(0)
	for _, name := range names {
		switch values[at].Kind {
		case payload.Object:
		case payload.Array:
			return nil, false
		default:
			return nil, true
		}
		next, known := d.Member(at, name)
		if next == 0 {
			return nil, known
		}
		at = next
	}
	return &values[at], true
}

// Text returns the text of a scalar as it stands in a document: a string without escapes, a number, true or false. It
// shares the document's memory.
func Text(d *payload.Document, v *payload.Value) (string, bool) {
	from, to := v.From, v.To
	switch {
	case v.Kind == payload.String && !v.Escaped:
		from, to = from+1, to-1
	case v.Kind == payload.Number, v.Kind == payload.True, v.Kind == payload.False:
	default:
		return "", false
	}
	return shared(d.Text()[from:to]), true
}

// shared is a text in the memory of a document.
func shared(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

// types are the types of kinds.
var types = [...]gjson.Type{
	payload.Null: gjson.Null, payload.False: gjson.False, payload.True: gjson.True, payload.Number: gjson.Number,
	payload.String: gjson.String, payload.Array: gjson.JSON, payload.Object: gjson.JSON,
}

// result is a value as gjson has it. Its texts share the document's memory.
func result(text []byte, v *payload.Value) gjson.Result {
	raw := shared(text[v.From:v.To])
	if v.Escaped {
		return gjson.Parse(raw)
	}
	r := gjson.Result{Type: types[v.Kind], Raw: raw}
	if v.Kind == payload.String {
		r.Str = raw[1 : len(raw)-1]
	}
	return r
}
