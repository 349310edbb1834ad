package render

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/ref"
)

// A writer puts values into slots for one call.
type writer struct {
	v     Values
	buf   []byte
	done  int // bytes of the request that are no longer in buf
	max   int
	sinks []Sink

	// With Values.Trace: the parts so far, and the trails of the current part and of the
	// whole buffer.
	parts []Part
	now   trail
	all   trail
}

// A trail is what a part needs to know about the values in it.
type trail struct {
	sources []Source
	masks   []mask
}

func (t *trail) came(s Source) {
	if !slices.Contains(t.sources, s) {
		t.sources = append(t.sources, s)
	}
}

// A mask is a range of buf that holds a secret, and what to show for it.
type mask struct {
	start, end int
	name       string
}

// A value is what a reference stands for in one call.
type value struct {
	result gjson.Result
	source string // kind, for Source
	secret string // for Sink; empty: none
	masked bool   // the reference itself is written
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

// resolve finds the value of a reference. Its kind decides where, and nothing in the value can
// make it another.
func (w *writer) resolve(s *slot, h *hole) (value, error) {
	switch h.ref.Kind {
	case ref.Payload:
		return w.payload(s, h)
	case ref.Auth:
		return w.auth(s, h)
	}
	return w.named(s, h)
}

func textValue(text, source string) value {
	return value{result: gjson.Result{Type: gjson.String, Str: text}, source: source}
}

func (w *writer) named(s *slot, h *hole) (value, error) {
	name := h.ref.Text
	if h.secret {
		return w.secret(s, h)
	}
	if w.v.Variable != nil {
		if text, ok := w.v.Variable(name); ok {
			return textValue(text, "variable"), nil
		}
	}
	return value{}, s.fault(h, "unknown-reference", "there is no variable of this name")
}

func (w *writer) secret(s *slot, h *hole) (value, error) {
	v := textValue(h.name, "secret")
	v.secret = h.ref.Text
	if w.v.Mask {
		v.masked = true
		return v, nil
	}
	if w.v.Secret == nil {
		return value{}, s.fault(h, "unknown-reference", "there is no secret of this name")
	}
	text, err := w.v.Secret(h.ref.Text)
	if err != nil {
		f := s.fault(h, "secret-unavailable", "the secret cannot be had")
		f.err = err
		return value{}, f
	}
	v.result.Str = text
	return v, nil
}

func (w *writer) payload(s *slot, h *hole) (value, error) {
	v := value{result: path.Get(w.v.Payload, h.ref.Text), source: "payload"}
	if !s.missing(h, v.result) {
		return v, nil
	}
	if h.ref.Default == "" {
		return value{}, s.fault(h, "missing-value", "the payload has no value here, and there is no default")
	}
	v.source, v.result = "default", gjson.Result{Type: gjson.String, Str: h.fallback}
	if s.whole && !h.ref.AsString {
		v.result.Raw = h.ref.Default
	}
	return v, nil
}

func (w *writer) auth(s *slot, h *hole) (value, error) {
	v := value{result: path.Get(w.v.Auth, h.ref.Text), source: "auth"}
	if s.missing(h, v.result) {
		return value{}, s.fault(h, "missing-value", "the authentication answer has no value here")
	}
	if w.v.AuthSecret != nil && w.v.AuthSecret(h.ref.Text) {
		v.secret = "@auth." + h.ref.Text
		if w.v.Mask {
			v.masked = true
			v.result = gjson.Result{Type: gjson.String, Str: h.name}
		}
	}
	return v, nil
}

// missing reports whether r is no value for h: nothing, or a null where text is put.
func (s *slot) missing(h *hole, r gjson.Result) bool {
	return !r.Exists() || r.Type == gjson.Null && (!s.whole || h.ref.AsString)
}

func (s *slot) fault(h *hole, rule, message string) *Fault {
	return &Fault{Path: s.path, Reference: h.name, Rule: rule, Message: message}
}

// room fails once the request has become larger than it may.
func (w *writer) room(at string) error {
	if w.done+len(w.buf) > w.max {
		return &Fault{Path: at, Rule: "too-large", Message: "the request is larger than allowed"}
	}
	return nil
}

// note remembers where a value went and came from.
func (w *writer) note(at Place, h *hole, v *value, start int) {
	if v.secret != "" {
		w.sinks = append(w.sinks, Sink{v.secret, at})
	}
	if !w.v.Trace {
		return
	}
	if v.secret != "" {
		w.now.masks = append(w.now.masks, mask{start, len(w.buf), h.name})
	}
	w.came(v.source, h.ref.Text)
}

func (w *writer) came(kind, name string) {
	if w.v.Trace {
		w.now.came(Source{kind, name})
	}
}

// part ends the part that began at start of buf.
func (w *writer) part(at string, start int) {
	if !w.v.Trace {
		return
	}
	w.parts = append(w.parts, Part{at, w.shown(start, w.now.masks), w.now.sources})
	w.join()
}

// join adds the current trail to the whole one and starts another.
func (w *writer) join() {
	for _, s := range w.now.sources {
		w.all.came(s)
	}
	w.all.masks = append(w.all.masks, w.now.masks...)
	w.now = trail{}
}

// begin makes buf, empty, the one written to.
func (w *writer) begin(buf []byte) {
	w.done += len(w.buf)
	w.buf, w.now, w.all = buf, trail{}, trail{}
}

// end makes the whole buffer a part.
func (w *writer) end(at string) {
	if !w.v.Trace {
		return
	}
	w.join()
	w.parts = append(w.parts, Part{at, w.shown(0, w.all.masks), w.all.sources})
}

// shown returns buf from start on, secrets masked.
func (w *writer) shown(start int, masks []mask) string {
	var b strings.Builder
	for _, m := range masks {
		b.Write(w.buf[start:m.start])
		b.WriteString(m.name)
		start = m.end
	}
	b.Write(w.buf[start:])
	return b.String()
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
