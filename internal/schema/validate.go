package schema

import (
	"errors"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// Validate returns nil if data fits the schema. Otherwise the error is [*Violations]; or [*Problem] with rule
// TooCostly if to judge data might take the validator more than Limits.Work; or
// [*payload.Problem] if data does not pass payload.Check with Limits.Payload. It does not keep or change data.
func (s *Schema) Validate(data []byte) error {
	var d payload.Document
	if err := d.Read(data, s.limits.Payload); err != nil {
		return err
	}
	return s.ValidateDocument(&d)
}

// ValidateDocument is Validate for a text that was read already. Most payloads that fit are judged by
// the index of d alone.
func (s *Schema) ValidateDocument(d *payload.Document) error {
	if !d.Within(s.limits.Payload) {
		return s.Validate(d.Text())
	}
	if s.quick(d) == yes {
		return nil
	}
	return s.ask(d.Text())
}

// ask has a payload that passed the guard judged by the validator.
func (s *Schema) ask(data []byte) error {
	v, err := s.validator()
	if err != nil {
		return err
	}
	return v.judge(data)
}

func (s *validator) judge(data []byte) error {
	v, err := decode(data)
	if err != nil {
		return &Problem{Rule: Failed}
	}
	if !s.entry.affordable(v, s.limits.Work) {
		return &Problem{Rule: TooCostly, Limit: s.limits.Work}
	}
	if err := s.validate(v); err != nil {
		return s.explain(err, v)
	}
	return nil
}

func (s *validator) validate(v any) (err error) {
	defer func() {
		if recover() != nil {
			err = &Problem{Rule: Failed}
		}
	}()
	return s.root.Validate(v)
}

func (s *validator) explain(err error, v any) error {
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return &Problem{Rule: Failed}
	}
	e := explainer{schema: s, value: v, found: &Violations{}}
	e.walk(failed)
	return e.found
}
