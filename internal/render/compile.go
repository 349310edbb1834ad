package render

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/ref"
)

// methods are those a definition may name.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// Compile reads a definition whose references s admits. It reports every problem at once; with
// problems there is no program.
//
// What a program may do is settled here: references, places, structure. Rendering only fails on
// values.
func Compile(d Definition, s Scope) (*Program, []Problem) {
	c := compiler{scope: s}
	return c.compile(d)
}

// A compiler collects a program and the problems on the way.
type compiler struct {
	scope    Scope
	dynamic  bool // only [[name]] is a reference
	program  Program
	problems []Problem
	pointer  string // where in a JSON body the compiler is
}

func (c *compiler) compile(d Definition) (*Program, []Problem) {
	c.program.max = c.scope.maxBytes()
	c.method(d.Method)
	c.url(d.URL)
	c.query(d.Query)
	c.headers(d.Headers)
	c.content(d)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	p := c.program
	p.usesAuth = p.seeksAuth()
	p.sinks = p.eachSink()
	p.size = sizeOf(p.segments) + sizeOf(p.query) + sizeOf(p.headers)
	if p.body != nil {
		p.size = max(p.size, sizeOf(p.body.slots()))
	}
	return &p, nil
}

func (c *compiler) report(path, rule, message string) {
	if c.pointer != "" {
		message += " (at " + shortPointer(c.pointer) + ")"
	}
	c.problems = append(c.problems, Problem{path, rule, message})
}

// shortPointer quotes a JSON pointer for a message.
func shortPointer(pointer string) string {
	if len(pointer) > 128 {
		pointer = pointer[:128] + "..."
	}
	return strconv.QuoteToASCII(pointer)
}

func (c *compiler) refused(path string, r *refusal) { c.report(path, r.rule, r.message) }

func (c *compiler) method(m string) {
	if !slices.Contains(methods, m) {
		c.report("method", "bad-method", "a method is one of "+strings.Join(methods, ", "))
	}
	c.program.method = m
}

func (c *compiler) headers(list []Pair) {
	for i, h := range list {
		at := "headers[" + strconv.Itoa(i) + "]"
		name, named := c.headerName(at+".name", h.Name)
		segments, read := c.parse(at+".value", h.Value)
		if !named || !read {
			continue
		}
		s := c.slot(at+".value", Place("header:"+name), segments, headerText)
		c.program.headers = append(c.program.headers, s)
		again := slices.ContainsFunc(c.program.lines, func(l line) bool { return l.name == name })
		c.program.lines = append(c.program.lines, line{name, again, s.fixed()})
	}
}

// fixed returns the value of a header without holes; nil: it has some.
func (s *slot) fixed() []string {
	if s.holes() {
		return nil
	}
	text := ""
	for _, p := range s.pieces {
		text += p.literal
	}
	return []string{text}
}

func (c *compiler) headerName(at, source string) (string, bool) {
	name, ok := c.name(at, source)
	if !ok {
		return "", false
	}
	if err := egress.CheckHeaderName(name); err != nil {
		c.report(at, "forbidden-header", err.Error())
		return "", false
	}
	name = http.CanonicalHeaderKey(name)
	if name == "Content-Type" {
		c.report(at, "forbidden-header", "the content type is the media type of the body")
		return "", false
	}
	return name, true
}

// parse reads the references of a text.
func (c *compiler) parse(at, text string) ([]ref.Segment, bool) {
	if c.dynamic {
		return ref.ParseNamed(text), true
	}
	segments, err := ref.Parse(text)
	if err != nil {
		c.report(at, "bad-syntax", err.Error())
		return nil, false
	}
	return segments, true
}

// name reads a text that holds no references.
func (c *compiler) name(at, text string) (string, bool) {
	segments, ok := c.parse(at, text)
	if !ok || !c.isLiteral(at, segments) {
		return "", false
	}
	return literalText(segments), true
}

func (c *compiler) isLiteral(at string, segments []ref.Segment) bool {
	for _, s := range segments {
		if s.Reference() {
			c.report(at, "reference-in-name", s.String()+": names hold no references")
			return false
		}
	}
	return true
}

// literalText returns the text of segments that hold no references.
func literalText(segments []ref.Segment) string {
	if len(segments) == 0 {
		return ""
	}
	return segments[0].Text
}

// slot compiles a text, its literals in plain.
func (c *compiler) slot(at string, place Place, segments []ref.Segment, encode encoder) slot {
	s := slot{encode: encode, place: place, path: at, pieces: make([]piece, 0, len(segments))}
	for _, segment := range segments {
		if segment.Reference() {
			s.pieces = append(s.pieces, piece{hole: c.hole(at, place, segment, encode, false)})
			continue
		}
		text, refused := encode(nil, segment.Text)
		if refused != nil {
			c.refused(at, refused)
		}
		s.pieces = append(s.pieces, piece{literal: string(text)})
	}
	return s
}

// hole compiles a reference; whole: it takes a JSON value.
func (c *compiler) hole(at string, place Place, s ref.Segment, encode encoder, whole bool) *hole {
	h := &hole{ref: s, name: s.String()}
	switch s.Kind {
	case ref.Named:
		c.known(at, h)
	case ref.Payload:
		if !c.scope.Payload {
			c.report(at, "no-payload", h.name+": this request has no payload")
		}
		h.names = path.Plain(s.Text)
		c.fallback(at, h, encode, whole)
	case ref.Auth:
		if !c.scope.Auth {
			c.report(at, "no-auth-answer", h.name+": there is no authentication answer here")
		}
	}
	return h
}

// known settles whether a name is a variable or a secret.
func (c *compiler) known(at string, h *hole) {
	if c.isVariable(h.ref.Text) {
		return
	}
	if h.secret = c.isSecret(h.ref.Text); h.secret {
		return
	}
	name := h.name
	if c.dynamic { // what stands in a payload is not shown
		name = "[[…]]"
	}
	c.report(at, "unknown-reference", name+": there is no secret or variable of this name")
}

func (c *compiler) isVariable(name string) bool {
	if c.scope.Variable == nil {
		return false
	}
	_, ok := c.scope.Variable(name)
	return ok
}

func (c *compiler) isSecret(name string) bool {
	return !c.isVariable(name) && c.scope.Secret != nil && c.scope.Secret(name)
}

// fallback checks a default where it stands, as its value would be at a call.
func (c *compiler) fallback(at string, h *hole, encode encoder, whole bool) {
	if h.ref.Default == "" || whole && !h.ref.AsString {
		return
	}
	d := gjson.Parse(h.ref.Default)
	if d.Type == gjson.JSON || d.Type == gjson.Null {
		c.report(at, "bad-default", h.name+": the default here is a string, number or boolean")
		return
	}
	h.fallback = d.Str
	if d.Type != gjson.String {
		h.fallback = d.Raw
	}
	if _, refused := encode(nil, h.fallback); refused != nil {
		c.report(at, "bad-default", h.name+": as a default "+refused.message)
	}
}
