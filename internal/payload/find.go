package payload

import (
	"bytes"
	"strings"
)

// Find returns the value that a path of names, with dots between them, leads to through the objects
// of data, which is [Valid]: its Kind, its place, and whether it is Escaped. To is zero if there is
// none. Of equal names the first counts. known is false where somebody else has to look: the path
// leads into an array, a name on the way is written with escapes, or the path ends within what a
// name led to, which may stand there again.
func Find(data []byte, path string) (v Value, known bool) {
	i := skip(data, 0)
	for inside := false; ; inside = true {
		if i == len(data) || data[i] == '[' || len(data) > maxIndexed {
			return Value{}, false
		}
		if data[i] != '{' {
			return Value{}, !inside
		}
		name, rest, more := strings.Cut(path, ".")
		at, known := find(data, i+1, name)
		switch {
		case at == 0:
			return Value{}, known && !inside
		case !more:
			return valueAt(data, at), true
		}
		path, i = rest, at
	}
}

// find returns the place of a member's value in an object whose brace is just before i, or 0.
func find(data []byte, i int, name string) (at int, known bool) {
	for i = skip(data, i); data[i] == '"'; i = skip(data, i+1) {
		end := text(data, i+1)
		given := data[i+1 : end-1]
		if bytes.IndexByte(given, '\\') >= 0 {
			return 0, false
		}
		i = skip(data, skip(data, end)+1) // behind the colon
		if string(given) == name {
			return i, true
		}
		if i = skip(data, behind(data, i)); data[i] == '}' {
			break
		}
	}
	return 0, true
}

// valueAt is the value that begins at i.
func valueAt(data []byte, i int) Value {
	v := Value{From: int32(i), To: int32(behind(data, i))}
	switch data[i] {
	case '{':
		v.Kind = Object
	case '[':
		v.Kind = Array
	case '"':
		v.Kind = String
		v.Escaped = bytes.IndexByte(data[v.From:v.To], '\\') >= 0
	case 't':
		v.Kind = True
	case 'f':
		v.Kind = False
	case 'n':
		v.Kind = Null
	default:
		v.Kind = Number
	}
	return v
}

// behind goes behind the value that begins at i.
func behind(data []byte, i int) int {
	if c := data[i]; c != '{' && c != '[' {
		return scalar(data, i+1, c)
	}
	for depth := 0; ; {
		switch data[i] {
		case '"':
			i = text(data, i+1)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}
