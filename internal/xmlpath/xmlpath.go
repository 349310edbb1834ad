// Package xmlpath reads values out of XML with a small part of XPath 1.0, without building a
// tree: all paths of a [Set] are followed in one pass over the document.
//
//	/Envelope/Body/Response/Number    elements, by their names without prefix
//	/items/item[2]/@id                the second of them; an attribute
//	//error/text                      anywhere below
//	/items/*[@state='open']/id        any element whose attribute is this
//
// A position counts among what the rest of its step matches, and stands last in it. The value of
// an element is all text in it.
//
// Documents come from strangers. There are no document types, and so no entities but the five of
// XML; depth, elements and what is found are bounded, and nothing recurses.
package xmlpath

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Bounds of a path, and of a document.
const (
	// MaxBytes is the longest path, in bytes.
	MaxBytes = 256
	// MaxSteps is the largest number of steps.
	MaxSteps = 32
	// MaxElements is the largest number of elements in a document.
	MaxElements = 1 << 18
)

// Why a document cannot be read.
var (
	ErrSyntax = errors.New("xmlpath: not well-formed XML")
	ErrDeep   = errors.New("xmlpath: nested too deep")
	ErrLarge  = errors.New("xmlpath: too many elements, or too much of the document is asked for")
)

// Error tells why a path is refused. It quotes nothing of the path.
type Error struct {
	// Offset is where the path breaks the rule, in bytes from its start.
	Offset int
	// Message says in a sentence what is allowed instead.
	Message string
}

// Error returns the rule's message.
func (e *Error) Error() string { return "XPath: " + e.Message }

// step leads from an element to some of those in it.
type step struct {
	name  string // empty: any
	deep  bool   // also to those further below
	attrs []attr
	index int // the position, from 1; 0: all
	slot  int // of the counter, if there is a position
}

// attr is an attribute that an element must have.
type attr struct{ name, value string }

// path is one compiled.
type path struct {
	steps []step
	attr  string // of the element that the steps lead to; empty: its text
	all   bool
}

// Set is paths that are followed together. It is complete before its first use; then it may be used
// by several goroutines.
type Set struct {
	paths []path
	slots int
}

// Add compiles a path, and returns its number in the set. Without all only the first value is
// found. The error is an [*Error].
func (s *Set) Add(text string, all bool) (int, error) {
	if len(text) > MaxBytes || !utf8.ValidString(text) {
		return 0, &Error{0, "a path is UTF-8 and has at most 256 bytes"}
	}
	p := parser{text: text, slots: s.slots}
	if err := p.path(); err != nil {
		return 0, err
	}
	p.out.all = all
	s.paths, s.slots = append(s.paths, p.out), p.slots
	return len(s.paths) - 1, nil
}

// Empty reports whether there is no path in the set.
func (s *Set) Empty() bool { return len(s.paths) == 0 }

// parser reads a path.
type parser struct {
	text  string
	at    int
	slots int
	out   path
}

func (p *parser) fail(message string) error { return &Error{p.at, message} }

// take reads token if it comes next.
func (p *parser) take(token string) bool {
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) path() error {
	for p.at < len(p.text) {
		if p.out.attr != "" {
			return p.fail("an attribute ends a path")
		}
		if !p.take("/") {
			return p.fail("steps begin with a slash: /a/b[2]/@c")
		}
		deep := p.take("/")
		if p.take("@") {
			if p.out.attr = p.name(); p.out.attr == "" || deep || len(p.out.steps) == 0 {
				return p.fail("an attribute is written as /@name after an element")
			}
			continue
		}
		if err := p.step(deep); err != nil {
			return err
		}
	}
	if len(p.out.steps) == 0 || len(p.out.steps) > MaxSteps {
		return p.fail("a path has 1 to 32 steps")
	}
	return nil
}

// step reads a name and what stands in brackets behind it.
func (p *parser) step(deep bool) error {
	s := step{deep: deep}
	if !p.take("*") {
		if s.name = p.name(); s.name == "" {
			return p.fail("a step is the name of an element without its prefix, or *")
		}
	}
	for p.take("[") {
		if s.index > 0 {
			return p.fail("a position stands last in its step")
		}
		if err := p.condition(&s); err != nil {
			return err
		}
	}
	p.out.steps = append(p.out.steps, s)
	return nil
}

// condition reads a position or an attribute's value, and the bracket behind it.
func (p *parser) condition(s *step) error {
	const want = "brackets hold a position from 1, or the value of an attribute: [2], [@a='b']"
	if p.take("@") {
		a := attr{name: p.name()}
		if a.name == "" || !p.take("=") {
			return p.fail(want)
		}
		quote := p.text[p.at:min(p.at+1, len(p.text))]
		value, _, closed := strings.Cut(p.text[min(p.at+1, len(p.text)):], quote+"]")
		if quote != "'" && quote != `"` || !closed {
			return p.fail(want)
		}
		a.value, p.at = value, p.at+len(value)+3
		s.attrs = append(s.attrs, a)
		return nil
	}
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' && s.index <= MaxElements {
		s.index = 10*s.index + int(p.text[p.at]-'0')
		p.at++
	}
	if s.index == 0 || s.index > MaxElements || !p.take("]") {
		return p.fail(want)
	}
	s.slot = p.slots
	p.slots++
	return nil
}

// name reads a name without a prefix.
func (p *parser) name() string {
	start := p.at
	if p.at < len(p.text) && strings.IndexByte("-.0123456789", p.text[p.at]) >= 0 {
		return ""
	}
	for p.at < len(p.text) && !strings.ContainsRune("/[]@='\"*:()|,<>&!$+ \t\r\n", rune(p.text[p.at])) && p.text[p.at] >= ' ' {
		p.at++
	}
	return p.text[start:p.at]
}
