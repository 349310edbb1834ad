package schema

import (
	"encoding/json"
	"math/big"

	"github.com/integrationhub/hub/internal/payload"
)

// decimal is a number as it is written: digits over a power of ten.
type decimal struct {
	digits int64
	scale  int // digits behind the point, at most maxDigits
}

// maxDigits is how many digits fit any decimal.
const maxDigits = 18

var powers = func() (p [maxDigits + 1]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

// parseDecimal reads a JSON number; ok is false for one with an exponent or too many digits.
func parseDecimal(text []byte) (d decimal, ok bool) {
	negative, point, count := false, false, 0
	for i, c := range text {
		switch {
		case '0' <= c && c <= '9':
			if count++; count > maxDigits {
				return decimal{}, false
			}
			d.digits = 10*d.digits + int64(c-'0')
			if point {
				d.scale++
			}
		case c == '.':
			point = true
		case c == '-' && i == 0:
			negative = true
		default:
			return decimal{}, false
		}
	}
	if negative {
		d.digits = -d.digits
	}
	return d, true
}

// decimalOf writes a number of a schema as a decimal, if it is one.
func decimalOf(r *big.Rat) (d decimal, ok bool) {
	for scale, power := range powers {
		whole := new(big.Rat).Mul(r, new(big.Rat).SetInt64(power))
		if !whole.IsInt() {
			continue
		}
		digits := whole.Num()
		return decimal{digits.Int64(), scale}, digits.IsInt64()
	}
	return decimal{}, false
}

// align writes two numbers with the same power of ten; ok is false if one of them becomes too large.
func align(a, b decimal) (x, y int64, ok bool) {
	x, okX := a.at(max(a.scale, b.scale))
	y, okY := b.at(max(a.scale, b.scale))
	return x, y, okX && okY
}

func (d decimal) at(scale int) (digits int64, ok bool) {
	power := powers[scale-d.scale]
	digits = d.digits * power
	return digits, digits/power == d.digits
}

// compare returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a decimal) compare(b decimal) (order int, ok bool) {
	x, y, ok := align(a, b)
	switch {
	case x < y:
		return -1, ok
	case x > y:
		return 1, ok
	}
	return 0, ok
}

// admits reports whether a number, as it is written, keeps all bounds.
func (n *numberRule) admits(text []byte) bool {
	d, ok := parseDecimal(text)
	if !ok {
		return false
	}
	for i := range n.bounds {
		b := &n.bounds[i]
		order, ok := d.compare(b.at)
		if !ok || order == b.side || b.exclusive && order == 0 {
			return false
		}
	}
	return n.multipleOf == nil || d.multipleOf(*n.multipleOf)
}

func (d decimal) multipleOf(of decimal) bool {
	x, y, ok := align(d, of)
	return ok && y != 0 && x%y == 0
}

// constantOf reads a scalar of a schema.
func constantOf(v any) (constant, bool) {
	switch v := v.(type) {
	case nil:
		return constant{kind: payload.Null}, true
	case bool:
		if v {
			return constant{kind: payload.True}, true
		}
		return constant{kind: payload.False}, true
	case string:
		return constant{kind: payload.String, text: v}, true
	case json.Number:
		d, ok := parseDecimal([]byte(v))
		return constant{kind: payload.Number, number: d}, ok
	}
	return constant{}, false
}
