package schema

import (
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// textRule is what a subschema says of strings.
type textRule struct {
	min, max int // in characters; max negative: none
	pattern  pattern
	format   func(text []byte) bool // nil: none
}

func (q *quickener) textRule(r *rule, s *jsonschema.Schema) *textRule {
	format, ok := quickFormat(s.Format)
	r.ask = r.ask || !ok
	if s.MinLength == -1 && s.MaxLength == -1 && s.Pattern == nil && format == nil {
		return nil
	}
	return &textRule{min: s.MinLength, max: s.MaxLength, pattern: patternOf(s.Pattern), format: format}
}

// written judges a string.
func (j *judge) written(r *rule, v *payload.Value) verdict {
	text, t := j.inner(v), r.text
	if j.left -= r.textByte * float64(len(text)); j.left < 0 {
		return unknown
	}
	switch {
	case !t.admits(text, v.Escaped):
		return no
	case t.pattern.any() && t.format == nil:
		return yes
	}
	text = j.said(text, v.Escaped, r.textByte)
	return verdictOf(t.pattern.matches(text) && (t.format == nil || t.format(text)))
}

// admits reports whether a string's inside has not too few and not too many characters. They are
// counted where the number of bytes does not tell.
func (t *textRule) admits(text []byte, escaped bool) bool {
	longest := utf8.UTFMax
	if escaped {
		longest = len(`\ud83d\ude00`)
	}
	if fits((len(text)+longest-1)/longest, t.min, t.max) && fits(len(text), t.min, t.max) {
		return true
	}
	return fits(characters(text, escaped), t.min, t.max)
}

// characters counts the code points of a string's inside.
func characters(text []byte, escaped bool) int {
	if !escaped {
		return utf8.RuneCount(text)
	}
	count := 0
	for i := 0; i < len(text); count++ {
		switch {
		case text[i] != '\\':
			_, size := utf8.DecodeRune(text[i:])
			i += size
		case text[i+1] != 'u':
			i += 2
		case isHighHalf(text[i+2:]):
			i += 12
		default:
			i += 6
		}
	}
	return count
}

// isHighHalf reports whether the digits of an escape are D800 to DBFF. The guard has seen to it that
// the other half follows.
func isHighHalf(digits []byte) bool {
	return digits[0]|0x20 == 'd' && (digits[1] == '8' || digits[1] == '9' || digits[1]|0x20 == 'a' || digits[1]|0x20 == 'b')
}
