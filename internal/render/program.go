package render

import (
	"slices"
	"strings"

	"github.com/integrationhub/hub/internal/ref"
)

// A Program is a compiled definition. It does not change and may be used by many at once.
type Program struct {
	method   string
	origin   origin
	segments []slot // of the path, "/" in front of each
	template string // the path as its author wrote it
	query    []slot
	headers  []slot
	lines    []line // :: position in headers → what goes out
	body     body   // nil: none
	sinks    []Sink // where calls put secrets, those of the authentication answer apart; shared by requests
	size     int    // an estimate of the bytes before the body, or of the body, if that is longer
	max      int
	usesAuth bool // some hole takes a value of the authentication answer
}

// A slot is a place for text: bytes of structure, then pieces of text written with one encoding.
type slot struct {
	prefix string
	pieces []piece
	encode encoder
	json   bool   // it stands in a JSON body
	whole  bool   // its one piece is a hole that takes a JSON value
	place  Place  // empty: structure only
	path   string // for faults
}

// A line is a header without its values.
type line struct {
	name  string   // canonical
	again bool     // a header of this name stands before
	fixed []string // its value, if that has no holes; shared by requests
}

// A piece is literal text, already encoded, or a hole.
type piece struct {
	literal string
	hole    *hole
}

// A hole is where a reference stood.
type hole struct {
	ref      ref.Segment
	name     string   // how the reference is named to people
	names    []string // of a plain path into the payload
	secret   bool     // the name of a secret
	fallback string   // with ref.Default: its text
}

// holes reports whether values are put into s.
func (s *slot) holes() bool {
	for i := range s.pieces {
		if s.pieces[i].hole != nil {
			return true
		}
	}
	return false
}

// size returns the number of bytes a slot brings itself, and an estimate for its holes.
func (s *slot) size() int {
	n := len(s.prefix)
	for _, p := range s.pieces {
		n += len(p.literal)
		if p.hole != nil {
			n += 32
		}
	}
	return n
}

func sizeOf(slots []slot) int {
	n := 0
	for i := range slots {
		n += slots[i].size()
	}
	return n
}

// Path returns the path with its references as they are written, without their defaults:
// "/things/{{id}}". It is the same for every call, and empty for a dynamic request's program.
func (p *Program) Path() string { return p.template }

// pathTemplate writes the path without values.
func (p *Program) pathTemplate() string {
	var b strings.Builder
	for i := range p.segments {
		b.WriteString(p.segments[i].prefix)
		for _, piece := range p.segments[i].pieces {
			if piece.hole != nil {
				b.WriteString(piece.hole.name)
			} else {
				b.WriteString(piece.literal)
			}
		}
	}
	return b.String()
}

// Secrets returns every secret and place it can be put into, in the order of the places, each once.
// Values of the authentication answer are not among them: which of those are secrets is known
// when the answer is there.
func (p *Program) Secrets() []Sink {
	var sinks []Sink
	seen := map[Sink]bool{}
	for _, sink := range p.sinks {
		if !seen[sink] {
			seen[sink] = true
			sinks = append(sinks, sink)
		}
	}
	return sinks
}

// eachSink lists every secret and place it is put into, in the order of the places.
func (p *Program) eachSink() []Sink {
	var sinks []Sink
	for s := range p.slots() {
		for _, piece := range s.pieces {
			if piece.hole != nil && piece.hole.secret {
				sinks = append(sinks, Sink{piece.hole.ref.Text, s.place})
			}
		}
	}
	return slices.Clip(sinks)
}

// slots yields the slots of path, query, headers and body.
func (p *Program) slots() func(yield func(*slot) bool) {
	lists := [][]slot{p.segments, p.query, p.headers}
	if p.body != nil {
		lists = append(lists, p.body.slots())
	}
	return func(yield func(*slot) bool) {
		for _, list := range lists {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}
