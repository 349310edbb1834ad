package schema

import (
	"sync"
	"weak"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// validator is a schema as jsonschema/v5 compiled it, with what bounds and explains its work. It takes
// some thirty times the memory of the schema's text.
type validator struct {
	limits Limits
	source any                           // the schema's JSON, decoded
	root   *jsonschema.Schema            // what validates
	places map[string]*jsonschema.Schema // :: location → subschema
	entry  *entry                        // root, as the effort is computed
}

func newValidator(src []byte, l Limits) (*validator, error) {
	if err := payload.Check(src, payload.Limits{Bytes: l.Bytes, Depth: l.Depth}); err != nil {
		return nil, err
	}
	doc, err := decode(src)
	if err != nil {
		return nil, &Problem{Rule: Failed}
	}
	facts, p := inspect(doc, l)
	if p != nil {
		return nil, p
	}
	root, p := compile(src, facts)
	if p != nil {
		return nil, p
	}
	v := &validator{limits: l, source: doc, root: root}
	if p := v.analyse(); p != nil {
		return nil, p
	}
	return v, nil
}

// asked keeps the validator of a schema: for good where keywords are left to it; else only while it is in
// use, because most payloads never get that far.
type asked struct {
	always *validator

	mu    sync.Mutex
	while weak.Pointer[validator]
}

// validator returns the validator, compiled anew if nobody has used it for a while.
func (s *Schema) validator() (*validator, error) {
	if s.asked.always != nil {
		return s.asked.always, nil
	}
	s.asked.mu.Lock()
	defer s.asked.mu.Unlock()
	if v := s.asked.while.Value(); v != nil {
		return v, nil
	}
	v, err := newValidator(s.source, s.limits)
	if err != nil { // it was compiled before: cannot happen
		return nil, &Problem{Rule: Failed}
	}
	s.asked.while = weak.Make(v)
	return v, nil
}

// Length is that of the schema's text, in bytes.
func (s *Schema) Length() int { return len(s.source) }

// Size is the memory that the schema takes, in bytes, nearly.
func (s *Schema) Size() int {
	const rules, all = 8, 35 // for each byte of the text, as measured
	if s.asked.always != nil {
		return all * len(s.source)
	}
	return rules * len(s.source)
}
