package render

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/internal/ref"
)

// url compiles the URL of a definition.
func (c *compiler) url(source string) {
	segments, ok := c.parse("url", source)
	if !ok {
		return
	}
	if !c.urlText(segments) {
		return
	}
	c.program.origin, segments = c.origin(segments)
	route, query := splitAt(segments, "?")
	c.route(route)
	if len(query) > 0 {
		_, query, _ = cut(query, '?')
		c.program.query = c.pairs("url", "query:", "?", query)
	}
}

// urlText refuses what no part of a URL holds.
func (c *compiler) urlText(segments []ref.Segment) bool {
	for _, s := range segments {
		if s.Reference() {
			continue
		}
		if strings.Contains(s.Text, "#") {
			c.report("url", "fragment", "a URL holds no fragment; write %23 for the character #")
			return false
		}
		if strings.ContainsFunc(s.Text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			c.report("url", "bad-url", "a URL holds no control characters and no backslash")
			return false
		}
	}
	return true
}

// route compiles the path.
func (c *compiler) route(segments []ref.Segment) {
	if len(segments) == 0 {
		segments = []ref.Segment{{Text: "/"}}
	}
	for _, part := range split(segments, '/')[1:] {
		s := slot{prefix: "/", encode: percent, place: "path", path: "url"}
		s.pieces = c.encodedPieces("url", "path", part, percent)
		if !s.holes() && len(s.pieces) > 0 {
			if f := judgeSegment(s.pieces[0].literal); f != nil {
				c.report("url", f.rule, f.message)
			}
		}
		c.program.segments = append(c.program.segments, s)
	}
	if !c.dynamic {
		c.program.template = c.program.pathTemplate()
	}
}

// pairs compiles name=value&name=value, whose literal text is percent-encoded already. first is what
// stands before the first pair.
func (c *compiler) pairs(at, place, first string, segments []ref.Segment) []slot {
	var slots []slot
	for _, pair := range split(segments, '&') {
		if len(pair) == 0 {
			continue
		}
		prefix := "&"
		if len(slots) == 0 {
			prefix = first
		}
		name, value, assigned := cut(pair, '=')
		if !c.isLiteral(at, name) {
			continue
		}
		wire := c.encoded(at, literalText(name))
		s := slot{prefix: prefix + wire, encode: percent, path: at}
		if assigned {
			s.prefix += "="
		}
		s.place = Place(place + decoded(wire))
		s.pieces = c.encodedPieces(at, s.place, value, percent)
		slots = append(slots, s)
	}
	return slots
}

// query compiles the parameters that are listed apart from the URL, in plain text.
func (c *compiler) query(list []Pair) {
	for i, pair := range list {
		at := "query[" + strconv.Itoa(i) + "]"
		prefix := "&"
		if len(c.program.query) == 0 {
			prefix = "?"
		}
		s, ok := c.pair(at, "query:", pair.Name, pair.Value)
		if ok {
			s.prefix = prefix + s.prefix
			c.program.query = append(c.program.query, s)
		}
	}
}

// pair compiles one plain name and value to name=value, percent-encoded.
func (c *compiler) pair(at, place, name, value string) (slot, bool) {
	name, named := c.name(at+".name", name)
	segments, read := c.parse(at+".value", value)
	if !named || !read {
		return slot{}, false
	}
	s := c.slot(at+".value", Place(place+name), segments, percent)
	prefix, _ := percent(nil, name)
	s.prefix = string(prefix) + "="
	return s, true
}

// encodedPieces compiles text whose literals are percent-encoded already.
func (c *compiler) encodedPieces(at string, place Place, segments []ref.Segment, encode encoder) []piece {
	pieces := make([]piece, 0, len(segments))
	for _, s := range segments {
		if s.Reference() {
			pieces = append(pieces, piece{hole: c.hole(at, place, s, encode, false)})
		} else {
			pieces = append(pieces, piece{literal: c.encoded(at, s.Text)})
		}
	}
	return pieces
}

// encoded returns text as it goes on the wire: percent triplets and what may stand in paths and
// queries (RFC 3986 section 3.3) stay, other bytes are encoded.
func (c *compiler) encoded(at, text string) string {
	dst := make([]byte, 0, len(text))
	for i := range len(text) {
		b := text[i]
		if b == '%' && (i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2])) {
			c.report(at, "bad-percent", "a percent sign is followed by two hexadecimal digits; write %25 for the sign itself")
			return ""
		}
		if b == '%' || strings.IndexByte("!$&'()*+,;=:@/?", b) >= 0 {
			dst = append(dst, b)
		} else {
			dst = appendPercent(dst, b)
		}
	}
	return string(dst)
}

// decoded returns the plain text of a parameter's name.
func decoded(wire string) string {
	name, err := url.QueryUnescape(wire)
	if err != nil {
		return wire
	}
	return name
}
