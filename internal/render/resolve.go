package render

import (
	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/ref"
)

// A value is what a reference stands for in one call.
type value struct {
	result gjson.Result
	source string // kind, for Source
	secret string // for Sink; empty: none
	masked bool   // the reference itself is written
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
	v := value{result: w.find(h), source: "payload"}
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

// find looks into the payload.
func (w *writer) find(h *hole) gjson.Result {
	if h.names != nil && w.v.Index != nil {
		if found, ok := path.In(w.v.Index, h.names); ok {
			return found
		}
	}
	return path.Get(w.v.Payload, h.ref.Text)
}

func (w *writer) auth(s *slot, h *hole) (value, error) {
	v := value{result: path.Get(w.v.Auth, h.ref.Text), source: "auth"}
	unanswered := w.v.Mask && w.v.Auth == nil
	if s.missing(h, v.result) && !unanswered {
		return value{}, s.fault(h, "missing-value", "the authentication answer has no value here")
	}
	if w.v.AuthSecret != nil && w.v.AuthSecret(h.ref.Text) {
		v.secret = "@auth." + h.ref.Text
	}
	if v.masked = unanswered || w.v.Mask && v.secret != ""; v.masked {
		v.result = gjson.Result{Type: gjson.String, Str: h.name}
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
