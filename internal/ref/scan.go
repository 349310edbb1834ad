package ref

import (
	"strings"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
)

// A scanner reads the inside of one reference.
type scanner struct {
	text      string
	start, at int
	answer    bool // paths lead into an answer
}

func (s *scanner) fail(rule, message string) error {
	return &SyntaxError{Offset: s.start, Rule: rule, Message: message}
}

func (s *scanner) segment(opener byte, named bool) (Segment, error) {
	s.space()
	if opener == '{' {
		return s.payload()
	}
	if !named && strings.HasPrefix(s.text[s.at:], authPrefix) {
		return s.auth()
	}
	return s.name()
}

func (s *scanner) space() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] == ' ' {
		s.at++
	}
	return s.at > start
}

// take reads token if it comes next.
func (s *scanner) take(token string) bool {
	if !strings.HasPrefix(s.text[s.at:], token) {
		return false
	}
	s.at += len(token)
	return true
}

func (s *scanner) name() (Segment, error) {
	start := s.at
	for s.at < len(s.text) && nameByte(s.text[s.at], s.at > start) {
		s.at++
	}
	name := s.text[start:s.at]
	if name == "" || len(name) > MaxName {
		return Segment{}, s.fail("bad-name", `[[ ]] holds the name of a secret or variable: letters, digits, "_" and "-", at most 255; write \[[ for the brackets themselves`)
	}
	s.space()
	if !s.take("]]") {
		return Segment{}, s.fail("unclosed", `a name is followed by ]]; write \[[ for the brackets themselves`)
	}
	return Segment{Kind: Named, Text: name}, nil
}

// ValidName reports whether name can be that of a secret or variable.
func ValidName(name string) bool {
	for i := range len(name) {
		if !nameByte(name[i], i > 0) {
			return false
		}
	}
	return name != "" && len(name) <= MaxName
}

func nameByte(b byte, inside bool) bool {
	switch {
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '_':
		return true
	case b >= '0' && b <= '9', b == '-':
		return inside
	}
	return false
}

func (s *scanner) auth() (Segment, error) {
	s.at += len(authPrefix)
	p, err := s.path("]]")
	if err != nil {
		return Segment{}, err
	}
	s.space()
	if !s.take("]]") {
		return Segment{}, s.fail("unclosed", "a path of the authentication answer is followed by ]]")
	}
	return Segment{Kind: Auth, Text: p}, nil
}

// payload reads path [as string] [?? literal] }}.
func (s *scanner) payload() (Segment, error) {
	p, err := s.path("}}")
	if err != nil {
		return Segment{}, err
	}
	seg := Segment{Kind: Payload, Text: p}
	if seg.AsString, err = s.asString(); err != nil {
		return Segment{}, err
	}
	if s.space(); s.take("??") {
		if seg.Default, err = s.literal(); err != nil {
			return Segment{}, err
		}
	}
	if s.space(); !s.take("}}") {
		return Segment{}, s.fail("bad-option", `a path is followed by "as string", then "?? default", then }}; write \{{ for the braces themselves`)
	}
	return seg, nil
}

func (s *scanner) asString() (bool, error) {
	if !s.space() || !s.take("as") {
		return false, nil
	}
	if !s.space() || !s.take("string") {
		return false, s.fail("bad-option", `the only type is "as string"`)
	}
	return true, nil
}

// path reads up to a space or the closing brackets; a backslash takes the next byte with it.
func (s *scanner) path(closing string) (string, error) {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] != ' ' && !strings.HasPrefix(s.text[s.at:], closing) {
		if s.text[s.at] == '\\' {
			s.at++
		}
		s.at++
	}
	s.at = min(s.at, len(s.text))
	p := s.text[start:s.at]
	if s.answer && p == Status {
		return p, nil
	}
	if err := path.Check(p, path.Payload); err != nil {
		return "", s.fail("bad-path", "not a path: "+err.(*path.Error).Message)
	}
	return p, nil
}

// literal reads the JSON literal after "??".
func (s *scanner) literal() (string, error) {
	s.space()
	lit := s.text[s.at : s.at+literalLen(s.text[s.at:])]
	if payload.Check([]byte(lit), payload.Limits{}) != nil {
		return "", s.fail("bad-default", `"??" is followed by a JSON literal; text stands in double quotes`)
	}
	s.at += len(lit)
	return lit, nil
}

// literalLen returns how far the JSON literal at the start of s reaches: to the end of its string,
// to its last closing bracket, or to a space or closing brace.
func literalLen(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '"':
			i += stringLen(s[i:])
		case b == '[' || b == '{':
			depth++
			continue
		case depth > 0 && (b == ']' || b == '}'):
			depth--
		case depth == 0 && (b == ' ' || b == '}'):
			return i
		default:
			continue
		}
		if depth == 0 {
			return min(i+1, len(s))
		}
	}
	return len(s)
}

// stringLen returns the offset of the quote that ends the JSON string at the start of s.
func stringLen(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '"' {
			return i
		}
	}
	return len(s)
}
