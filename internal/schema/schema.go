// Package schema judges payloads with JSON Schemas that strangers wrote.
//
// It is a guard around a validator that was made for schemas one trusts. [Compile] refuses a schema
// that could make the validator slow, large or talkative: when it is saved, because afterwards every call
// would pay. What it accepts never reads a file or the network, and each [Schema.Validate] is
// bounded by a computed effort.
//
// Drafts 4, 6, 7, 2019-09 and 2020-12 are understood, chosen by $schema; 2020-12 is the default.
// Formats are checked in every draft, contents (contentEncoding, contentMediaType) in none. Regular
// expressions are those of Go (RE2 syntax): lookaround and backreferences do not compile.
//
// Three things that the drafts allow are refused: references out of the document, to the metaschemas too (they
// would let a payload bring regular expressions of its own); two anchors of one name for $dynamicRef or
// $recursiveRef (which of them counts would be left to chance); and references that are not in the usual
// spelling, such as #/%24defs/a for #/$defs/a (each spelling would be compiled anew).
package schema

import "github.com/integrationhub/hub/internal/payload"

// Limits bounds a schema and the effort that it may cause. In each field zero or less means the default.
//
// Effort is counted in steps of roughly 100 ns: one subschema visiting one value is a step, and keywords
// that compare much count for more.
type Limits struct {
	Bytes   int // length of the schema; default 32 KiB
	Depth   int // nesting of the schema's JSON, and subschemas that apply to one value in a chain; default 32
	Schemas int // objects and booleans in the schema's JSON; default 1,000
	Pattern int // size of all regular expressions, in characters after repetitions are written out; default 10,000

	// Cost bounds the steps spent on any one value of a payload, as Compile computes them for the worst
	// payload that Payload admits; default 10,000.
	Cost int

	// Work bounds the steps of one Validate, as computed from the payload's actual shape before the
	// validator starts; default 2,000,000.
	Work int

	// Payload is what payloads are held to. Here a negative field means the default, too, and a depth
	// beyond 1,000 means 1,000: the validator recurses.
	Payload payload.Limits
}

// Default returns the limits that stand where a field of [Limits] is zero.
func Default() Limits {
	return Limits{
		Bytes: 32 << 10, Depth: 32, Schemas: 1000, Pattern: 10_000,
		Cost: 10_000, Work: 2_000_000,
		Payload: payload.Default(),
	}
}

func (l Limits) resolve() Limits {
	d := Default()
	return Limits{
		Bytes: positive(l.Bytes, d.Bytes), Depth: positive(l.Depth, d.Depth),
		Schemas: positive(l.Schemas, d.Schemas), Pattern: positive(l.Pattern, d.Pattern),
		Cost: positive(l.Cost, d.Cost), Work: positive(l.Work, d.Work),
		Payload: payload.Limits{
			Bytes: positive(l.Payload.Bytes, d.Payload.Bytes), Depth: min(positive(l.Payload.Depth, d.Payload.Depth), 1000),
			Digits: positive(l.Payload.Digits, d.Payload.Digits), Exponent: positive(l.Payload.Exponent, d.Payload.Exponent),
		},
	}
}

func positive(given, standard int) int {
	if given <= 0 {
		return standard
	}
	return given
}

// Schema is a compiled schema. It does not change and is safe for concurrent use.
type Schema struct {
	limits Limits
	source []byte
	rule   *rule // the whole, as the quick way reads it
	asked  asked
}
