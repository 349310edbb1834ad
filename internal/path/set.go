package path

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
)

// Set is plain paths that are followed together, in one pass over a document that ends with the last
// of them. Its zero value is empty. Once it is complete it is safe for concurrent use.
type Set struct {
	nodes []node // the first is the document
	paths int
}

// node is a name on the way of paths that begin alike.
type node struct {
	name  string
	place int32 // of the path that ends here, from 1; 0: none does
	inner int32 // the first name below it; 0: none
	next  int32 // the next one beside it; 0: none
}

// maxSteps is the length of paths that are worth a place in a Set: each step takes memory of its own.
const maxSteps = 8

// Add adds a path and returns its place among the paths, or -1 if it is followed by [Get] alone.
func (s *Set) Add(p string) int {
	names := Plain(p)
	if names == nil || len(names) > maxSteps {
		return -1
	}
	if s.nodes == nil {
		s.nodes = make([]node, 1, 1+len(names))
	}
	at := int32(0)
	for _, name := range names {
		at = s.step(at, name)
	}
	if s.nodes[at].place == 0 {
		s.paths++
		s.nodes[at].place = int32(s.paths)
	}
	return int(s.nodes[at].place) - 1
}

// step returns the node of a name below another one, and makes it if need be.
func (s *Set) step(of int32, name string) int32 {
	if at := s.below(of, []byte(name)); at != 0 {
		return at
	}
	at := int32(len(s.nodes))
	s.nodes = append(s.nodes, node{name: name, next: s.nodes[of].inner})
	s.nodes[of].inner = at
	return at
}

// below returns the node of a name below another one, 0 if there is none.
func (s *Set) below(of int32, name []byte) int32 {
	for at := s.nodes[of].inner; at != 0; at = s.nodes[at].next {
		if s.nodes[at].name == string(name) {
			return at
		}
	}
	return 0
}

// Len is how many paths there are.
func (s *Set) Len() int { return s.paths }

// Place is where a value lies in a document, from its first byte to behind its last. The zero Place
// is nowhere.
type Place struct{ From, To int }

// Find appends to found where the paths lead to in doc, one valid JSON text, by their places. What they lead to is
// what [Get] returns. It reports false where it does not know: a name on the way is written with
// escapes, or doc is not valid.
func (s *Set) Find(doc []byte, found []Place) ([]Place, bool) {
	begin := len(found)
	for range s.paths {
		found = append(found, Place{})
	}
	i := behindSpace(doc, 0)
	if s.paths == 0 || i == len(doc) || doc[i] != '{' { // paths of names lead into objects alone
		return found, true
	}
	w := walk{doc: doc, set: s, found: found[begin:], left: s.paths}
	return found, w.object(i, 0) != lost
}

// walk is the way of a Set through a document.
type walk struct {
	doc   []byte
	set   *Set
	found []Place
	left  int // paths whose values are not found yet
}

const lost = -1

// object looks for the names below a node in the object that begins at i, and goes behind it; as far as it has
// to, once there is nothing left to find. As gjson does, it goes on to another member of the same name where
// the first does not lead to the value.
func (w *walk) object(i int, of int32) int {
	for i = behindSpace(w.doc, i+1); i < len(w.doc) && w.doc[i] == '"'; i = behindSpace(w.doc, i+1) {
		at, value := w.member(i, of)
		if value == lost {
			return lost
		}
		end := w.value(value, at)
		if end == lost || w.left == 0 {
			return end
		}
		if i = behindSpace(w.doc, end); i == len(w.doc) || w.doc[i] != ',' {
			break
		}
	}
	if i >= len(w.doc) || w.doc[i] != '}' {
		return lost
	}
	return i + 1
}

// member reads a name, and returns its node, 0 if nobody asks for it, and where its value begins.
func (w *walk) member(i int, of int32) (at int32, value int) {
	end, ok := payload.Behind(w.doc, i)
	if !ok {
		return 0, lost
	}
	name := w.doc[i+1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		return 0, lost
	}
	if i = behindSpace(w.doc, end); i == len(w.doc) || w.doc[i] != ':' {
		return 0, lost
	}
	return w.set.below(of, name), behindSpace(w.doc, i+1)
}

// value goes behind the value that begins at i, looks inside if names are asked for there, and writes its place
// down if it is asked for itself.
func (w *walk) value(i int, at int32) (end int) {
	n := &w.set.nodes[at]
	if at != 0 && n.inner != 0 && i < len(w.doc) && w.doc[i] == '{' {
		if end = w.object(i, at); end == lost || w.left == 0 {
			return end
		}
	} else {
		var ok bool
		if end, ok = payload.Behind(w.doc, i); !ok {
			return lost
		}
	}
	if n.place != 0 && w.found[n.place-1] == (Place{}) {
		w.found[n.place-1] = Place{i, end}
		w.left--
	}
	return end
}

func behindSpace(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\n' || doc[i] == '\r' || doc[i] == '\t') {
		i++
	}
	return i
}

// At returns the value at a place as [Get] would, but without Num and Index. It shares doc's memory.
func At(doc []byte, at Place) gjson.Result {
	if at == (Place{}) {
		return gjson.Result{}
	}
	raw := shared(doc[at.From:at.To])
	switch c := raw[0]; {
	case c == '{' || c == '[':
		return gjson.Result{Type: gjson.JSON, Raw: raw}
	case c == '"' && strings.IndexByte(raw, '\\') < 0:
		return gjson.Result{Type: gjson.String, Raw: raw, Str: raw[1 : len(raw)-1]}
	case c == '-' || '0' <= c && c <= '9':
		return gjson.Result{Type: gjson.Number, Raw: raw}
	}
	return gjson.Parse(raw)
}
