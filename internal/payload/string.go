package payload

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// str reads a string, from its quote on, and reports whether it holds escapes.
func (s *scanner) str(at int) (next int, escapes bool) {
	at++
	for {
		at += ordinary(s.data[at:])
		if at == len(s.data) {
			return s.fail(Truncated, at), escapes
		}
		switch c := s.data[at]; {
		case c == '"':
			return at + 1, escapes
		case c == '\\':
			escapes = true
			at = s.escape(at)
		case c < ' ':
			at = s.fail(Syntax, at)
		default:
			at = s.rune(at)
		}
		if at == failed {
			return failed, escapes
		}
	}
}

// ordinary counts the bytes at the beginning of text that stand for themselves in a string: ASCII but
// for quotes, backslashes and control characters. It looks at eight at once.
func ordinary(text []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(text); i += 8 {
		word := binary.LittleEndian.Uint64(text[i:])
		// The highest bit of a byte is set in one of the terms if that byte is looked for; the lowest
		// byte with one is, since borrows reach only upwards.
		odd := word | (word - ones*' ') | ((word ^ ones*'"') - ones) | ((word ^ ones*'\\') - ones)
		if odd &= highs; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// rune reads one character beyond ASCII. Surrogates encoded as bytes are not UTF-8 (RFC 3629, section 3).
func (s *scanner) rune(at int) int {
	rest := s.data[at:]
	_, size := utf8.DecodeRune(rest)
	switch {
	case size > 1 || s.lenient:
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
	case at == failed, unit < 0xD800, unit > 0xDFFF, s.lenient:
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
