// Package schema judges payloads with JSON Schemas that strangers wrote.
//
// It is a guard around a validator that was made for schemas one trusts. [Compile] refuses
// a schema that could make the validator slow, large or talkative: before it
// is stored, because afterwards every call would pay. What it accepts never
// reads a file or the network, and [Schema.Validate] is bounded by a computed cost.
//
// Drafts 4, 6, 7, 2019-09 and 2020-12 are understood, chosen by $schema; 2020-12 is the default.
// Formats are checked in every draft, contents (contentEncoding, contentMediaType) in none. Regular
// expressions are those of Go (RE2 syntax): lookaround and backreferences do not compile.
//
// Refused on purpose: references out of the document, also to the metaschemas
// (they would let a payload bring regular expressions of its own), and
// two anchors of one name for $dynamicRef or $recursiveRef.
package schema

import (
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Limits bounds a schema and the work it may cause. In each field zero or less means the default.
type Limits struct {
	Bytes   int // length of the schema; default 32 KiB
	Depth   int // nesting of the schema's JSON, and of subschemas applied to one value in a chain; default 32
	Objects int // JSON objects in the schema; default 1,000
	Pattern int // size of one regular expression, in characters after its repetitions are written out; default 2,000

	// Cost is the greatest effort that one value of a payload may cause, in
	// steps: the number of subschemas that visit it, plus what their keywords
	// compare. It is computed by Compile for the worst payload of depth Payload. A step takes some 100 ns. Default 10,000.
	Cost int

	// Work is the greatest effort of one Validate, in the same steps. It is
	// computed before each validation, from the payload's actual shape. Default 2,000,000.
	Work int

	// Payload is the depth of the payloads to come, as limited by payload.Check; default 64.
	Payload int
}

// Default returns the limits that stand where a field of [Limits] is zero.
func Default() Limits {
	return Limits{Bytes: 32 << 10, Depth: 32, Objects: 1000, Pattern: 2000, Cost: 10_000, Work: 2_000_000, Payload: 64}
}

// Schema is a compiled schema. It does not change and is safe for concurrent use.
type Schema struct {
	root   *jsonschema.Schema
	limits Limits
}
