package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// graph is the compiled schema as nodes and the edges that keep to the same value. Edges that go down
// into a value are added by entries.
type graph struct {
	limits Limits
	prefix string // of the location of every node
	nodes  map[*jsonschema.Schema]*node
	sorted []*node // by location, so that the same schema is refused with the same words
	order  []*node // each before those it applies to the same value
}

type node struct {
	schema  *jsonschema.Schema
	inPlace []*node
	chain   int // nodes in the longest chain of inPlace from here
	seen    mark
	cost    cost
}

type mark int

const (
	fresh mark = iota
	entered
	done
)

func newGraph(root *jsonschema.Schema, l Limits) (*graph, *Problem) {
	prefix, _, _ := strings.Cut(root.Location, "#")
	g := &graph{limits: l, prefix: prefix + "#", nodes: map[*jsonschema.Schema]*node{}}
	if p := g.collect(root); p != nil {
		return nil, p
	}
	g.sorted = slices.SortedFunc(maps.Values(g.nodes), func(a, b *node) int {
		return strings.Compare(a.schema.Location, b.schema.Location)
	})
	for _, n := range g.sorted {
		for _, s := range inPlace(n.schema) {
			n.inPlace = append(n.inPlace, g.nodes[s])
		}
	}
	for _, n := range g.sorted {
		if p := g.sort(n); p != nil {
			return nil, p
		}
	}
	slices.Reverse(g.order)
	return g, nil
}

// collect finds all that root can reach. Whatever lies in another document is refused: the compiler
// has metaschemas of its own, which the rules of inspect do not cover.
func (g *graph) collect(root *jsonschema.Schema) *Problem {
	for open := []*jsonschema.Schema{root}; len(open) > 0; {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if g.nodes[s] != nil {
			continue
		}
		if !strings.HasPrefix(s.Location, g.prefix) {
			return &Problem{Rule: ExternalReference}
		}
		if len(g.nodes) > g.limits.Schemas {
			return &Problem{Pointer: showPointer(s.Location[len(g.prefix):]), Rule: TooManySchemas, Limit: g.limits.Schemas}
		}
		g.nodes[s] = &node{schema: s, cost: costOf(s, len(s.Location))}
		open = append(append(open, inPlace(s)...), below(s)...)
	}
	return nil
}

// sort appends n and all that it applies in place to order, last first.
func (g *graph) sort(n *node) *Problem {
	switch n.seen {
	case done:
		return nil
	case entered:
		return g.problem(n, EndlessReference, 0)
	}
	n.seen, n.chain = entered, 1
	for _, next := range n.inPlace {
		if p := g.sort(next); p != nil {
			return p
		}
		n.chain = max(n.chain, next.chain+1)
	}
	if n.chain > g.limits.Depth {
		return g.problem(n, ChainTooLong, g.limits.Depth)
	}
	n.seen = done
	g.order = append(g.order, n)
	return nil
}

func (g *graph) problem(n *node, rule string, limit int) *Problem {
	return &Problem{Pointer: showPointer(n.schema.Location[len(g.prefix):]), Rule: rule, Limit: limit}
}

// inPlace returns the subschemas that s applies to the value that it is applied to itself. Since
// anchors are unique, dynamic and recursive references lead where they seem to.
func inPlace(s *jsonschema.Schema) (all []*jsonschema.Schema) {
	for _, one := range []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.DynamicRef, s.Not, s.If, s.Then, s.Else} {
		all = appendSchema(all, one)
	}
	all = append(append(append(all, s.AllOf...), s.AnyOf...), s.OneOf...)
	for _, one := range s.DependentSchemas {
		all = append(all, one)
	}
	for _, one := range s.Dependencies {
		all = appendAny(all, one)
	}
	return all
}

// below returns the subschemas that s applies to members and elements.
func below(s *jsonschema.Schema) (all []*jsonschema.Schema) {
	for _, one := range s.Properties {
		all = append(all, one)
	}
	for _, one := range s.PatternProperties {
		all = append(all, one)
	}
	for _, one := range []*jsonschema.Schema{s.PropertyNames, s.UnevaluatedProperties, s.Items2020, s.Contains, s.UnevaluatedItems} {
		all = appendSchema(all, one)
	}
	for _, one := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		all = appendAny(all, one)
	}
	return append(all, s.PrefixItems...)
}

func appendSchema(all []*jsonschema.Schema, one *jsonschema.Schema) []*jsonschema.Schema {
	if one == nil {
		return all
	}
	return append(all, one)
}

// appendAny appends one if it is a schema or a list of them: the validator declares such fields as any.
func appendAny(all []*jsonschema.Schema, one any) []*jsonschema.Schema {
	switch one := one.(type) {
	case *jsonschema.Schema:
		return appendSchema(all, one)
	case []*jsonschema.Schema:
		return append(all, one...)
	default:
		return all
	}
}
