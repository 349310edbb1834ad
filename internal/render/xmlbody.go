package render

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/integrationhub/hub/internal/ref"
)

// xml compiles an XML body, whose references stand in character data and attribute values.
func (c *compiler) xml(contentType, source string) {
	segments, ok := c.parse("body", source)
	if !ok {
		return
	}
	var scan xmlScanner
	s := slot{encode: xmlText, place: "body", path: "body"}
	for _, segment := range segments {
		if !segment.Reference() {
			scan.text(segment.Text)
			s.pieces = append(s.pieces, piece{literal: segment.Text})
			continue
		}
		if !scan.admits() {
			c.report("body", "reference-in-markup", segment.String()+": in XML a reference stands in text or in a quoted attribute value")
		}
		s.pieces = append(s.pieces, piece{hole: c.hole("body", "body", segment, xmlText, false)})
	}
	c.wellFormed(segments)
	c.program.body = &slotBody{contentType, []slot{s}}
}

// wellFormed checks the document with a letter in place of each reference: one that makes no entity
// or character reference whole.
func (c *compiler) wellFormed(segments []ref.Segment) {
	var b strings.Builder
	for _, s := range segments {
		if s.Reference() {
			b.WriteByte('z')
		} else {
			b.WriteString(s.Text)
		}
	}
	d := xml.NewDecoder(strings.NewReader(b.String()))
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots == 1 {
			return
		}
		if err != nil {
			c.report("body", "invalid-xml", "the body is not one well-formed XML document in UTF-8")
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			c.report("body", "doctype", "an XML body has no document type declaration")
			return
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				c.report("body", "invalid-xml", "text stands outside the root element of the XML body")
				return
			}
		}
	}
}

// An xmlScanner follows a document as far as it takes to know what a place in it is. It cuts as
// parsers do: that the document is well-formed is checked apart.
type xmlScanner struct {
	until string // closes the comment, CDATA section, instruction, tag or value; empty: text
	tag   bool   // a value of a tag is open, or the tag itself
	tail  string // the last bytes, for what has several
}

// admits reports whether a value may be put in here.
func (x *xmlScanner) admits() bool {
	begun := x.until == "" && x.tail != ""
	x.tail = ""
	return !begun && (x.until == "" || x.until == `"` || x.until == "'")
}

func (x *xmlScanner) text(s string) {
	for i := range len(s) {
		x.byte(s[i])
	}
}

func (x *xmlScanner) byte(b byte) {
	x.tail += string(b)
	switch {
	case x.until == "":
		x.open()
	case x.until == ">" && x.tag:
		x.inTag(b)
	case strings.HasSuffix(x.tail, x.until):
		x.leave()
	case len(x.tail) > 16:
		x.tail = x.tail[len(x.tail)-8:]
	}
}

// open looks for the start of markup.
func (x *xmlScanner) open() {
	if x.tail[0] != '<' {
		x.tail = ""
		return
	}
	switch {
	case len(x.tail) < 2:
	case x.tail == "<?":
		x.enter("?>", false)
	case x.tail == "<!--":
		x.enter("-->", false)
	case x.tail == "<![CDATA[":
		x.enter("]]>", false)
	case strings.HasPrefix("<!--", x.tail), strings.HasPrefix("<![CDATA[", x.tail):
	default:
		b := x.tail[len(x.tail)-1]
		x.enter(">", true)
		x.inTag(b)
	}
}

func (x *xmlScanner) enter(until string, tag bool) {
	x.until, x.tag, x.tail = until, tag, ""
}

// inTag follows a tag outside its values.
func (x *xmlScanner) inTag(b byte) {
	x.tail = ""
	switch b {
	case '>':
		x.until, x.tag = "", false
	case '"', '\'':
		x.until = string(b)
	}
}

// leave closes what until stands for: a value goes back to its tag.
func (x *xmlScanner) leave() {
	x.tail = ""
	if x.tag {
		x.until = ">"
	} else {
		x.until = ""
	}
}
