package scrub

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// hides reports whether one of the Scrubbers may find something in a string of a JSON document
// whose characters are escaped. It says yes where it cannot tell.
func (s Set) hides(doc []byte) bool {
	if bytes.IndexByte(doc, '\\') < 0 {
		return false
	}
	var room [256]byte
	value := room[:0]
	for {
		quote := bytes.IndexByte(doc, '"')
		if quote < 0 {
			return false
		}
		doc = doc[quote+1:]
		end, escapes := stringEnd(doc, 0)
		if escapes {
			var ok bool
			if value, ok = unescape(value[:0], doc[:end]); !ok || s.mayHold(value) {
				return true
			}
		}
		doc = doc[end:]
	}
}

// mayHold reports whether a text may hold a long secret.
func (s Set) mayHold(text []byte) bool {
	for _, one := range s {
		if one != nil && one.filter.passes(text) {
			return true
		}
	}
	return false
}

// stringEnd returns where the string ends whose quote is just before i, behind its other quote.
func stringEnd(b []byte, i int) (end int, escapes bool) {
	for quote := -1; ; {
		if quote < i {
			next := bytes.IndexByte(b[i:], '"')
			if next < 0 {
				return len(b), escapes
			}
			quote = i + next
		}
		slash := bytes.IndexByte(b[i:quote], '\\')
		if slash < 0 {
			return quote + 1, escapes
		}
		escapes = true
		i += slash + 2
	}
}

// unescape appends the value of a string, given with the quote at its end, as encoding/json reads
// it. It reports false for what that refuses, or replaces: no UTF-8, half a surrogate pair.
func unescape(dst, src []byte) ([]byte, bool) {
	begin := len(dst)
	for {
		slash := bytes.IndexByte(src, '\\')
		if slash < 0 {
			break
		}
		dst = append(dst, src[:slash]...)
		r, n := escaped(src[slash:])
		if n == 0 {
			return dst, false
		}
		dst, src = utf8.AppendRune(dst, r), src[slash+n:]
	}
	if len(src) == 0 || src[len(src)-1] != '"' {
		return dst, false
	}
	dst = append(dst, src[:len(src)-1]...)
	return dst, utf8.Valid(dst[begin:])
}

// escaped reads one escape, or two that are a surrogate pair, and counts its bytes; none if it
// cannot be read.
func escaped(src []byte) (r rune, n int) {
	if len(src) < 2 {
		return 0, 0
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), src[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	high, ok := code(src)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(high):
		return high, 6
	}
	low, ok := code(src[6:])
	if r = utf16.DecodeRune(high, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// code reads \uXXXX.
func code(src []byte) (r rune, ok bool) {
	if len(src) < 6 || src[0] != '\\' || src[1] != 'u' {
		return 0, false
	}
	for _, c := range src[2:6] {
		digit := bytes.IndexByte([]byte("0123456789abcdefABCDEF"), c)
		if digit < 0 {
			return 0, false
		}
		if digit > 15 {
			digit -= 6
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}
