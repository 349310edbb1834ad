package payload

import (
	"encoding/binary"
	"math/bits"
)

// Valid reports whether data is one JSON text whose arrays and objects nest no deeper than max. It
// is for answers: of the rules of [Check] it knows syntax and depth alone, and says of any bytes
// what [CheckDepth] and gjson.ValidBytes say together, in one pass and without recursion. A
// negative max is no limit.
func Valid(data []byte, max int) bool {
	var open nesting
	i := skip(data, 0)
	for i < len(data) {
		c := data[i] // the first byte of a value
		if c != '{' && c != '[' {
			i = scalar(data, i+1, c)
		} else {
			if open.depth == max {
				return false
			}
			open.enter(c == '{')
			if i = skip(data, i+1); i == len(data) {
				return false
			}
			if data[i] != c+2 { // not empty: as ASCII has brackets, one closes the other
				if c == '{' {
					i = member(data, i)
				}
				continue
			}
		}
		more := false
		if i, more = open.next(data, i); !more {
			return open.depth == 0 && i == len(data)
		}
	}
	return false
}

// nesting knows which arrays and objects are open.
type nesting struct {
	depth int
	inner uint64   // which of the innermost 64 are objects, the innermost lowest
	outer []uint64 // the same of those around them
}

func (n *nesting) enter(object bool) {
	if n.depth > 0 && n.depth%64 == 0 {
		n.outer = append(n.outer, n.inner)
	}
	n.depth++
	n.inner <<= 1
	if object {
		n.inner |= 1
	}
}

func (n *nesting) leave() {
	n.depth--
	n.inner >>= 1
	if last := len(n.outer) - 1; n.depth > 0 && n.depth%64 == 0 {
		n.inner, n.outer = n.outer[last], n.outer[:last]
	}
}

// next goes from behind a value to where the next one begins. Without one it goes as far as the
// text is right.
func (n *nesting) next(data []byte, i int) (at int, more bool) {
	for i = skip(data, i); i < len(data) && n.depth > 0; i = skip(data, i+1) {
		object := n.inner&1 != 0
		switch c := data[i]; {
		case c == ',' && object:
			i = member(data, skip(data, i+1))
			return i, i < len(data)
		case c == ',':
			return skip(data, i+1), true
		case c == '}' && object, c == ']' && !object:
			n.leave()
		default:
			return i, false
		}
	}
	return i, false
}

// wrong is where a text that is not right goes on: behind any end.
const wrong = int(^uint(0) >> 2)

// skip goes to the next byte that is no space.
func skip(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

// member goes from a member's name to its value.
func member(data []byte, i int) int {
	if i >= len(data) || data[i] != '"' {
		return wrong
	}
	if i = skip(data, text(data, i+1)); i >= len(data) || data[i] != ':' {
		return wrong
	}
	return skip(data, i+1)
}

// scalar goes behind a scalar that begins with c, just before i.
func scalar(data []byte, i int, c byte) int {
	switch c {
	case '"':
		return text(data, i)
	case 't':
		return word(data, i, "rue")
	case 'f':
		return word(data, i, "alse")
	case 'n':
		return word(data, i, "ull")
	default:
		return number(data, i-1)
	}
}

func word(data []byte, i int, rest string) int {
	if len(data)-i < len(rest) || string(data[i:i+len(rest)]) != rest {
		return wrong
	}
	return i + len(rest)
}

// text goes behind a string whose quote is just before i. It looks at eight bytes at once.
func text(data []byte, i int) int {
	for i < len(data) {
		if i+8 <= len(data) {
			marks := remarkable(binary.LittleEndian.Uint64(data[i:]))
			if marks == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(marks) / 8
		}
		switch c := data[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			i = escape(data, i+1)
		case c < ' ':
			return wrong
		default:
			i++
		}
	}
	return wrong
}

// remarkable marks, with its highest bit, the lowest byte of a word that does not stand for itself
// in a string: a quote, a backslash or a control character. Bytes above it may be marked as well:
// borrows reach upwards.
func remarkable(word uint64) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	// With the second bit turned, a quote and the control characters are what is below '!'.
	quote, slash := word^(ones*2), word^(ones*'\\')
	return ((quote-ones*'!')&^word | (slash-ones)&^slash) & highs
}

// escape goes behind an escape whose backslash is just before i.
func escape(data []byte, i int) int {
	if i == len(data) {
		return wrong
	}
	switch data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if len(data)-i < 5 {
			return wrong
		}
		for _, c := range data[i+1 : i+5] {
			if _, ok := hexDigit(c); !ok {
				return wrong
			}
		}
		return i + 5
	}
	return wrong
}

// number goes behind a number that begins at i.
func number(data []byte, i int) int {
	if data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else {
		i = digits(data, i)
	}
	if i < len(data) && data[i] == '.' {
		i = digits(data, i+1)
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		i = digits(data, i)
	}
	return i
}

// digits goes behind digits; one at least there must be.
func digits(data []byte, i int) int {
	if i >= len(data) || !isDigit(data[i]) {
		return wrong
	}
	for i++; i < len(data) && isDigit(data[i]); {
		i++
	}
	return i
}
