package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const maxViolations = 32

// Violation is one way in which a payload breaks its schema. It shows the schema's own words and the names of
// members, never a value of the payload.
type Violation struct {
	Pointer string // the place in the payload, as a JSON pointer (RFC 6901), cut as payload.AppendToken says; quote it before printing
	Keyword string // the keyword that failed, such as maxLength; "false" where the schema admits nothing
	Schema  string // the keyword's place in the schema, as a JSON pointer
	Limit   string // the schema's bound as JSON, such as 40 or ["eur","usd"], or the name that is missing; cut at 128 bytes; empty where the bound is a schema
}

// String tells everything but the place in the schema, and quotes what is foreign.
func (v Violation) String() string {
	text := fmt.Sprintf("%+q breaks %s", v.Pointer, v.Keyword)
	if v.Limit != "" {
		text += fmt.Sprintf(" %+q", v.Limit)
	}
	return text
}

func (v Violation) compare(other Violation) int {
	return cmp.Or(
		cmp.Compare(v.Pointer, other.Pointer),
		cmp.Compare(v.Schema, other.Schema),
		cmp.Compare(v.Limit, other.Limit),
	)
}

// Violations is the error of a payload that breaks its schema.
type Violations struct {
	// List holds at most 32, the first by place in the payload, then by place in the schema. If one of several
	// alternatives (anyOf, oneOf, contains) had to fit, that keyword is listed, and what each alternative lacks.
	List []Violation

	Total int // how many were found, listed or not
}

// Error tells all of List, and how many more there are.
func (v *Violations) Error() string {
	var b strings.Builder
	b.WriteString("payload does not fit its schema: ")
	for i, violation := range v.List {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(violation.String())
	}
	if more := v.Total - len(v.List); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// add keeps the list sorted, short, and without repetitions.
func (v *Violations) add(one Violation) {
	at, found := slices.BinarySearchFunc(v.List, one, Violation.compare)
	if found {
		return
	}
	v.Total++
	if at == maxViolations {
		return
	}
	if len(v.List) == maxViolations {
		v.List = v.List[:maxViolations-1]
	}
	v.List = slices.Insert(v.List, at, one)
}
