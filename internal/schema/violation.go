package schema

import (
	"fmt"
	"strings"
)

const maxViolations = 32

// Violation is one way in which a payload breaks its schema. It shows the schema's own words and the names of
// members, never a value of the payload.
type Violation struct {
	Pointer string // the place in the payload, as a JSON pointer (RFC 6901), cut as payload.AppendToken says; quote it before printing
	Keyword string // the keyword that failed, such as maxLength; "false" where the schema admits nothing
	Schema  string // the keyword's place in the schema, as a JSON pointer
	Limit   string // the schema's bound as JSON, cut at 128 bytes, such as 40 or ["eur","usd"]; for required the missing name
}

func (v Violation) String() string {
	text := fmt.Sprintf("%+q breaks %s", v.Pointer, v.Keyword)
	if v.Limit != "" {
		text += fmt.Sprintf(" %+q", v.Limit)
	}
	return text
}

// Violations is the error of a payload that breaks its schema.
type Violations struct {
	List  []Violation // at most 32, ordered by place in the payload, then by place in the schema
	Total int         // how many there are, told and untold
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
