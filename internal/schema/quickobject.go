package schema

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// objectRule is what a subschema says of objects.
type objectRule struct {
	min, max int // max negative: none
	members  []memberRule
	places   map[string]int // :: name → place in members; nil while they are few
	required uint64         // bits of members
	closed   bool           // no other members
	others   *rule          // for other members; nil: anything
}

// memberRule is what is said of the members of one name.
type memberRule struct {
	name     string
	rule     *rule  // nil: anything
	declared bool   // among the properties: it is not an additional one
	bit      uint64 // of a name that is required
}

// fewMembers is how many names are compared one by one.
const fewMembers = 12

func (q *quickener) objectRule(r *rule, s *jsonschema.Schema) *objectRule {
	o := &objectRule{min: s.MinProperties, max: s.MaxProperties}
	q.members(r, o, s)
	switch additional := s.AdditionalProperties.(type) {
	case nil:
	case bool:
		o.closed = !additional
	case *jsonschema.Schema:
		o.others = q.rule(additional)
	default:
		r.ask = true
	}
	if o.min == -1 && o.max == -1 && len(o.members) == 0 && !o.closed && o.others == nil {
		return nil
	}
	return o
}

func (q *quickener) members(r *rule, o *objectRule, s *jsonschema.Schema) {
	at := map[string]int{}
	add := func(name string) *memberRule {
		if _, ok := at[name]; !ok {
			at[name] = len(o.members)
			o.members = append(o.members, memberRule{name: name})
		}
		return &o.members[at[name]]
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		m := add(name)
		m.declared, m.rule = true, q.rule(s.Properties[name])
	}
	for _, name := range s.Required {
		m := add(name)
		if m.bit == 0 {
			m.bit = (o.required + 1) &^ o.required // the lowest that is free; 0 after 64
			r.ask = r.ask || m.bit == 0
			o.required |= m.bit
		}
	}
	if len(o.members) > fewMembers {
		o.places = at
	}
}

// member finds what is said of a name. Objects often have their members in the order of the last
// one: the search begins at next.
func (o *objectRule) member(name []byte, next int) int {
	if o.places != nil {
		if at, ok := o.places[string(name)]; ok {
			return at
		}
		return -1
	}
	for i := next; i < len(o.members); i++ {
		if o.members[i].name == string(name) {
			return i
		}
	}
	for i := range min(next, len(o.members)) {
		if o.members[i].name == string(name) {
			return i
		}
	}
	return -1
}

// object judges the object at a place.
func (j *judge) object(o *objectRule, at int32) bool {
	v := &j.values[at]
	if !fits(int(v.Count), o.min, o.max) {
		return false
	}
	if len(o.members) == 0 && !o.closed && o.others == nil {
		return true
	}
	j.left -= float64(v.Count)
	seen, next := uint64(0), 0
	for at++; at < v.Next; at = j.values[at].Next {
		m := &j.values[at]
		if m.NameEscaped {
			return false
		}
		place := o.member(j.text[m.NameFrom:m.NameTo], next)
		rule, declared := o.others, false
		if place >= 0 {
			known := &o.members[place]
			seen |= known.bit
			next = place + 1
			if known.declared {
				rule, declared = known.rule, true
			}
		}
		if o.closed && !declared || rule != nil && !j.valid(rule, at) {
			return false
		}
	}
	return seen&o.required == o.required
}
