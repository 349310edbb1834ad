package scrub

import (
	"cmp"
	"maps"
	"slices"
	"sort"
)

// automaton is the trie of all patterns with a failure link per node. Nodes
// are numbered level by level, so the children of a node are neighbours: a
// node needs the first of them, and no pointers.
type automaton struct {
	label  []byte  // :: node → byte that leads to it
	first  []int32 // :: node → its first child; the next node's first child ends the row
	fail   []int32 // :: node → node of its longest proper suffix in the trie
	match  []int32 // :: node → length of the longest pattern that ends there, or 0
	tail   []int32 // :: node → how far a long form goes on whose head ends there, or 0
	levels []int32 // :: depth → first node of that depth
	root   [256]int32
}

// span is a part of a text, [start, end).
type span struct{ start, end int }

// branch is a node under construction: the sorted patterns that share its path.
type branch struct{ lo, hi, parent int32 }

// newAutomaton takes patterns, and for those that are the head of a longer form its length.
func newAutomaton(whole map[string]int) *automaton {
	patterns := slices.Sorted(maps.Keys(whole))
	a := &automaton{}
	a.grow(patterns, whole)
	a.first = append(a.first, int32(len(a.label)))
	for c := a.first[0]; c < a.first[1]; c++ {
		a.root[a.label[c]] = c
	}
	return a
}

// grow adds the nodes level by level. Failure links of a level need only those
// above, which are complete but for the end of the last row; child knows that.
func (a *automaton) grow(patterns []string, whole map[string]int) {
	level := []branch{{hi: int32(len(patterns))}}
	a.label, a.fail, a.match, a.tail, a.levels = []byte{0}, []int32{0}, []int32{0}, []int32{0}, []int32{0}
	for depth := 0; len(level) > 0; depth++ {
		a.levels = append(a.levels, int32(len(a.label)))
		var next []branch
		for i, b := range level {
			node := a.levels[depth] + int32(i)
			a.first = append(a.first, int32(len(a.label)))
			next = a.split(patterns, whole, b, node, depth, next)
		}
		a.link(next, depth)
		level = next
	}
}

// split makes one child of node per byte that follows in its patterns.
func (a *automaton) split(patterns []string, whole map[string]int, b branch, node int32, depth int, next []branch) []branch {
	lo := b.lo
	if len(patterns[lo]) == depth { // sorted: the one that ends here is the first
		lo++
	}
	for lo < b.hi {
		c := patterns[lo][depth]
		hi := lo + int32(sort.Search(int(b.hi-lo), func(i int) bool { return patterns[lo+int32(i)][depth] > c }))
		a.label = append(a.label, c)
		a.match = append(a.match, ends(patterns[lo], depth+1))
		a.tail = append(a.tail, goesOn(patterns[lo], depth+1, whole))
		a.fail = append(a.fail, 0)
		next = append(next, branch{lo, hi, node})
		lo = hi
	}
	return next
}

func ends(pattern string, depth int) int32 {
	if len(pattern) == depth {
		return int32(depth)
	}
	return 0
}

// goesOn is how many bytes follow a head that ends at depth.
func goesOn(pattern string, depth int, whole map[string]int) int32 {
	if n := whole[pattern]; len(pattern) == depth && n > depth {
		return int32(n - depth)
	}
	return 0
}

// link sets the failure links of the level below depth. Its own rows of
// children do not exist yet and are not needed: a link leads upwards.
func (a *automaton) link(children []branch, depth int) {
	if depth == 0 {
		return
	}
	base := a.levels[depth+1]
	a.first = append(a.first, int32(len(a.label)))
	for i, b := range children {
		child := base + int32(i)
		f := b.parent
		for f != 0 && a.fail[child] == 0 {
			f = a.fail[f]
			a.fail[child] = a.child(f, a.label[child])
		}
		a.match[child] = cmp.Or(a.match[child], a.match[a.fail[child]])
		a.tail[child] = max(a.tail[child], a.tail[a.fail[child]])
	}
	a.first = a.first[:len(a.first)-1]
}

// child returns the child of node by c, or the root.
func (a *automaton) child(node int32, c byte) int32 {
	lo, hi := a.first[node], a.first[node+1]
	for hi-lo > 8 {
		if mid := (lo + hi) / 2; a.label[mid] <= c {
			lo = mid
		} else {
			hi = mid
		}
	}
	for ; lo < hi; lo++ {
		if a.label[lo] == c {
			return lo
		}
	}
	return 0
}

// step follows c from node. Each failure link shortens what the node stands
// for and each byte lengthens it by one, so a text takes linear time.
func (a *automaton) step(node int32, c byte) int32 {
	for node != 0 {
		if next := a.child(node, c); next != 0 {
			return next
		}
		node = a.fail[node]
	}
	return a.root[c]
}

// depth is how many bytes of the text the node stands for.
func (a *automaton) depth(node int32) int {
	return sort.Search(len(a.levels), func(i int) bool { return a.levels[i] > node }) - 1
}

// find returns all spans of text that patterns cover, in order and apart.
func find(a *automaton, text []byte) []span {
	if a == nil {
		return nil
	}
	spans, _ := scan(a, text, 0, 0, nil)
	return within(spans, len(text))
}

// within ends the last span where the text ends.
func within(spans []span, end int) []span {
	if n := len(spans); n > 0 {
		spans[n-1].end = min(spans[n-1].end, end)
	}
	return spans
}

// scan goes on from node with text[from:], and adds what it finds to spans.
func scan(a *automaton, text []byte, from int, node int32, spans []span) ([]span, int32) {
	for i := from; i < len(text); i++ {
		node = a.step(node, text[i])
		if n := a.match[node]; n > 0 {
			spans = join(spans, span{i + 1 - int(n), i + 1 + int(a.tail[node])})
		}
	}
	return spans, node
}

// join adds s, and makes one of it and those it overlaps.
func join(spans []span, s span) []span {
	for n := len(spans); n > 0 && spans[n-1].end > s.start; n-- {
		s.start, s.end = min(s.start, spans[n-1].start), max(s.end, spans[n-1].end)
		spans = spans[:n-1]
	}
	return append(spans, s)
}

// replace appends text to dst with a mask for each span.
func replace[T []byte | string](dst []byte, text T, spans []span) []byte {
	at := 0
	for _, s := range spans {
		dst = append(dst, text[at:s.start]...)
		dst = append(dst, Mask...)
		at = s.end
	}
	return append(dst, text[at:]...)
}
