package payload

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// str reads a string and reports whether it holds escapes.
func (s *scanner) str() (escapes bool, p *Problem) {
	s.pos++
	for {
		s.pos += ordinary(s.data[s.pos:])
		if s.pos == len(s.data) {
			return escapes, s.problem(Truncated)
		}
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return escapes, nil
		case c == '\\':
			escapes = true
			if p := s.escape(); p != nil {
				return escapes, p
			}
		case c < ' ':
			return escapes, s.problem(Syntax)
		default:
			if p := s.rune(); p != nil {
				return escapes, p
			}
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
		quote, slash := word^(ones*'"'), word^(ones*'\\')
		// In each term the lowest byte that is marked is one that is looked for: borrows reach
		// only upwards.
		odd := (word-ones*' ')&^word | (quote-ones)&^quote | (slash-ones)&^slash | word
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
func (s *scanner) rune() *Problem {
	rest := s.data[s.pos:]
	_, size := utf8.DecodeRune(rest)
	switch {
	case size > 1:
		s.pos += size
		return nil
	case !utf8.FullRune(rest):
		s.pos = len(s.data)
		return s.problem(Truncated)
	default:
		return s.problem(InvalidUTF8)
	}
}

// escape reads one escape, or the two that make a surrogate pair.
func (s *scanner) escape() *Problem {
	begin := s.pos
	s.pos++
	if s.pos == len(s.data) {
		return s.problem(Truncated)
	}
	switch s.data[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
	default:
		return s.problem(Syntax)
	}
	unit, p := s.hex4()
	if p != nil || unit < 0xD800 || unit > 0xDFFF {
		return p
	}
	if unit >= 0xDC00 {
		s.pos = begin
		return s.problem(LoneSurrogate)
	}
	return s.lowHalf(begin)
}

// lowHalf reads what has to follow the high half of a pair that began at begin.
func (s *scanner) lowHalf(begin int) *Problem {
	for _, want := range []byte(`\u`) {
		if s.pos == len(s.data) {
			return s.problem(Truncated)
		}
		if s.data[s.pos] != want {
			s.pos = begin
			return s.problem(LoneSurrogate)
		}
		s.pos++
	}
	unit, p := s.hex4()
	if p != nil {
		return p
	}
	if unit < 0xDC00 || unit > 0xDFFF {
		s.pos = begin
		return s.problem(LoneSurrogate)
	}
	return nil
}

func (s *scanner) hex4() (unit rune, p *Problem) {
	for range 4 {
		if s.pos == len(s.data) {
			return 0, s.problem(Truncated)
		}
		digit, ok := hexDigit(s.data[s.pos])
		if !ok {
			return 0, s.problem(Syntax)
		}
		unit = unit<<4 | digit
		s.pos++
	}
	return unit, nil
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
