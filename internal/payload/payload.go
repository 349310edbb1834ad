// Package payload decides whether foreign bytes may be parsed at all.
//
// A payload comes from a caller whom neither the host application nor the
// author of a definition controls, and it is read by several parsers that
// disagree about the dark corners of JSON: which of two equal names counts, what
// a lone surrogate is, how deep a value may be, how large a number. [Check]
// accepts only texts on which they all agree, and does so before any of them runs:
// in one pass, without recursion, and in a few kilobytes of memory for ordinary texts.
//
// [CheckDepth] is the smaller question for bytes that may not even be JSON, such as the
// answer of a third party.
//
// Every function is a pure function of its arguments and safe for concurrent use. None keeps or
// changes the bytes it is given.
package payload

import "math"

// Limits bounds a JSON text. In each field zero means the documented default
// and a negative value means no limit.
type Limits struct {
	Bytes    int // length of the whole text, in bytes; default 1 MiB
	Depth    int // arrays and objects inside each other; a scalar has depth 0, [] has 1; default 64
	Digits   int // digits of a number's integer and fraction together, and of its exponent; default 64
	Exponent int // absolute value of a number's written exponent; default 400
}

// Default returns the limits that stand where a field of [Limits] is zero.
func Default() Limits {
	return Limits{Bytes: 1 << 20, Depth: 64, Digits: 64, Exponent: 400}
}

// Check returns nil if data is exactly one JSON text (RFC 8259) within l that
// every parser reads alike: encoded in UTF-8 without a byte order mark, without
// lone surrogates (written as bytes or as escapes), and without two members of one object
// whose names are equal after unescaping.
//
// Any other result is a [*Problem]. A limit of size is judged before the text is
// read; of the other rules the one that is broken first in reading order is told, where a
// duplicate name counts as found at the end of its object. Check takes time in
// proportion to the length of data, times the logarithm of the largest object.
func Check(data []byte, l Limits) error {
	l = l.resolve()
	if len(data) > l.Bytes {
		return tooLarge(l)
	}
	s := scanner{data: data, limits: l, frames: make([]frame, 0, 16), names: make([]name, 0, 32)}
	if p := s.whole(); p != nil {
		return p
	}
	return nil
}

func tooLarge(l Limits) *Problem {
	return &Problem{Rule: TooLarge, Limit: l.Bytes, Offset: l.Bytes}
}

// resolve puts the defaults where l is zero, and the largest int where it is negative.
func (l Limits) resolve() Limits {
	d := Default()
	return Limits{
		Bytes:    limit(l.Bytes, d.Bytes),
		Depth:    limit(l.Depth, d.Depth),
		Digits:   limit(l.Digits, d.Digits),
		Exponent: limit(l.Exponent, d.Exponent),
	}
}

const unlimited = math.MaxInt

func limit(given, standard int) int {
	switch {
	case given < 0:
		return unlimited
	case given == 0:
		return standard
	default:
		return given
	}
}
