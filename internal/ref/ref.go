// Package ref reads the references that stand in the texts of a definition.
//
//	[[name]]                     a secret or variable of the connector
//	[[@auth.path]]               a value of the last authentication answer
//	{{path}}                     a value of the payload
//	{{path as string}}           the same, as text
//	{{path ?? 10}}               with a JSON literal for when the value is missing
//	{{path as string ?? "10"}}   both, in this order
//
// Spaces may stand inside the brackets. \[[ and \{{ are the brackets themselves; directly before
// them two backslashes are one. Of a longer run of opening brackets the last two open:
// {{{a}} is a brace and a reference. Closing brackets alone are text. Names are
// [A-Za-z_][A-Za-z0-9_-]*, paths those of package path, in which a space has a backslash before
// it. There are no functions, loops or nested references.
package ref

// A Kind says what a segment stands for.
type Kind uint8

// The kinds of segments.
const (
	Literal Kind = iota // text as it is
	Named               // a secret or variable
	Auth                // a value of the authentication answer
	Payload             // a value of the payload
)

// A Segment is a piece of text or one reference.
type Segment struct {
	Kind Kind
	// Text is the text of a Literal, the name of a Named, and the path of Auth (without
	// "@auth.") and Payload.
	Text string
	// Default is the JSON literal of a Payload reference that has one, otherwise empty.
	Default string
	// AsString asks for the value's text where its JSON value would be put.
	AsString bool
}

// A SyntaxError tells where and why a text cannot be read. It quotes nothing of the text.
type SyntaxError struct {
	// Offset is the start of the reference at fault, in bytes.
	Offset int
	// Rule is a stable word: "unclosed", "bad-name", "bad-path", "bad-default", "bad-option".
	Rule string
	// Message is a sentence for the author.
	Message string
}

// Error returns the message.
func (e *SyntaxError) Error() string { return "reference: " + e.Message }

// Reference reports whether s is a reference rather than text.
func (s Segment) Reference() bool { return s.Kind != Literal }

// String writes s as it stands in a definition, without its default: that is how a reference
// is named to people.
func (s Segment) String() string {
	s.Default = ""
	return Format([]Segment{s})
}
