package render

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/ref"
)

// json compiles a JSON body into runs of literal bytes and the strings that hold references.
func (c *compiler) json(contentType, source string) {
	if !c.jsonSource(source) {
		return
	}
	d := json.NewDecoder(strings.NewReader(source))
	d.UseNumber()
	b := jsonCompiler{compiler: c, decoder: d}
	b.value("")
	b.slots = append(b.slots, slot{prefix: string(b.pending)})
	c.program.body = &slotBody{contentType, b.slots}
}

// jsonSource reports what keeps source from being one JSON text that is read alike everywhere.
func (c *compiler) jsonSource(source string) bool {
	err := payload.Check([]byte(source), payload.Limits{Bytes: c.scope.maxBytes()})
	var p *payload.Problem
	if !errors.As(err, &p) {
		return err == nil
	}
	if unquotedReference(source) {
		c.report("body", "invalid-json", `a reference in a JSON body stands in double quotes: "{{path}}"; the quotes go away where the value is not text`)
		return false
	}
	c.report("body", "invalid-json", "the body is not valid JSON: "+p.Error())
	return false
}

// unquotedReference reports whether a reference seems to stand outside the strings of a JSON text.
func unquotedReference(source string) bool {
	quoted := false
	for i := 0; i < len(source); i++ {
		switch {
		case source[i] == '"':
			quoted = !quoted
		case quoted && source[i] == '\\':
			i++
		case quoted:
		case strings.HasPrefix(source[i:], "{{"):
			return true
		case strings.HasPrefix(source[i:], "[["):
			name := strings.TrimLeft(source[i+2:], " ")
			if name != "" && (name[0] == '@' || ref.ValidName(name[:1])) {
				return true
			}
		}
	}
	return false
}

// A jsonCompiler walks a checked JSON text; pending are the bytes since the last slot.
type jsonCompiler struct {
	*compiler
	decoder *json.Decoder
	pending []byte
	slots   []slot
}

// value compiles the next value; pointer is where it stands. The checked depth bounds the
// recursion.
func (b *jsonCompiler) value(pointer string) {
	token, err := b.decoder.Token()
	if err != nil {
		b.report("body", "invalid-json", "the body is not valid JSON")
		return
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			b.object(pointer)
		} else {
			b.array(pointer)
		}
	case string:
		b.text(pointer, t)
	case json.Number:
		b.pending = append(b.pending, t...)
	case bool:
		b.pending = strconv.AppendBool(b.pending, t)
	case nil:
		b.pending = append(b.pending, "null"...)
	}
}

func (b *jsonCompiler) object(pointer string) {
	seen := map[string]bool{}
	for b.decoder.More() {
		token, err := b.decoder.Token()
		source, ok := token.(string)
		if err != nil || !ok {
			return
		}
		name := b.member(pointer, source)
		if seen[name] {
			b.report("body", "duplicate-member", "two members of one object have the same name")
		}
		b.open('{', len(seen) == 0)
		seen[name] = true
		b.pending, _ = jsonText(append(b.pending, '"'), name)
		b.pending = append(b.pending, `":`...)
		b.value(pointer + "/" + pointerToken.Replace(name))
	}
	b.close("{}", len(seen) == 0)
}

func (b *jsonCompiler) array(pointer string) {
	n := 0
	for ; b.decoder.More(); n++ {
		b.open('[', n == 0)
		b.value(pointer + "/" + strconv.Itoa(n))
	}
	b.close("[]", n == 0)
}

// open writes what stands before an element: the bracket, or a comma from the second on.
func (b *jsonCompiler) open(bracket byte, first bool) {
	if !first {
		bracket = ','
	}
	b.pending = append(b.pending, bracket)
}

// close reads the closing bracket and writes it, or both if nothing stands between them.
func (b *jsonCompiler) close(brackets string, empty bool) {
	if _, err := b.decoder.Token(); err != nil {
		return
	}
	if !empty {
		brackets = brackets[1:]
	}
	b.pending = append(b.pending, brackets...)
}

// pointerToken escapes a member name for a JSON pointer (RFC 6901 section 3).
var pointerToken = strings.NewReplacer("~", "~0", "/", "~1")

// member returns the name of a member, which holds no references.
func (b *jsonCompiler) member(pointer, source string) string {
	b.pointer = pointer
	name, _ := b.name("body", source)
	b.pointer = ""
	return name
}

// text compiles a string: literal bytes, text with holes, or one hole for a JSON value.
func (b *jsonCompiler) text(pointer, source string) {
	b.pointer = pointer
	segments, ok := b.parse("body", source)
	if ok {
		b.string(Place("body:"+pointer), segments)
	}
	b.pointer = ""
}

func (b *jsonCompiler) string(place Place, segments []ref.Segment) {
	if len(segments) == 1 && (segments[0].Kind == ref.Payload || segments[0].Kind == ref.Auth) {
		h := b.hole("body", place, segments[0], jsonText, true)
		b.slot(slot{encode: jsonText, place: place, path: "body", json: true, whole: true, pieces: []piece{{hole: h}}})
		return
	}
	s := b.compiler.slot("body", place, segments, jsonText)
	s.json = true
	b.pending = append(b.pending, '"')
	if s.holes() {
		b.slot(s)
	} else if len(s.pieces) > 0 {
		b.pending = append(b.pending, s.pieces[0].literal...)
	}
	b.pending = append(b.pending, '"')
}

// slot ends the run of literal bytes with a slot.
func (b *jsonCompiler) slot(s slot) {
	s.prefix = string(b.pending)
	b.slots = append(b.slots, s)
	b.pending = b.pending[:0]
}
