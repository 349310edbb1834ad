package schema

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v5"

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

// parseDecimal reads a JSON number; ok is false for one with too many digits, or zeros that its
// exponent stands for.
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
		case c == '-':
			negative = true
		default: // the exponent
			exponent, err := strconv.Atoi(string(text[i+1:]))
			if d, ok = d.shift(exponent); err != nil || !ok {
				return decimal{}, false
			}
			return d.signed(negative), true
		}
	}
	return d.signed(negative), true
}

func (d decimal) signed(negative bool) decimal {
	if negative {
		d.digits = -d.digits
	}
	return d
}

// shift multiplies with a power of ten.
func (d decimal) shift(exponent int) (shifted decimal, ok bool) {
	if exponent < -maxDigits || exponent > maxDigits {
		return decimal{}, false
	}
	if d.scale -= exponent; d.scale < 0 {
		d.digits, ok = d.at(0)
		return decimal{digits: d.digits}, ok
	}
	return d, d.scale <= maxDigits
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

func (a decimal) equals(b decimal) verdict {
	order, ok := a.compare(b)
	return unless(!ok, verdictOf(order == 0))
}

// numberRule is what a subschema says of numbers.
type numberRule struct {
	bounds     []bound
	multipleOf *decimal // nil: none
}

// bound is one of the four: side is -1 for a minimum and 1 for a maximum.
type bound struct {
	at        decimal
	side      int
	exclusive bool
}

func (q *quickener) numberRule(r *rule, s *jsonschema.Schema) *numberRule {
	n := &numberRule{}
	for _, b := range []struct {
		at        *big.Rat
		side      int
		exclusive bool
	}{{s.Minimum, -1, false}, {s.ExclusiveMinimum, -1, true}, {s.Maximum, 1, false}, {s.ExclusiveMaximum, 1, true}} {
		if b.at == nil {
			continue
		}
		at, ok := decimalOf(b.at)
		r.ask = r.ask || !ok
		n.bounds = append(n.bounds, bound{at, b.side, b.exclusive})
	}
	n.bounds = slices.Clip(n.bounds)
	if s.MultipleOf != nil {
		d, ok := decimalOf(s.MultipleOf)
		r.ask = r.ask || !ok || d.digits == 0
		n.multipleOf = &d
	}
	if len(n.bounds) == 0 && n.multipleOf == nil {
		return nil
	}
	return n
}

// judge judges a number as it is written.
func (n *numberRule) judge(text []byte) verdict {
	d, ok := parseDecimal(text)
	if !ok {
		return unknown
	}
	for i := range n.bounds {
		b := &n.bounds[i]
		order, ok := d.compare(b.at)
		if !ok {
			return unknown
		}
		if order == b.side || b.exclusive && order == 0 {
			return no
		}
	}
	if n.multipleOf == nil {
		return yes
	}
	return d.multipleOf(*n.multipleOf)
}

func (d decimal) multipleOf(of decimal) verdict {
	x, y, ok := align(d, of)
	return unless(!ok || y == 0, verdictOf(y != 0 && x%y == 0))
}

// constantOf reads a value of a schema; ok is false if its kind is all that is known of it.
func constantOf(v any) (c constant, ok bool) {
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
	case []any:
		return constant{kind: payload.Array}, false
	default:
		return constant{kind: payload.Object}, false
	}
}
