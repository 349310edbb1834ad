package payload

import "fmt"

// The rules that a [Problem] can name. They are part of stored and shown errors, so they do not change.
const (
	Empty            = "empty"              // nothing, or nothing but white space
	TooLarge         = "too-large"          // longer than Limits.Bytes
	TooDeep          = "too-deep"           // nested deeper than Limits.Depth
	NumberTooLong    = "number-too-long"    // more than Limits.Digits digits
	ExponentTooLarge = "exponent-too-large" // an exponent beyond Limits.Exponent
	Syntax           = "syntax"             // not JSON at Offset
	Truncated        = "truncated"          // JSON so far, but the input ended too early
	TrailingData     = "trailing-data"      // something follows the one JSON text
	ByteOrderMark    = "byte-order-mark"    // begins with U+FEFF
	InvalidUTF8      = "invalid-utf8"       // a byte sequence that is not UTF-8
	LoneSurrogate    = "lone-surrogate"     // an escape that is half of a UTF-16 pair
	DuplicateMember  = "duplicate-member"   // a name that its object already has
)

// Problem says why a text was refused. It holds no value of the text: member names in Pointer are all it
// shows of it.
type Problem struct {
	// Pointer is the place, as a JSON pointer (RFC 6901): empty for the whole
	// text. Names in it are cut as AppendToken says. They are foreign text: quote before printing.
	Pointer string

	Rule   string // one of the constants of this package
	Limit  int    // the limit that was passed; zero if the rule has none
	Offset int    // the byte at which the rule was broken; the length of the input if it ended too early
}

// Error names rule, place and limit.
func (p *Problem) Error() string {
	text := fmt.Sprintf("json: %s at %+q (byte %d", p.Rule, p.Pointer, p.Offset)
	if p.Limit > 0 {
		text += fmt.Sprintf(", limit %d", p.Limit)
	}
	return text + ")"
}
