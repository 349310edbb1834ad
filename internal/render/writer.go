package render

import (
	"encoding/json"

	"github.com/tidwall/gjson"

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

	// With Values.Trace: the parts so far, and the trails of the current part and of the
	// whole buffer.
	parts []Part
	now   trail
	all   trail
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
	buf, refused := s.encode(w.buf, text)
	if refused != nil {
		return s.fault(h, refused.rule, refused.message)
	}
	w.buf = buf
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
