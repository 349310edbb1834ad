package render

import (
	"encoding/json"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/ref"
)

// A writer puts values into slots for one call.
type writer struct {
	v     Values
	buf   []byte
	done  int // bytes of the request that are no longer in buf
	max   int
	sinks []Sink
	gaps  []gap // where files stand in buf

	trace *trace // with Values.Trace; nil: nobody asked
}

// A Scratch is memory that requests are rendered on, one after the other: what is rendered is a copy, and no request
// sees what another left. Its zero value is ready; it serves one call at a time.
type Scratch struct {
	buf   []byte
	sinks []Sink
}

// maxScratch is the longest buffer that a Scratch keeps.
const maxScratch = 64 << 10

// begin gives a writer the memory for one call of a program: new memory, if s is nil.
func (s *Scratch) begin(w *writer, p *Program) {
	if s != nil {
		w.buf, w.sinks = s.buf[:0], s.sinks[:0]
	}
	w.buf, w.max = slices.Grow(w.buf, p.size), p.max
}

// end takes the memory back, empty.
func (s *Scratch) end(w *writer) {
	if s == nil {
		return
	}
	w.clear()
	clear(w.sinks)
	s.buf, s.sinks = w.buf, w.sinks
	if cap(s.buf) > maxScratch {
		s.buf = nil
	}
}

// clear empties the buffer.
func (w *writer) clear() {
	clear(w.buf)
	w.buf = w.buf[:0]
}

// place writes one slot that is a part of its own.
func (w *writer) place(s *slot) error {
	start := len(w.buf) + len(s.prefix)
	if err := w.slot(s); err != nil {
		return err
	}
	w.part(string(s.place), start)
	return nil
}

// slot writes one slot.
func (w *writer) slot(s *slot) error {
	w.buf = append(w.buf, s.prefix...)
	for i := range s.pieces {
		if err := w.piece(s, &s.pieces[i]); err != nil {
			return err
		}
	}
	return w.room(s.path)
}

func (w *writer) piece(s *slot, p *piece) error {
	if p.hole == nil {
		w.buf = append(w.buf, p.literal...)
		w.came("definition", "")
		return nil
	}
	if w.quick(s, p.hole) {
		return w.room(s.path)
	}
	start := len(w.buf)
	v, err := w.resolve(s, p.hole)
	if err != nil {
		return err
	}
	if s.whole {
		err = w.json(s, p.hole, &v)
	} else {
		err = w.text(s, p.hole, &v)
	}
	if err != nil {
		return err
	}
	w.note(s.place, p.hole, &v, start)
	return w.room(s.path)
}

// quick writes a value of the payload by its place in the index, and reports whether it did: what is JSON there is
// JSON here, byte by byte. What is to be written otherwise, or may not stand here, is left to resolve.
func (w *writer) quick(s *slot, h *hole) bool {
	if h.names == nil || w.v.Index == nil || w.trace != nil {
		return false
	}
	v, _ := path.Find(w.v.Index, h.names)
	if v == nil {
		return false
	}
	if s.whole && !h.ref.AsString {
		w.buf = appendJSON(w.buf, w.v.Index.Text(), v)
		return true
	}
	text, ok := path.Text(w.v.Index, v)
	if !ok || s.whole {
		return false
	}
	if s.json {
		w.buf = append(w.buf, text...)
		return true
	}
	buf, refused := s.encode(w.buf, text)
	if refused == nil {
		w.buf = buf
	}
	return refused == nil
}

// appendJSON appends a value of a document.
func appendJSON(dst, doc []byte, v *payload.Value) []byte {
	if raw := doc[v.From:v.To]; v.Kind == payload.Array || v.Kind == payload.Object {
		return compact(dst, raw)
	} else {
		return append(dst, raw...)
	}
}

// text writes a scalar with the encoding of its slot.
func (w *writer) text(s *slot, h *hole, v *value) error {
	text := v.result.Str
	switch v.result.Type {
	case gjson.JSON:
		return s.fault(h, "not-a-scalar", "an object or array cannot stand in text")
	case gjson.Number, gjson.True, gjson.False:
		text = v.result.Raw
	}
	if v.masked && showsAsIs(h.name) {
		w.buf = append(w.buf, h.name...)
		return nil
	}
	var refused *refusal
	if w.buf, refused = s.encode(w.buf, text); refused != nil { // what is written by then goes with the rest
		return s.fault(h, refused.rule, refused.message)
	}
	return nil
}

// json writes a value in place of a whole JSON string.
func (w *writer) json(s *slot, h *hole, v *value) error {
	if h.ref.AsString || v.masked || v.result.Raw == "" {
		w.buf = append(w.buf, '"')
		if err := w.text(s, h, v); err != nil {
			return err
		}
		w.buf = append(w.buf, '"')
		return nil
	}
	if h.ref.Kind == ref.Auth && !json.Valid([]byte(v.result.Raw)) {
		return s.fault(h, "invalid-json", "the authentication answer holds no JSON here")
	}
	w.buf = compact(w.buf, v.result.Raw)
	return nil
}

// room fails once the request has become larger than it may.
func (w *writer) room(at string) error {
	if w.done+len(w.buf) > w.max {
		return &Fault{Path: at, Rule: "too-large", Message: "the request is larger than allowed"}
	}
	return nil
}

// showsAsIs reports whether a masked reference needs no encoding in any place.
func showsAsIs(name string) bool {
	for i := range len(name) {
		if b := name[i]; !unreserved(b) && b != '[' && b != ']' && b != '@' {
			return false
		}
	}
	return true
}
