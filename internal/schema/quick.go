package schema

import (
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// The quick way judges a payload by the index that the guard made of it, without decoding it. What it
// finds valid the validator finds valid, and what it finds invalid the validator does, too, so that not and
// oneOf can build on it; where a keyword or a value is out of the ordinary, it does not know.
// Unless a payload is valid beyond doubt, the validator is asked: it alone refuses.

// rule is a subschema as the quick way reads it. Rules refer to each other as the subschemas do, also
// in circles.
type rule struct {
	ask      bool    // it has a keyword that is left to the validator
	steps    float64 // that a value costs
	textByte float64 // that a byte of a text costs
	nameByte float64 // that a byte of a name costs

	kinds   kinds    // that the type admits
	choices []choice // enum and const
	text    *textRule
	number  *numberRule
	array   *arrayRule
	object  *objectRule
	inPlace *inPlaceRule
}

// inPlaceRule is what a subschema applies to the same value.
type inPlaceRule struct {
	all  []*rule // $ref and allOf
	any  []*rule // anyOf; nil: there is none
	one  []*rule // oneOf; nil: there is none
	not  *rule   // nil: none, as in the others
	cond *rule   // if
	then *rule
	els  *rule // else
}

// kinds is a set of kinds of values.
type kinds uint16

const (
	anyKind     kinds = 1<<(payload.Object+1) - 1
	integerKind kinds = 1 << 15 // numbers without fraction
)

func kindOf(k payload.Kind) kinds { return 1 << k }

// typeKinds are the kinds that each type admits.
var typeKinds = map[string]kinds{
	"null":    kindOf(payload.Null),
	"boolean": kindOf(payload.True) | kindOf(payload.False),
	"number":  kindOf(payload.Number),
	"integer": integerKind,
	"string":  kindOf(payload.String),
	"array":   kindOf(payload.Array),
	"object":  kindOf(payload.Object),
}

// quickener makes the rules of a schema, one for each subschema.
type quickener struct {
	rules map[*jsonschema.Schema]*rule
}

// asks reports whether some subschema has keywords that are left to the validator.
func (q *quickener) asks() bool {
	for _, r := range q.rules {
		if r.ask {
			return true
		}
	}
	return false
}

func (q *quickener) rule(s *jsonschema.Schema) *rule {
	if s == nil {
		return nil
	}
	if r := q.rules[s]; r != nil {
		return r
	}
	cost := costOf(s, 0)
	r := &rule{kinds: anyKind, steps: cost.nominal(), textByte: cost.textByte, nameByte: cost.nameByte}
	q.rules[s] = r
	if s.Always != nil {
		if !*s.Always {
			r.kinds = 0
		}
		return r
	}
	r.ask = unusual(s)
	r.common(s)
	r.text = q.textRule(r, s)
	r.number = q.numberRule(r, s)
	r.array = q.arrayRule(r, s)
	r.object = q.objectRule(r, s)
	r.inPlace = q.inPlaceRule(s)
	return r
}

// all makes a rule of each subschema.
func (q *quickener) all(list []*jsonschema.Schema) (rules []*rule) {
	for _, s := range list {
		rules = append(rules, q.rule(s))
	}
	return rules
}

// unusual reports whether a subschema has keywords that are left to the validator.
func unusual(s *jsonschema.Schema) bool {
	return s.RecursiveRef != nil || s.DynamicRef != nil || s.RegexProperties ||
		s.UnevaluatedProperties != nil || s.UnevaluatedItems != nil ||
		s.ContentEncoding != "" || s.ContentMediaType != "" || s.ContentSchema != nil || len(s.Extensions) > 0
}

// common reads the keywords for values of every type.
func (r *rule) common(s *jsonschema.Schema) {
	if len(s.Types) > 0 {
		r.kinds = 0
	}
	for _, t := range s.Types {
		r.kinds |= typeKinds[t]
	}
	for _, list := range [][]any{s.Enum, s.Constant} {
		if len(list) > 0 {
			r.choices = append(r.choices, choiceOf(list))
		}
	}
}

func (q *quickener) inPlaceRule(s *jsonschema.Schema) *inPlaceRule {
	p := &inPlaceRule{all: q.all(s.AllOf), any: q.all(s.AnyOf), one: q.all(s.OneOf), not: q.rule(s.Not)}
	if s.Ref != nil {
		p.all = append(p.all, q.rule(s.Ref))
	}
	if s.If != nil {
		p.cond, p.then, p.els = q.rule(s.If), q.rule(s.Then), q.rule(s.Else)
	}
	if p.all == nil && p.any == nil && p.one == nil && p.not == nil && p.cond == nil {
		return nil
	}
	return p
}

// choice is what enum or const lists.
type choice struct {
	known []constant
	more  kinds // of the values that the quick way does not recognize
}

// constant is a value that it can.
type constant struct {
	kind   payload.Kind
	text   string
	number decimal
}

func choiceOf(list []any) (c choice) {
	for _, v := range list {
		if one, ok := constantOf(v); ok {
			c.known = append(c.known, one)
		} else {
			c.more |= kindOf(one.kind)
		}
	}
	c.known = slices.Clip(c.known)
	return c
}
