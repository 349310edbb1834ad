package schema

import (
	"regexp"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// The quick way judges a payload by the index that the guard made of it, without decoding it. It
// knows the common keywords, and two verdicts: a payload is valid, or the validator is asked. It
// never finds a payload invalid, and what it finds valid the validator finds valid, too: where a
// keyword, an escape or a number is out of the ordinary, it asks.

// rule is a subschema as the quick way reads it. Rules refer to each other as the subschemas do, also
// in circles.
type rule struct {
	ask     bool    // it has a keyword that is left to the validator
	steps   float64 // that a value costs
	perByte float64 // that a byte of a text costs

	kinds   kinds        // that the type admits
	choices [][]constant // enum and const: one of each must be equal
	all     []*rule      // $ref and allOf
	any     []*rule      // anyOf; nil: there is none
	text    *textRule
	number  *numberRule
	array   *arrayRule
	object  *objectRule
}

type textRule struct {
	min, max int // in characters; max negative: none
	pattern  *regexp.Regexp
	format   func(text []byte) bool // nil: none
}

type numberRule struct {
	bounds     []bound
	multipleOf *decimal
}

// bound is one of the four: side is -1 for a minimum and 1 for a maximum.
type bound struct {
	at        decimal
	side      int
	exclusive bool
}

type arrayRule struct {
	min, max int // max negative: none
	unique   bool
	items    *rule // nil: anything
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
	for s, r := range q.rules {
		if r.ask && s.Always == nil {
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
	r := &rule{kinds: anyKind, steps: cost.nominal(), perByte: cost.textByte}
	q.rules[s] = r
	if s.Always != nil {
		r.ask = !*s.Always
		return r
	}
	r.ask = unusual(s)
	q.common(r, s)
	r.text = q.textRule(r, s)
	r.number = q.numberRule(r, s)
	if s.MinItems != -1 || s.MaxItems != -1 || s.UniqueItems || s.Items != nil || s.Items2020 != nil {
		r.array = q.arrayRule(r, s)
	}
	r.object = q.objectRule(r, s)
	return r
}

// unusual reports whether a subschema has keywords that are left to the validator.
func unusual(s *jsonschema.Schema) bool {
	switch {
	case s.RecursiveRef != nil, s.DynamicRef != nil, s.Not != nil, len(s.OneOf) > 0, s.If != nil,
		s.PropertyNames != nil, s.RegexProperties, len(s.PatternProperties) > 0, len(s.Dependencies) > 0,
		len(s.DependentRequired) > 0, len(s.DependentSchemas) > 0, s.UnevaluatedProperties != nil,
		len(s.PrefixItems) > 0, s.Contains != nil, s.UnevaluatedItems != nil,
		s.ContentEncoding != "", s.ContentMediaType != "", s.ContentSchema != nil, len(s.Extensions) > 0:
		return true
	}
	return false
}

// common reads the keywords for values of every type.
func (q *quickener) common(r *rule, s *jsonschema.Schema) {
	if len(s.Types) > 0 {
		r.kinds = 0
	}
	for _, t := range s.Types {
		r.kinds |= typeKinds[t]
	}
	for _, list := range [][]any{s.Enum, s.Constant} {
		if len(list) > 0 {
			r.choices = append(r.choices, constants(list))
		}
	}
	if s.Ref != nil {
		r.all = append(r.all, q.rule(s.Ref))
	}
	for _, sub := range s.AllOf {
		r.all = append(r.all, q.rule(sub))
	}
	for _, sub := range s.AnyOf {
		r.any = append(r.any, q.rule(sub))
	}
}

func (q *quickener) textRule(r *rule, s *jsonschema.Schema) *textRule {
	format, ok := quickFormat(s.Format)
	r.ask = r.ask || !ok
	if s.MinLength == -1 && s.MaxLength == -1 && s.Pattern == nil && format == nil {
		return nil
	}
	return &textRule{min: s.MinLength, max: s.MaxLength, pattern: s.Pattern, format: format}
}

func (q *quickener) numberRule(r *rule, s *jsonschema.Schema) *numberRule {
	n := &numberRule{}
	for _, b := range []struct {
		at        *rat
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

func (q *quickener) arrayRule(r *rule, s *jsonschema.Schema) *arrayRule {
	a := &arrayRule{min: s.MinItems, max: s.MaxItems, unique: s.UniqueItems}
	switch items := s.Items.(type) {
	case nil:
		a.items = q.rule(s.Items2020)
	case *jsonschema.Schema:
		a.items = q.rule(items)
		r.ask = r.ask || s.Items2020 != nil // no draft has both
	default: // a tuple
		r.ask = true
	}
	return a
}
