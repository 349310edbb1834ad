package schema

import (
	"bytes"
	"math/big"
	"unicode/utf8"

	"github.com/integrationhub/hub/internal/payload"
)

// judge goes the quick way with one payload.
type judge struct {
	text   []byte
	values []payload.Value
	left   float64 // steps that may still be spent
}

// quick reports whether a payload is valid beyond doubt.
func (s *Schema) quick(d *payload.Document) bool {
	j := judge{text: d.Text(), values: d.Values(), left: float64(s.limits.Work)}
	return len(j.values) > 0 && j.valid(s.rule, 0)
}

// valid reports whether the value at a place keeps a rule, beyond doubt.
func (j *judge) valid(r *rule, at int32) bool {
	v := &j.values[at]
	j.left -= r.steps
	if r.ask || j.left < 0 || !j.typed(r, v) {
		return false
	}
	for _, list := range r.choices {
		if !j.among(list, v) {
			return false
		}
	}
	if !j.valued(r, v, at) {
		return false
	}
	for _, sub := range r.all {
		if !j.valid(sub, at) {
			return false
		}
	}
	return r.any == nil || j.validAny(r.any, at)
}

func (j *judge) validAny(rules []*rule, at int32) bool {
	for _, sub := range rules {
		if j.valid(sub, at) {
			return true
		}
	}
	return false
}

// typed reports whether a type admits the value. Whether a number with a fraction or an exponent is
// an integer is asked.
func (j *judge) typed(r *rule, v *payload.Value) bool {
	if r.kinds&kindOf(v.Kind) != 0 {
		return true
	}
	return v.Kind == payload.Number && r.kinds&integerKind != 0 && !bytes.ContainsAny(j.raw(v), ".eE")
}

// valued judges by the keywords for values of one type.
func (j *judge) valued(r *rule, v *payload.Value, at int32) bool {
	switch v.Kind {
	case payload.String:
		return r.text == nil || j.written(r, v)
	case payload.Number:
		return r.number == nil || r.number.admits(j.raw(v))
	case payload.Array:
		return r.array == nil || j.array(r.array, at)
	case payload.Object:
		return r.object == nil || j.object(r.object, at)
	}
	return true
}

func (j *judge) raw(v *payload.Value) []byte { return j.text[v.From:v.To] }

// inner is a string without its quotes.
func (j *judge) inner(v *payload.Value) []byte { return j.text[v.From+1 : v.To-1] }

// written judges a string. Patterns and formats of strings with escapes are asked.
func (j *judge) written(r *rule, v *payload.Value) bool {
	text, t := j.inner(v), r.text
	if j.left -= r.perByte * float64(len(text)); j.left < 0 {
		return false
	}
	if (t.min != -1 || t.max != -1) && !fits(characters(text, v.Escaped), t.min, t.max) {
		return false
	}
	if t.pattern == nil && t.format == nil {
		return true
	}
	return !v.Escaped && (t.pattern == nil || t.pattern.Match(text)) && (t.format == nil || t.format(text))
}

// characters counts the code points of a string's inside.
func characters(text []byte, escaped bool) int {
	if !escaped {
		return utf8.RuneCount(text)
	}
	count := 0
	for i := 0; i < len(text); count++ {
		switch {
		case text[i] != '\\':
			_, size := utf8.DecodeRune(text[i:])
			i += size
		case text[i+1] != 'u':
			i += 2
		case isHighHalf(text[i+2:]):
			i += 12
		default:
			i += 6
		}
	}
	return count
}

// isHighHalf reports whether the digits of an escape are D800 to DBFF. The guard has seen to it that
// the other half follows.
func isHighHalf(digits []byte) bool {
	return digits[0]|0x20 == 'd' && (digits[1] == '8' || digits[1] == '9' || digits[1]|0x20 == 'a' || digits[1]|0x20 == 'b')
}

// fits reports whether n lies within bounds, of which -1 is none.
func fits(n, least, most int) bool { return n >= least && (most == -1 || n <= most) }

// array judges the array at a place.
func (j *judge) array(a *arrayRule, at int32) bool {
	v := &j.values[at]
	if !fits(int(v.Count), a.min, a.max) || a.unique && !j.distinct(at) {
		return false
	}
	if a.items == nil {
		return true
	}
	j.left -= float64(v.Count)
	for at++; at < v.Next; at = j.values[at].Next {
		if !j.valid(a.items, at) {
			return false
		}
	}
	return true
}

// fewElements is how many elements are compared one by one.
const fewElements = 20

// distinct reports whether no two elements of the array at a place are equal. Scalars alone are
// compared.
func (j *judge) distinct(at int32) bool {
	v := &j.values[at]
	if v.Count > fewElements || v.Next-at-1 != v.Count {
		return v.Count < 2
	}
	elements := j.values[at+1 : v.Next]
	for i := range elements {
		for k := range elements[:i] {
			if !j.differ(&elements[i], &elements[k]) {
				return false
			}
		}
	}
	return true
}

// differ reports whether two scalars are unequal beyond doubt.
func (j *judge) differ(a, b *payload.Value) bool {
	if a.Kind != b.Kind {
		return true
	}
	switch a.Kind {
	case payload.String:
		return !a.Escaped && !b.Escaped && !bytes.Equal(j.raw(a), j.raw(b))
	case payload.Number:
		one, ok := parseDecimal(j.raw(a))
		other, too := parseDecimal(j.raw(b))
		order, comparable := one.compare(other)
		return ok && too && comparable && order != 0
	}
	return false // an empty array or object, or the same literal
}

// constant is a value of an enum or const that the quick way can recognize.
type constant struct {
	kind   payload.Kind
	text   string
	number decimal
}

// constants leaves out what it cannot recognize: values that are equal to those are asked.
func constants(list []any) []constant {
	out := []constant{}
	for _, v := range list {
		if c, ok := constantOf(v); ok {
			out = append(out, c)
		}
	}
	return out
}

func (j *judge) among(list []constant, v *payload.Value) bool {
	for i := range list {
		if c := &list[i]; c.kind == v.Kind && j.equal(c, v) {
			return true
		}
	}
	return false
}

func (j *judge) equal(c *constant, v *payload.Value) bool {
	switch c.kind {
	case payload.String:
		return !v.Escaped && string(j.inner(v)) == c.text
	case payload.Number:
		d, ok := parseDecimal(j.raw(v))
		order, comparable := d.compare(c.number)
		return ok && comparable && order == 0
	}
	return true
}

// rat is how the validator keeps the numbers of a schema.
type rat = big.Rat
