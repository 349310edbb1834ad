package ref

import "strings"

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

// Status is the path of the reference in [ParseAnswer] that stands for the answer's status.
const Status = "@status"

// ParseAnswer cuts a text in which {{path}} refers to a value of an answer and {{@status}} to its
// status; square brackets are text. The error is a [*SyntaxError].
func ParseAnswer(text string) ([]Segment, error) {
	p := parser{text: text, answer: true}
	for p.next() {
		if err := p.reference(); err != nil {
			return nil, err
		}
	}
	return p.finish(), nil
}

// A parser collects segments; literal is the text since the last reference.
type parser struct {
	text    string
	named   bool // only [[name]] is a reference
	answer  bool // only {{path}} is one, and {{@status}}
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
	if rest != "" && (rest[0] == '[' && !p.answer || rest[0] == '{' && !p.named) {
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
	s := scanner{text: p.text, start: p.at, at: p.at + 2, answer: p.answer}
	seg, err := s.segment(p.text[p.at], p.named)
	if err != nil {
		return err
	}
	p.flush()
	p.out = append(p.out, seg)
	p.at = s.at
	return nil
}
