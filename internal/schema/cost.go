package schema

import (
	"encoding/json"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// cost is the effort, in steps, that a subschema's own keywords spend on one value, apart from what it hands to other
// subschemas. The weights are measured with the validator, and rounded up.
type cost struct {
	visits   float64 // values visited: one, before costs are added up
	fixed    float64 // on any value
	number   float64 // on a number, times what it takes to read that number
	textByte float64 // per byte of a string
	nameByte float64 // per byte of an object's member names
	unique   float64 // per pair that uniqueItems may have to compare
	location float64 // bytes of the longest location in the schema
}

func costOf(s *jsonschema.Schema, location int) cost {
	c := cost{visits: 1, fixed: 1, textByte: 1.0 / 64, nameByte: 1.0 / 32, location: float64(location)}
	c.enumerate(s)
	c.numbers(s)
	c.patterns(s)
	c.fixed += float64(len(s.Properties)+len(s.PatternProperties)+len(s.Types)) / 4
	for _, name := range s.Required {
		c.fixed += 1 + float64(len(name))/textStep
	}
	for _, names := range s.DependentRequired {
		c.fixed += 1 + float64(len(names))
	}
	for _, either := range s.Dependencies {
		names, _ := either.([]string)
		c.fixed += 1 + float64(len(names))
	}
	if s.UniqueItems {
		c.unique = 0.25
	}
	return c
}

// textStep is how many bytes of text the validator may keep in errors for one step.
const textStep = 64

// enumerate counts what const and enum compare, and the message with all of it that each failure makes.
func (c *cost) enumerate(s *jsonschema.Schema) {
	for _, v := range s.Enum {
		c.constant(v)
	}
	for _, v := range s.Constant {
		c.constant(v)
	}
}

func (c *cost) constant(v any) {
	c.fixed += 0.5
	switch v := v.(type) {
	case json.Number:
		c.number += 2
	case string:
		c.fixed += float64(len(v)) / textStep
	case []any:
		for _, element := range v {
			c.constant(element)
		}
	case map[string]any:
		for name, member := range v {
			c.fixed += float64(len(name)) / textStep
			c.constant(member)
		}
	}
}

// numbers counts the keywords that turn a number into a fraction.
func (c *cost) numbers(s *jsonschema.Schema) {
	for _, bound := range []bool{s.Minimum != nil, s.Maximum != nil, s.ExclusiveMinimum != nil, s.ExclusiveMaximum != nil, s.MultipleOf != nil} {
		if bound {
			c.number++
		}
	}
	for _, t := range s.Types {
		if t == "integer" {
			c.number++
		}
	}
}

// patterns counts matching. RE2 takes time in proportion to the size of the expression and the length of the
// text.
func (c *cost) patterns(s *jsonschema.Schema) {
	const perCharacter = 1.0 / 8
	if s.Pattern != nil {
		c.textByte += perCharacter * float64(patternSize(s.Pattern.String(), 1<<20))
	}
	for pattern := range s.PatternProperties {
		c.nameByte += perCharacter * float64(patternSize(pattern.String(), 1<<20))
	}
	switch s.Format {
	case "":
	case "regex":
		c.textByte += 6
	default:
		c.textByte += perCharacter
	}
}

// add adds the cost of times visits.
func (c *cost) add(other cost, times float64) {
	c.visits += times * other.visits
	c.fixed += times * other.fixed
	c.number += times * other.number
	c.textByte += times * other.textByte
	c.nameByte += times * other.nameByte
	c.unique += times * other.unique
	c.location = max(c.location, other.location)
}
