package payload

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// str reads a string, from its quote on, and reports whether it holds escapes. It looks at eight bytes
// at once.
func (s *scanner) str(at int) (next int, escapes bool) {
	const beyondASCII = 0x8080808080808080
	for at++; at < len(s.data); {
		if at+8 <= len(s.data) {
			word := binary.LittleEndian.Uint64(s.data[at:])
			marks := remarkable(word) | word&beyondASCII
			if marks == 0 {
				at += 8
				continue
			}
			at += bits.TrailingZeros64(marks) / 8
		}
		switch c := s.data[at]; {
		case c == '"':
			return at + 1, escapes
		case c == '\\':
			escapes = true
			at = s.escape(at)
		case c < ' ':
			at = s.fail(Syntax, at)
		case c < utf8.RuneSelf:
			at++
		default:
			at = s.rune(at)
		}
		if at == failed {
			return failed, escapes
		}
	}
	return s.fail(Truncated, at), escapes
}

// rune reads one character beyond ASCII. Surrogates encoded as bytes are not UTF-8 (RFC 3629, section 3).
func (s *scanner) rune(at int) int {
	rest := s.data[at:]
	_, size := utf8.DecodeRune(rest)
	switch {
	case size > 1:
		return at + size
	case !utf8.FullRune(rest):
		return s.fail(Truncated, len(s.data))
	default:
		return s.fail(InvalidUTF8, at)
	}
}

// escape reads one escape, or the two that make a surrogate pair.
func (s *scanner) escape(begin int) int {
	at := begin + 1
	if at == len(s.data) {
		return s.fail(Truncated, at)
	}
	switch s.data[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 1
	case 'u':
	default:
		return s.fail(Syntax, at)
	}
	at, unit := s.hex4(at + 1)
	switch {
	case at == failed, unit < 0xD800, unit > 0xDFFF:
		return at
	case unit >= 0xDC00:
		return s.fail(LoneSurrogate, begin)
	}
	return s.lowHalf(begin, at)
}

// lowHalf reads what has to follow the high half of a pair that began at begin.
func (s *scanner) lowHalf(begin, at int) int {
	for _, want := range []byte(`\u`) {
		if at == len(s.data) {
			return s.fail(Truncated, at)
		}
		if s.data[at] != want {
			return s.fail(LoneSurrogate, begin)
		}
		at++
	}
	at, unit := s.hex4(at)
	if at != failed && (unit < 0xDC00 || unit > 0xDFFF) {
		return s.fail(LoneSurrogate, begin)
	}
	return at
}

func (s *scanner) hex4(at int) (next int, unit rune) {
	for range 4 {
		if at == len(s.data) {
			return s.fail(Truncated, at), 0
		}
		digit, ok := hexDigit(s.data[at])
		if !ok {
			return s.fail(Syntax, at), 0
		}
		unit = unit<<4 | digit
		at++
	}
	return at, unit
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	default:
		return 0, false
	}
}
