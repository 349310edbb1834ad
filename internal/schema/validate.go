package schema

import (
	"errors"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// Validate returns nil if data fits the schema. Otherwise the error is [*Violations]; or [*Problem] with rule
// TooCostly if to judge data might take more than Limits.Work; or
// [*payload.Problem] if data does not pass payload.Check with Limits.Payload. It does not keep or change data.
func (s *Schema) Validate(data []byte) error {
	if err := payload.Check(data, s.limits.Payload); err != nil {
		return err
	}
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

func (s *Schema) validate(v any) (err error) {
	defer func() {
		if recover() != nil {
			err = &Problem{Rule: Failed}
		}
	}()
	return s.root.Validate(v)
}

func (s *Schema) explain(err error, v any) error {
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return &Problem{Rule: Failed}
	}
	e := explainer{schema: s, value: v, found: &Violations{}}
	e.walk(failed)
	return e.found
}
