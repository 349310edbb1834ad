package schema

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// maxSteps bounds how many steps all entries of a schema have, and with them the time that Compile takes.
const maxSteps = 200_000

// entry is a subschema that some other applies to a member or an element, together with all
// that it applies to the same value, added up: what it costs there, and what it hands on to that value's own
// members and elements. A subschema that is reached on several paths is evaluated as often.
type entry struct {
	schema   *jsonschema.Schema
	cost     cost
	members  map[string][]step // for members of these names
	others   []step            // for members of other names
	nameOnly []step            // for the member names themselves
	elements [][]step          // for the first elements
	rest     []step            // for the elements after those
}

// step hands one value to an entry.
type step struct {
	to    *entry
	times float64
}

// entries builds them all, from the root's on.
type entries struct {
	graph *graph
	all   map[*jsonschema.Schema]*entry
	open  []*entry
	steps int
}

func newEntries(g *graph, root *jsonschema.Schema) (*entry, []*entry, *Problem) {
	b := &entries{graph: g, all: map[*jsonschema.Schema]*entry{}}
	first := b.get(root)
	var built []*entry
	for len(b.open) > 0 {
		e := b.open[0]
		b.open = b.open[1:]
		built = append(built, e)
		b.build(e)
		if b.steps > maxSteps {
			return nil, nil, g.problem(g.nodes[e.schema], TooCostly, g.limits.Cost)
		}
	}
	return first, built, nil
}

func (b *entries) get(s *jsonschema.Schema) *entry {
	e := b.all[s]
	if e == nil {
		e = &entry{schema: s}
		b.all[s] = e
		b.open = append(b.open, e)
	}
	return e
}

// build fills in e. Counts are floating numbers, because what grows beyond all bounds becomes infinite, not
// negative.
func (b *entries) build(e *entry) {
	var nodes []*node
	counts := map[*node]float64{b.graph.nodes[e.schema]: 1}
	for _, n := range b.graph.order {
		count := counts[n]
		if count == 0 {
			continue
		}
		nodes = append(nodes, n)
		e.cost.add(n.cost, count)
		for _, next := range n.inPlace {
			counts[next] += count
		}
	}
	e.members = map[string][]step{}
	for _, n := range nodes {
		for name := range n.schema.Properties {
			e.members[name] = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.members)) {
		e.members[name] = b.collect(nodes, counts, func(s *jsonschema.Schema) []*jsonschema.Schema { return member(s, name) })
	}
	e.others = b.collect(nodes, counts, otherMember)
	e.nameOnly = b.collect(nodes, counts, memberName)
	e.elements = make([][]step, longestTuple(nodes))
	for i := range e.elements {
		e.elements[i] = b.collect(nodes, counts, func(s *jsonschema.Schema) []*jsonschema.Schema { return element(s, i) })
	}
	e.rest = b.collect(nodes, counts, func(s *jsonschema.Schema) []*jsonschema.Schema { return element(s, len(e.elements)) })
}

// collect makes the steps to those that down finds from any of nodes.
func (b *entries) collect(nodes []*node, counts map[*node]float64, down func(*jsonschema.Schema) []*jsonschema.Schema) []step {
	if b.steps > maxSteps {
		return nil
	}
	var steps []step
	at := map[*entry]int{} // :: entry → its place in steps
	for _, n := range nodes {
		b.steps++
		for _, s := range down(n.schema) {
			b.steps++
			to := b.get(s)
			if _, ok := at[to]; !ok {
				at[to] = len(steps)
				steps = append(steps, step{to: to})
			}
			steps[at[to]].times += counts[n]
		}
	}
	return steps
}

// member returns what s applies to a member that it may name. Patterns are taken to match every name.
func member(s *jsonschema.Schema, name string) []*jsonschema.Schema {
	if own, ok := s.Properties[name]; ok {
		return append([]*jsonschema.Schema{own}, slices.Collect(maps.Values(s.PatternProperties))...)
	}
	return otherMember(s)
}

func otherMember(s *jsonschema.Schema) []*jsonschema.Schema {
	all := slices.Collect(maps.Values(s.PatternProperties))
	all = appendAny(all, s.AdditionalProperties)
	return appendSchema(all, s.UnevaluatedProperties)
}

func memberName(s *jsonschema.Schema) []*jsonschema.Schema {
	return appendSchema(nil, s.PropertyNames)
}

// element returns what s applies to the element at index i, or to all behind its tuple.
func element(s *jsonschema.Schema, i int) []*jsonschema.Schema {
	all := appendSchema(nil, s.Contains)
	all = appendSchema(all, s.UnevaluatedItems)
	tuple, isTuple := s.Items.([]*jsonschema.Schema)
	switch {
	case i < len(tuple):
		all = append(all, tuple[i])
	case isTuple:
		all = appendAny(all, s.AdditionalItems)
	default:
		all = appendAny(all, s.Items)
	}
	if i < len(s.PrefixItems) {
		return append(all, s.PrefixItems[i])
	}
	return appendSchema(all, s.Items2020)
}

func longestTuple(nodes []*node) (length int) {
	for _, n := range nodes {
		tuple, _ := n.schema.Items.([]*jsonschema.Schema)
		length = max(length, len(tuple), len(n.schema.PrefixItems))
	}
	return length
}
