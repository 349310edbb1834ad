package schema

import (
	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// arrayRule is what a subschema says of arrays.
type arrayRule struct {
	min, max int // max negative: none
	unique   bool
	tuple    []*rule // for the first elements
	rest     *rule   // for the elements after those; nil: anything
	closed   bool    // there are none after those

	contains    *rule // nil: none
	least, most int   // of the elements keep contains; negative: no bound
}

func (q *quickener) arrayRule(r *rule, s *jsonschema.Schema) *arrayRule {
	a := &arrayRule{min: s.MinItems, max: s.MaxItems, unique: s.UniqueItems}
	q.elements(r, a, s)
	if s.MinContains != -1 || s.MaxContains != -1 {
		a.contains, a.least, a.most = q.rule(s.Contains), s.MinContains, s.MaxContains
	}
	if a.min == -1 && a.max == -1 && !a.unique && a.tuple == nil && a.rest == nil && !a.closed && a.contains == nil {
		return nil
	}
	return a
}

// elements reads items in the form that it has up to draft 2019-09, or that of 2020-12. No schema has both.
func (q *quickener) elements(r *rule, a *arrayRule, s *jsonschema.Schema) {
	r.ask = r.ask || s.Items != nil && (s.Items2020 != nil || len(s.PrefixItems) > 0)
	switch items := s.Items.(type) {
	case nil:
		a.tuple, a.rest = q.all(s.PrefixItems), q.rule(s.Items2020)
	case *jsonschema.Schema:
		a.rest = q.rule(items)
	case []*jsonschema.Schema:
		a.tuple = q.all(items)
		switch additional := s.AdditionalItems.(type) {
		case nil:
		case bool:
			a.closed = !additional
		case *jsonschema.Schema:
			a.rest = q.rule(additional)
		default:
			r.ask = true
		}
	default:
		r.ask = true
	}
}

// array judges the array at a place.
func (j *judge) array(a *arrayRule, v *payload.Value, at int32) verdict {
	count := int(v.Count)
	if !fits(count, a.min, a.max) || a.closed && count > len(a.tuple) {
		return no
	}
	if a.unique {
		if w := j.distinct(v, at); w != yes {
			return w
		}
	}
	if a.tuple != nil || a.rest != nil {
		if w := j.elements(a, v, at); w != yes {
			return w
		}
	}
	if a.contains == nil {
		return yes
	}
	return j.contains(a, v, at)
}

func (j *judge) elements(a *arrayRule, v *payload.Value, at int32) verdict {
	j.left -= float64(v.Count)
	place := at + 1
	for i := range int(v.Count) {
		element, r := &j.values[place], a.rest
		if i < len(a.tuple) {
			r = a.tuple[i]
		}
		if r == nil {
			return yes // and so for all that follow
		}
		if w := j.valid(r, element, place); w != yes {
			return w
		}
		place = element.Next
	}
	return yes
}

// contains judges how many elements keep a rule.
func (j *judge) contains(a *arrayRule, v *payload.Value, at int32) verdict {
	j.left -= float64(v.Count)
	valid, doubtful := 0, 0
	for place := at + 1; place < v.Next; place = j.values[place].Next {
		switch j.valid(a.contains, &j.values[place], place) {
		case yes:
			valid++
		case unknown:
			doubtful++
		}
	}
	if fits(valid, a.least, a.most) && fits(valid+doubtful, a.least, a.most) {
		return yes
	}
	return unless(doubtful > 0, no)
}

// fewElements is how many elements are compared one by one.
const fewElements = 64

// pairedText is how many bytes of text a step pays for that are compared with every other element.
const pairedText = 8 << 10

// distinct judges whether no two elements of the array at a place are equal. Those that hold
// others are not compared.
func (j *judge) distinct(v *payload.Value, at int32) verdict {
	if v.Count < 2 {
		return yes
	}
	if v.Count > fewElements || v.Next-at-1 != v.Count {
		return unknown
	}
	j.left -= float64(v.Count) * (float64(v.Count)/8 + float64(v.To-v.From)/pairedText)
	if j.left < 0 {
		return unknown
	}
	doubt := false
	elements := j.values[at+1 : v.Next]
	for i := range elements {
		for k := range elements[:i] {
			switch j.alike(&elements[i], &elements[k]) {
			case yes:
				return no
			case unknown:
				doubt = true
			}
		}
	}
	return unless(doubt, yes)
}
