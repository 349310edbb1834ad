package schema

import "github.com/integrationhub/hub/internal/payload"

// Quick tells what the quick way says of a payload that passed the guard.
func Quick(s *Schema, data []byte) (valid bool, err error) {
	var d payload.Document
	if err := d.Read(data, s.limits.Payload); err != nil {
		return false, err
	}
	return s.quick(&d), nil
}

// Ask tells what the validator says of it.
func Ask(s *Schema, data []byte) error { return s.ask(data) }
