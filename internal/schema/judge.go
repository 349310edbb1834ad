package schema

import (
	"bytes"

	"github.com/integrationhub/hub/internal/payload"
)

// verdict is what the quick way finds: beyond doubt, or not.
type verdict uint8

const (
	unknown verdict = iota
	yes
	no
)

func verdictOf(valid bool) verdict {
	if valid {
		return yes
	}
	return no
}

// judge goes the quick way with one payload.
type judge struct {
	text   []byte
	values []payload.Value
	left   float64 // steps that may still be spent
}

// quick judges a payload.
func (s *Schema) quick(d *payload.Document) verdict {
	j := judge{text: d.Text(), values: d.Values(), left: float64(s.limits.Work)}
	if len(j.values) == 0 {
		return unknown
	}
	return j.valid(s.rule, &j.values[0], 0)
}

// valid judges a value by a rule. The value is the one at a place, or a name, which has none. Of many
// keywords the first that is not kept beyond doubt decides: where one is broken, those that are not known do
// not matter, and where one is not known, the whole may be left unknown.
func (j *judge) valid(r *rule, v *payload.Value, at int32) verdict {
	if j.left -= r.steps; r.ask || j.left < 0 {
		return unknown
	}
	if r.kinds&kindOf(v.Kind) == 0 {
		if w := j.integer(r, v); w != yes {
			return w
		}
	}
	for i := range r.choices {
		if w := j.among(r, &r.choices[i], v); w != yes {
			return w
		}
	}
	if w := j.valued(r, v, at); w != yes || r.inPlace == nil {
		return w
	}
	return j.inPlace(r.inPlace, v, at)
}

// integer judges a value whose kind the type does not admit: it may be a number without fraction.
func (j *judge) integer(r *rule, v *payload.Value) verdict {
	if v.Kind != payload.Number || r.kinds&integerKind == 0 {
		return no
	}
	d, ok := parseDecimal(j.raw(v))
	if !ok {
		return unknown
	}
	return verdictOf(d.digits%powers[d.scale] == 0)
}

// valued judges by the keywords for values of one type.
func (j *judge) valued(r *rule, v *payload.Value, at int32) verdict {
	switch {
	case v.Kind == payload.String && r.text != nil:
		return j.written(r, v)
	case v.Kind == payload.Number && r.number != nil:
		return r.number.judge(j.raw(v))
	case v.Kind == payload.Array && r.array != nil:
		return j.array(r.array, v, at)
	case v.Kind == payload.Object && r.object != nil:
		return j.object(r, v, at)
	}
	return yes
}

// inPlace judges by other rules for the same value.
func (j *judge) inPlace(p *inPlaceRule, v *payload.Value, at int32) verdict {
	for _, sub := range p.all {
		if w := j.valid(sub, v, at); w != yes {
			return w
		}
	}
	if p.any != nil {
		if valid, doubtful := j.count(p.any, v, at, 1); valid == 0 {
			return unless(doubtful > 0, no)
		}
	}
	if p.one != nil {
		valid, doubtful := j.count(p.one, v, at, 2)
		if w := exactlyOne(valid, doubtful); w != yes {
			return w
		}
	}
	if p.not != nil {
		if w := negate(j.valid(p.not, v, at)); w != yes {
			return w
		}
	}
	if p.cond == nil {
		return yes
	}
	return j.conditional(p, v, at)
}

func (j *judge) conditional(p *inPlaceRule, v *payload.Value, at int32) verdict {
	next := p.then
	switch j.valid(p.cond, v, at) {
	case unknown:
		return unknown
	case no:
		next = p.els
	}
	if next == nil {
		return yes
	}
	return j.valid(next, v, at)
}

// count tells how many of some rules a value keeps, and of how many that is not known. It stops at enough.
func (j *judge) count(rules []*rule, v *payload.Value, at int32, enough int) (valid, doubtful int) {
	for _, r := range rules {
		switch j.valid(r, v, at) {
		case yes:
			if valid++; valid == enough {
				return valid, doubtful
			}
		case unknown:
			doubtful++
		}
	}
	return valid, doubtful
}

// exactlyOne judges how many of the alternatives of oneOf are valid.
func exactlyOne(valid, doubtful int) verdict {
	if valid > 1 {
		return no
	}
	return unless(doubtful > 0, verdictOf(valid == 1))
}

func negate(w verdict) verdict {
	switch w {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// unless is a verdict, unless there is doubt.
func unless(doubt bool, w verdict) verdict {
	if doubt {
		return unknown
	}
	return w
}

func (j *judge) raw(v *payload.Value) []byte { return j.text[v.From:v.To] }

// inner is a string without its quotes.
func (j *judge) inner(v *payload.Value) []byte { return j.text[v.From+1 : v.To-1] }

// said is what the inside of a string says. To read escapes costs steps.
func (j *judge) said(inner []byte, escaped bool, perByte float64) []byte {
	if !escaped {
		return inner
	}
	j.left -= perByte * float64(len(inner))
	return payload.Unescape(make([]byte, 0, len(inner)), inner)
}

// fits reports whether n lies within bounds, of which -1 is none.
func fits(n, least, most int) bool { return n >= least && (most == -1 || n <= most) }

// among judges whether a value is one of those listed.
func (j *judge) among(r *rule, c *choice, v *payload.Value) verdict {
	if v.Kind == payload.String {
		return verdictOf(c.lists(j.said(j.inner(v), v.Escaped, r.textByte)))
	}
	doubt := c.more&kindOf(v.Kind) != 0
	for i := range c.known {
		one := &c.known[i]
		if one.kind != v.Kind {
			continue
		}
		switch j.equals(one, v) {
		case yes:
			return yes
		case unknown:
			doubt = true
		}
	}
	return unless(doubt, no)
}

func (c *choice) lists(text []byte) bool {
	for i := range c.known {
		if one := &c.known[i]; one.kind == payload.String && one.text == string(text) {
			return true
		}
	}
	return false
}

// equals compares with a constant of the same kind that is no string.
func (j *judge) equals(c *constant, v *payload.Value) verdict {
	if c.kind != payload.Number {
		return yes
	}
	d, ok := parseDecimal(j.raw(v))
	return unless(!ok, d.equals(c.number))
}

// alike judges whether two scalars, empty arrays or empty objects are equal.
func (j *judge) alike(a, b *payload.Value) verdict {
	if a.Kind != b.Kind {
		return no
	}
	switch a.Kind {
	case payload.String:
		return unless(a.Escaped || b.Escaped, verdictOf(bytes.Equal(j.raw(a), j.raw(b))))
	case payload.Number:
		one, ok := parseDecimal(j.raw(a))
		other, too := parseDecimal(j.raw(b))
		return unless(!ok || !too, one.equals(other))
	}
	return yes
}
