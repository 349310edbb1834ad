package ref

import (
	"encoding/json"
	"strings"

	"github.com/integrationhub/hub/internal/path"
)

// MaxName is the longest name of a secret or variable, in bytes.
const MaxName = 255

const authPrefix = "@auth."

// Parse cuts text into segments; no two literals follow each other. The error is a
// [*SyntaxError].
func Parse(text string) ([]Segment, error) {
	p := parser{text: text}
	for p.next() {
		if err := p.reference(); err != nil {
			return nil, err
		}
	}
	return p.finish(), nil
}

// ParseNamed cuts a text in which only [[name]] is a reference: everything else, be it other
// kinds of references or broken ones, is text. It is for texts that a program hands over.
func ParseNamed(text string) []Segment {
	p := parser{text: text, named: true}
	for p.next() && p.reference() == nil {
	}
	return p.finish()
}

// A parser collects segments; literal is the text since the last reference.
type parser struct {
	text    string
	named   bool // only [[name]] is a reference
	at      int
	literal []byte
	out     []Segment
}

// next copies text up to the next opener and reports whether there is one at p.at.
func (p *parser) next() bool {
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		i := strings.IndexAny(rest, `\[{`)
		if i < 0 {
			break
		}
		p.literal = append(p.literal, rest[:i]...)
		p.at += i
		if p.opener() {
			return true
		}
	}
	p.literal = append(p.literal, p.text[min(p.at, len(p.text)):]...)
	p.at = len(p.text)
	return false
}

// opener reads backslashes and brackets at p.at and stops before the two that open a reference.
func (p *parser) opener() bool {
	slashes := run(p.text[p.at:], '\\')
	rest := p.text[p.at+slashes:]
	brackets := 0
	if rest != "" && (rest[0] == '[' || rest[0] == '{' && !p.named) {
		brackets = run(rest, rest[0])
	}
	if brackets < 2 || p.named && !p.opens(p.at+slashes+brackets-2) {
		n := max(slashes+brackets, 1)
		p.literal = append(p.literal, p.text[p.at:p.at+n]...)
		p.at += n
		return false
	}
	p.literal = append(p.literal, p.text[p.at:p.at+slashes/2]...)
	p.at += slashes
	if slashes%2 == 1 {
		p.literal = append(p.literal, rest[:2]...)
		p.at += 2
		return false
	}
	p.literal = append(p.literal, rest[:brackets-2]...)
	p.at += brackets - 2
	return true
}

// opens reports whether a whole reference stands at i.
func (p *parser) opens(i int) bool {
	s := scanner{text: p.text, start: i, at: i + 2}
	_, err := s.segment(p.text[i], p.named)
	return err == nil
}

func run(s string, b byte) int {
	n := 0
	for n < len(s) && s[n] == b {
		n++
	}
	return n
}

func (p *parser) finish() []Segment {
	p.flush()
	return p.out
}

func (p *parser) flush() {
	if len(p.literal) == 0 {
		return
	}
	p.out = append(p.out, Segment{Kind: Literal, Text: string(p.literal)})
	p.literal = p.literal[:0]
}

// reference reads the reference at p.at and adds its segment.
func (p *parser) reference() error {
	s := scanner{text: p.text, start: p.at, at: p.at + 2}
	seg, err := s.segment(p.text[p.at], p.named)
	if err != nil {
		return err
	}
	p.flush()
	p.out = append(p.out, seg)
	p.at = s.at
	return nil
}

// A scanner reads the inside of one reference.
type scanner struct {
	text      string
	start, at int
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
	if err := path.Check(p, path.Payload); err != nil {
		return "", s.fail("bad-path", "not a path: "+err.(*path.Error).Message)
	}
	return p, nil
}

// literal reads the JSON literal after "??".
func (s *scanner) literal() (string, error) {
	s.space()
	lit := s.text[s.at : s.at+literalLen(s.text[s.at:])]
	if !json.Valid([]byte(lit)) {
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
