package path

import "strings"

// A checker reads one path by the grammar of its mode, without recursion but for queries, whose
// nesting MaxComponents bounds.
type checker struct {
	text       string
	mode       Mode
	at         int
	components int
	used       string // the modifiers met so far, each followed by a space
}

func (c *checker) fail(rule, message string) *Error { return &Error{c.at, rule, message} }

func (c *checker) more() bool { return c.at < len(c.text) }

func (c *checker) peek() byte {
	if !c.more() {
		return 0
	}
	return c.text[c.at]
}

// path reads components up to the end of the text or, inside a query, up to its operator or
// closing parenthesis.
func (c *checker) path(inQuery bool) *Error {
	for {
		if err := c.component(inQuery); err != nil {
			return err
		}
		if !c.more() || inQuery && endsQueryPath(c.peek()) {
			return nil
		}
		if c.peek() == '|' && c.mode == Payload {
			return c.fail("pipe", "components are separated by dots")
		}
		c.at++
	}
}

func (c *checker) component(inQuery bool) *Error {
	if c.components++; c.components > MaxComponents {
		return c.fail("too-many-components", "a path has at most 32 components")
	}
	switch c.peek() {
	case '@':
		return c.modifier(inQuery)
	case '{', '[':
		return c.fail("multipath", `a component starting with "{" or "[" is written with a backslash before it`)
	case '!':
		return c.fail("literal", `a component starting with "!" is written with a backslash before it`)
	case '#':
		return c.each()
	}
	return c.name(inQuery)
}

// name reads a member name or an array position.
func (c *checker) name(inQuery bool) *Error {
	start := c.at
	var stars starRule
	for c.more() {
		b := c.peek()
		if b == '.' || b == '|' || inQuery && endsQueryPath(b) {
			break
		}
		if b < ' ' || b == 0x7f {
			return c.fail("control-character", "a path holds no control characters")
		}
		if err := c.character(b, &stars); err != nil {
			return err
		}
	}
	if c.at == start {
		return c.empty()
	}
	if stars.costly() {
		return c.fail("wildcard", `a name holds one "*", and a second one only at its end`)
	}
	return nil
}

func (c *checker) empty() *Error {
	if c.at == 0 && len(c.text) > 1 && c.text[:2] == ".." {
		return c.fail("line-mode", "a path does not start with dots")
	}
	return c.fail("empty-component", "a path has no empty components")
}

func (c *checker) character(b byte, stars *starRule) *Error {
	switch b {
	case '\\':
		return c.escape(stars)
	case '#', '(', ')':
		return c.fail("query", `"#", "(" and ")" in a name are written with a backslash before them`)
	case '[', ']', '{', '}':
		return c.fail("multipath", `an array position is written as ".0"; brackets in a name have a backslash before them`)
	case '*', '?':
		if c.mode == Payload {
			return c.fail("wildcard", `"*" and "?" in a name are written with a backslash before them`)
		}
	}
	stars.take(b, true)
	c.at++
	return nil
}

// escape reads a backslash and the character it makes plain.
//
// gjson disregards the backslash where the document has an array: it then cuts at an escaped
// dot or bar. What starts a modifier, a query or a multipath must not follow one.
func (c *checker) escape(stars *starRule) *Error {
	c.at++
	b := c.peek()
	if b < ' ' || b == 0x7f {
		return c.fail("bad-escape", "a backslash stands before the character it makes plain")
	}
	stars.take(b, false)
	c.at++
	if (b == '.' || b == '|') && c.more() && strings.IndexByte(`@!#[{`, c.peek()) >= 0 {
		return c.fail("bad-escape", "a special character after an escaped dot has a backslash before it")
	}
	return nil
}

// A starRule admits one "*" anywhere and one more at the end: such patterns match in a time
// proportional to the text, others need its square or more. Once a pattern has a wildcard, gjson takes
// its escaped stars for stars as well.
type starRule struct {
	stars int
	wild  bool // there is a wildcard without a backslash
	more  bool // something follows the second star
}

func (s *starRule) take(b byte, plain bool) {
	s.more = s.more || s.stars == 2
	if b == '*' {
		s.stars = min(s.stars+1, 2)
	}
	s.wild = s.wild || plain && (b == '*' || b == '?')
}

func (s *starRule) costly() bool { return s.wild && s.more }
