package scrub

import (
	"bytes"
	"encoding/json"
)

// JSON is Bytes for a JSON document. It also finds a secret in a string
// however its characters are escaped, masks short secrets where they are a
// whole string (a member's name too) or number, and keeps the document
// valid where a number is masked: `"[secret]"` takes its place. Of text
// that is not JSON no more is asked than of Bytes; it does not fail.
func (s *Scrubber) JSON(b []byte) ([]byte, int) {
	return s.json(b, Set{s}.hides(b))
}

// json is JSON of a document whose escapes may hide something, or are known not to.
func (s *Scrubber) json(b []byte, hides bool) ([]byte, int) {
	if s == nil || s.short == nil && !s.filter.passes(b) && (s.filter == nil || !hides) {
		return b, 0
	}
	out, n := s.tokens(b)
	out, m := s.Bytes(out)
	return out, n + m
}

// tokens masks what only shows within the borders of a string or number.
func (s *Scrubber) tokens(b []byte) ([]byte, int) {
	var out []byte
	total, copied := 0, 0
	for i := 0; i < len(b); {
		end := tokenEnd(b, i)
		clean, n := s.token(b[i:end])
		if n > 0 {
			out = append(append(out, b[copied:i]...), clean...)
			copied, total = end, total+n
		}
		i = end
	}
	if total == 0 {
		return b, 0
	}
	return append(out, b[copied:]...), total
}

// token returns what replaces one token, if anything does.
func (s *Scrubber) token(t []byte) (string, int) {
	switch {
	case t[0] == '"':
		return s.text(t)
	case t[0] == '-' || '0' <= t[0] && t[0] <= '9':
		if _, n := s.String(string(t)); n > 0 {
			return `"` + Mask + `"`, n
		}
	}
	return "", 0
}

// text handles a string in its quotes. One without escapes is left to Bytes
// unless it is short.
func (s *Scrubber) text(t []byte) (string, int) {
	if len(t) < 2 || t[len(t)-1] != '"' {
		return "", 0
	}
	inner := t[1 : len(t)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		if len(inner) < MinLength && s.isShort(string(inner)) {
			return `"` + Mask + `"`, 1
		}
		return "", 0
	}
	var value string
	if json.Unmarshal(t, &value) != nil {
		return "", 0
	}
	clean, n := s.String(value)
	if n == 0 {
		return "", 0
	}
	quoted, _ := json.Marshal(clean) // a string has no error
	return string(quoted), n
}

// tokenEnd returns where the token that begins at i ends: a string after its
// closing quote, a number after its last character, all else after one byte.
func tokenEnd(b []byte, i int) int {
	if b[i] == '"' {
		end, _ := stringEnd(b, i+1)
		return end
	}
	end := i
	for end < len(b) && numeric(b[end]) {
		end++
	}
	return max(end, i+1)
}

func numeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}
