package schema

import (
	"cmp"
	"maps"
	"regexp"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// objectRule is what a subschema says of objects.
type objectRule struct {
	min, max  int // max negative: none
	members   []memberRule
	places    nameTable // of members
	required  uint64    // bits of members
	dependent []dependency
	patterns  []patternRule
	names     *rule // for the names; nil: any
	closed    bool  // no other members
	others    *rule // for other members; nil: anything
}

// memberRule is what is said of the members of one name.
type memberRule struct {
	name     string
	rule     *rule  // nil: anything
	declared bool   // among the properties: it is not an additional one
	bit      uint64 // of a name whose presence matters
}

// dependency is what the presence of a name demands.
type dependency struct {
	bit   uint64 // of the name
	names uint64 // bits of those that have to be there, too
	rule  *rule  // for the object; nil: none
}

// patternRule is for the members whose names match.
type patternRule struct {
	pattern pattern
	rule    *rule
}

func (q *quickener) objectRule(r *rule, s *jsonschema.Schema) *objectRule {
	b := objectBuilder{quickener: q, rule: r, object: &objectRule{min: s.MinProperties, max: s.MaxProperties}, at: map[string]int{}}
	b.members(s)
	b.dependencies(s)
	o := b.object
	for _, re := range slices.SortedFunc(maps.Keys(s.PatternProperties), byText) {
		o.patterns = append(o.patterns, patternRule{patternOf(re), q.rule(s.PatternProperties[re])})
	}
	o.names = q.rule(s.PropertyNames)
	switch additional := s.AdditionalProperties.(type) {
	case nil:
	case bool:
		o.closed = !additional
	case *jsonschema.Schema:
		o.others = q.rule(additional)
	default:
		r.ask = true
	}
	if o.min == -1 && o.max == -1 && o.indifferent() {
		return nil
	}
	o.places = newNameTable(o.members)
	return o
}

func byText(a, b *regexp.Regexp) int { return cmp.Compare(a.String(), b.String()) }

// indifferent reports whether nothing is said of the members but how many there may be.
func (o *objectRule) indifferent() bool {
	return len(o.members) == 0 && o.patterns == nil && o.names == nil && !o.closed && o.others == nil
}

// objectBuilder gathers what is said of names.
type objectBuilder struct {
	*quickener
	rule   *rule
	object *objectRule
	at     map[string]int // :: name → place in members
}

func (b *objectBuilder) member(name string) *memberRule {
	if _, ok := b.at[name]; !ok {
		b.at[name] = len(b.object.members)
		b.object.members = append(b.object.members, memberRule{name: name})
	}
	return &b.object.members[b.at[name]]
}

// bit makes the presence of a name matter. There are 64 bits; a schema that needs more is asked.
func (b *objectBuilder) bit(name string) uint64 {
	m := b.member(name)
	if m.bit == 0 {
		used := uint64(0)
		for i := range b.object.members {
			used |= b.object.members[i].bit
		}
		m.bit = (used + 1) &^ used // the lowest that is free; 0 after 64
		b.rule.ask = b.rule.ask || m.bit == 0
	}
	return m.bit
}

func (b *objectBuilder) members(s *jsonschema.Schema) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		sub := b.quickener.rule(s.Properties[name])
		m := b.member(name)
		m.declared, m.rule = true, sub
	}
	for _, name := range s.Required {
		b.object.required |= b.bit(name)
	}
}

func (b *objectBuilder) dependencies(s *jsonschema.Schema) {
	for _, name := range slices.Sorted(maps.Keys(s.DependentRequired)) {
		b.depends(name, s.DependentRequired[name], nil)
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentSchemas)) {
		b.depends(name, nil, s.DependentSchemas[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Dependencies)) {
		switch either := s.Dependencies[name].(type) {
		case []string:
			b.depends(name, either, nil)
		case *jsonschema.Schema:
			b.depends(name, nil, either)
		default:
			b.rule.ask = true
		}
	}
}

func (b *objectBuilder) depends(name string, on []string, sub *jsonschema.Schema) {
	d := dependency{bit: b.bit(name), rule: b.quickener.rule(sub)}
	for _, other := range on {
		d.names |= b.bit(other)
	}
	b.object.dependent = append(b.object.dependent, d)
}

// object judges the object at a place.
func (j *judge) object(r *rule, v *payload.Value, at int32) verdict {
	o := r.object
	if !fits(int(v.Count), o.min, o.max) {
		return no
	}
	if o.indifferent() {
		return yes
	}
	j.left -= float64(v.Count)
	seen := uint64(0)
	for place := at + 1; place < v.Next; place = j.values[place].Next {
		m := &j.values[place]
		bit, w := j.member(r, m, place)
		if w != yes {
			return w
		}
		seen |= bit
	}
	if seen&o.required != o.required {
		return no
	}
	return j.dependent(o, seen, v, at)
}

// member judges a member, and returns the bit of its name.
func (j *judge) member(r *rule, m *payload.Value, at int32) (bit uint64, w verdict) {
	o, name := r.object, j.said(j.text[m.NameFrom:m.NameTo], m.NameEscaped, r.nameByte)
	sub, declared := o.others, false
	if place := o.places.find(o.members, name); place >= 0 {
		known := &o.members[place]
		bit = known.bit
		if known.declared {
			sub, declared = known.rule, true
		}
	}
	if o.names != nil || o.patterns != nil {
		j.left -= r.nameByte * float64(len(name))
		matched, w := j.named(o, name, m, at)
		if w != yes {
			return bit, w
		}
		if matched && !declared {
			return bit, yes
		}
	}
	switch {
	case !declared && o.closed:
		return bit, no
	case sub == nil:
		return bit, yes
	}
	return bit, j.valid(sub, m, at)
}

// named judges a name, and the member by the rules whose patterns match it.
func (j *judge) named(o *objectRule, name []byte, m *payload.Value, at int32) (matched bool, w verdict) {
	if o.names != nil {
		v := payload.Value{Kind: payload.String, Escaped: m.NameEscaped, From: m.NameFrom - 1, To: m.NameTo + 1}
		if w := j.valid(o.names, &v, at); w != yes {
			return false, w
		}
	}
	for i := range o.patterns {
		p := &o.patterns[i]
		if !p.pattern.matches(name) {
			continue
		}
		matched = true
		if w := j.valid(p.rule, m, at); w != yes {
			return true, w
		}
	}
	return matched, yes
}

// dependent judges what the presence of names demands.
func (j *judge) dependent(o *objectRule, seen uint64, v *payload.Value, at int32) verdict {
	for i := range o.dependent {
		d := &o.dependent[i]
		if seen&d.bit == 0 {
			continue
		}
		if seen&d.names != d.names {
			return no
		}
		if d.rule != nil {
			if w := j.valid(d.rule, v, at); w != yes {
				return w
			}
		}
	}
	return yes
}
