package schema

import (
	"bytes"
	"encoding/json"
)

// Validate returns nil if data fits the schema. Otherwise the error is [*Violations], or
// [*Problem] with rule TooCostly if judging data would take more than Limits.Work, or
// [*payload.Problem] if data is not JSON or deeper than Limits.Payload. The caller has passed data through payload.Check.
func (s *Schema) Validate(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return &Problem{Rule: Failed}
	}
	if err := s.root.Validate(v); err != nil {
		return &Violations{}
	}
	return nil
}
