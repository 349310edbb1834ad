package schema

import "fmt"

// The rules that a [Problem] can name. They are part of stored and shown errors, so they do not change.
const (
	Invalid           = "invalid-schema"     // breaks the draft's metaschema at Pointer
	UnknownDraft      = "unknown-draft"      // $schema names none of the five drafts
	BadPattern        = "bad-pattern"        // a regular expression that RE2 does not take
	PatternTooLarge   = "pattern-too-large"  // regular expressions beyond Limits.Pattern
	ExternalReference = "external-reference" // leads out of the document
	DanglingReference = "dangling-reference" // leads to nothing
	UnusualReference  = "unusual-reference"  // a JSON pointer in another than the usual spelling
	EndlessReference  = "endless-reference"  // a schema that applies itself to the same value
	AmbiguousAnchor   = "ambiguous-anchor"   // a second dynamic or recursive anchor of one name
	TooManySchemas    = "too-many-schemas"   // more than Limits.Schemas
	ChainTooLong      = "chain-too-long"     // more than Limits.Depth subschemas apply to one value in a chain
	TooCostly         = "too-costly"         // beyond Limits.Cost when compiled, beyond Limits.Work when validating
	Failed            = "validator-failed"   // the validator gave up without saying why
)

// Problem says why a schema was refused, or why a payload could not be judged.
type Problem struct {
	Pointer string // the place in the schema, as a JSON pointer (RFC 6901); quote it before printing
	Rule    string // one of the constants of this package
	Limit   int    // the limit that was passed; zero if the rule has none
}

// Error names rule, place and limit.
func (p *Problem) Error() string {
	text := fmt.Sprintf("schema: %s at %+q", p.Rule, p.Pointer)
	if p.Limit > 0 {
		text += fmt.Sprintf(" (limit %d)", p.Limit)
	}
	return text
}
