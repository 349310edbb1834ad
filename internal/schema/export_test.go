package schema

import "github.com/integrationhub/hub/internal/payload"

// Verdict is what the quick way says.
type Verdict = verdict

// The verdicts.
const (
	Unknown = unknown
	Yes     = yes
	No      = no
)

// Quick tells what the quick way says of a payload that passed the guard.
func Quick(s *Schema, data []byte) (Verdict, error) {
	var d payload.Document
	if err := d.Read(data, s.limits.Payload); err != nil {
		return unknown, err
	}
	return s.quick(&d), nil
}

// PlainPattern matches text with a regular expression as the quick way does; ok is false if it is none
// of the plain ones.
func PlainPattern(expression string, text []byte) (matches, ok bool) {
	p := plainPatternOf(expression)
	return p.matches(text) && p != nil, p != nil
}

// Ask tells what the validator says of it.
func Ask(s *Schema, data []byte) error { return s.ask(data) }
