package xmlpath

import (
	"bytes"
	"encoding/xml"
	"io"
	"unicode/utf8"
)

// finder follows the paths of a set through one document.
type finder struct {
	set      *Set
	deepest  int // how deep elements may stand
	most     int // bytes that may still be found
	elements int
	levels   []level // of the open elements, the document itself first
	depth    int     // how many elements are open
	open     []capture
	found    [][]string // :: path → its values
}

// level is what is known at one open element.
type level struct {
	states []uint64 // :: path → bit i is set if its first i steps lead here
	counts []int    // :: slot → elements in here that its step has matched
	dead   bool     // no path leads on from here
}

// capture is an element whose text is asked for.
type capture struct {
	path, at, depth int
	text            []byte
}

// Find returns the values of each path, in the order of the document. depth bounds the nesting of
// elements, most the bytes of all values.
func (s *Set) Find(doc []byte, depth, most int) ([][]string, error) {
	if !utf8.Valid(doc) {
		return nil, ErrSyntax
	}
	f := &finder{set: s, deepest: depth, most: most, found: make([][]string, len(s.paths))}
	f.reset()
	for i := range s.paths {
		f.levels[0].states[i] = 1
	}
	dec := xml.NewDecoder(bytes.NewReader(doc))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 by now
	for {
		token, err := dec.Token()
		if err == io.EOF && f.elements > 0 {
			return f.found, nil
		}
		if err != nil {
			return nil, ErrSyntax
		}
		if err := f.take(token); err != nil {
			return nil, err
		}
	}
}

func (f *finder) take(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		return f.start(token)
	case xml.EndElement:
		f.end()
	case xml.CharData:
		return f.chars(token)
	case xml.Directive: // a document type
		return ErrSyntax
	}
	return nil
}

// start opens an element, and follows the paths into it.
func (f *finder) start(e xml.StartElement) error {
	if f.depth == 0 && f.elements > 0 { // one after the root
		return ErrSyntax
	}
	if f.elements++; f.elements > MaxElements {
		return ErrLarge
	}
	if f.depth++; f.depth > f.deepest {
		return ErrDeep
	}
	f.reset()
	parent, here := &f.levels[f.depth-1], &f.levels[f.depth]
	here.dead = true
	if parent.dead {
		return nil
	}
	for i := range f.set.paths {
		if parent.states[i] == 0 || !f.set.paths[i].all && len(f.found[i]) > 0 {
			continue
		}
		here.states[i] = f.follow(&f.set.paths[i], parent, parent.states[i], &e)
		here.dead = here.dead && here.states[i] == 0
		if here.states[i]>>len(f.set.paths[i].steps) != 0 {
			if err := f.reached(i, &e); err != nil {
				return err
			}
		}
	}
	return nil
}

// reset clears the level of the element that was opened last.
func (f *finder) reset() {
	if f.depth == len(f.levels) {
		f.levels = append(f.levels, level{states: make([]uint64, len(f.set.paths)), counts: make([]int, f.set.slots)})
	}
	here := &f.levels[f.depth]
	clear(here.states)
	clear(here.counts)
	here.dead = false
}

// follow returns how many steps of a path lead to an element, as bits, from those that lead to
// its parent.
func (f *finder) follow(p *path, parent *level, states uint64, e *xml.StartElement) uint64 {
	var out uint64
	for i := range p.steps {
		if states&(1<<i) == 0 {
			continue
		}
		s := &p.steps[i]
		if s.deep {
			out |= 1 << i
		}
		if !s.matches(e) {
			continue
		}
		if s.index > 0 {
			parent.counts[s.slot]++
			if parent.counts[s.slot] != s.index {
				continue
			}
		}
		out |= 1 << (i + 1)
	}
	return out
}

// matches compares name and attributes.
func (s *step) matches(e *xml.StartElement) bool {
	if s.name != "" && s.name != e.Name.Local {
		return false
	}
	for _, a := range s.attrs {
		if value, ok := attribute(e, a.name); !ok || value != a.value {
			return false
		}
	}
	return true
}

// attribute returns the value of an attribute, by its name without prefix.
func attribute(e *xml.StartElement, name string) (string, bool) {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space != "xmlns" && (a.Name.Space != "" || name != "xmlns") {
			return a.Value, true
		}
	}
	return "", false
}

// reached takes the value of an element that a path leads to, or begins to.
func (f *finder) reached(i int, e *xml.StartElement) error {
	p := &f.set.paths[i]
	if p.attr != "" {
		value, ok := attribute(e, p.attr)
		if !ok {
			return nil
		}
		f.found[i] = append(f.found[i], value)
		return f.spend(len(value) + 1)
	}
	f.open = append(f.open, capture{path: i, at: len(f.found[i]), depth: f.depth})
	f.found[i] = append(f.found[i], "")
	return f.spend(1)
}

// chars adds text to all elements that it is in.
func (f *finder) chars(text []byte) error {
	if f.depth == 0 && len(bytes.Trim(text, " \t\r\n\ufeff")) > 0 {
		return ErrSyntax
	}
	for i := range f.open {
		if err := f.spend(len(text)); err != nil {
			return err
		}
		f.open[i].text = append(f.open[i].text, text...)
	}
	return nil
}

// end closes the element that was opened last.
func (f *finder) end() {
	for n := len(f.open); n > 0 && f.open[n-1].depth == f.depth; n = len(f.open) {
		c := f.open[n-1]
		f.found[c.path][c.at] = string(c.text)
		f.open = f.open[:n-1]
	}
	f.depth--
}

func (f *finder) spend(n int) error {
	if f.most -= n; f.most < 0 {
		return ErrLarge
	}
	return nil
}
