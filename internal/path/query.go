package path

import "strings"

// modifiers are those whose time and memory are proportional to the document they get.
//
// Left out: @dig walks a deep document once per level; @group copies each key once per element;
// @reverse, @join and @pretty keep a record of 100 bytes and more per element, and @pretty
// recurses; @valid and @fromstr recurse into text whose depth nobody has checked. @tostr is
// here because each is taken once: repeated, it doubles its backslashes.
const modifiers = " this keys values flatten ugly tostr "

// modifier reads "@name", without arguments: with them @flatten recurses.
func (c *checker) modifier(inQuery bool) *Error {
	if c.mode == Payload || inQuery {
		return c.fail("modifier", `modifiers cannot stand here; a name starting with "@" is written with a backslash before it`)
	}
	end := len(c.text)
	if i := strings.IndexAny(c.text[c.at:], ".|"); i >= 0 {
		end = c.at + i
	}
	name := c.text[c.at+1 : end]
	if name == "" || strings.ContainsAny(name, " ") || !strings.Contains(modifiers, " "+name+" ") {
		return c.fail("modifier", "the modifiers are @this, @keys, @values, @flatten, @ugly and @tostr, without arguments")
	}
	if strings.Contains(c.used, "@"+name+" ") {
		return c.fail("modifier", "each modifier stands once in a path")
	}
	c.used += "@" + name + " "
	c.at = end
	return nil
}

// each reads "#", or a query in a mode that has them.
func (c *checker) each() *Error {
	c.at++
	if !c.more() || c.peek() == '.' || c.peek() == '|' {
		return nil
	}
	if c.peek() != '(' || c.mode == Payload {
		return c.fail("query", `"#" stands alone between dots; in a name it has a backslash before it`)
	}
	c.at++
	if err := c.query(); err != nil {
		return err
	}
	c.at++ // the closing parenthesis
	if c.peek() == '#' {
		c.at++
	}
	if c.more() && strings.IndexByte(`.|=!<>%)`, c.peek()) < 0 {
		return c.fail("query", "a query is followed by a dot or nothing")
	}
	return nil
}

// query reads what stands between the parentheses of a query and leaves c at the closing one.
func (c *checker) query() *Error {
	if !c.more() {
		return c.unclosed()
	}
	if !endsQueryPath(c.peek()) {
		if err := c.path(true); err != nil {
			return err
		}
	}
	if !c.more() {
		return c.unclosed()
	}
	if c.peek() == ')' {
		return nil
	}
	return c.condition()
}

// condition reads an operator and the value it compares with.
func (c *checker) condition() *Error {
	op := c.at
	for c.more() && strings.IndexByte("!=<>%", c.peek()) >= 0 {
		c.at++
	}
	pattern := false
	switch c.text[op:c.at] {
	case "=", "==", "!=", "<", "<=", ">", ">=":
	case "%", "!%":
		pattern = true
	default:
		return c.fail("query", "a query compares with ==, !=, <, <=, >, >=, % or !%")
	}
	start := c.at
	if err := c.operand(); err != nil {
		return err
	}
	if pattern && !cheapPattern(strings.Trim(c.text[start:c.at], ` "`)) {
		return c.fail("wildcard", `a pattern holds one "*", and a second one only at its end`)
	}
	return nil
}

// operand reads a value: a JSON string, or characters without meaning of their own.
func (c *checker) operand() *Error {
	quoted := false
	for ; c.more(); c.at++ {
		b := c.peek()
		switch {
		case b < ' ' || b == 0x7f:
			return c.fail("control-character", "a path holds no control characters")
		case quoted && b == '\\':
			c.at++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == ')':
			return nil
		case strings.IndexByte(`([]{}\`, b) >= 0:
			return c.fail("query", "a value with special characters is written as a JSON string")
		}
	}
	return c.unclosed()
}

func (c *checker) unclosed() *Error {
	c.at = min(c.at, len(c.text))
	return c.fail("query", "a query is closed by a parenthesis")
}

func cheapPattern(p string) bool {
	var stars starRule
	for i := range len(p) {
		stars.take(p[i], true)
	}
	return !stars.costly()
}

// endsQueryPath reports whether b ends the path inside a query.
func endsQueryPath(b byte) bool { return strings.IndexByte(`!=<>%)`, b) >= 0 }
