package schema

import "github.com/santhosh-tekuri/jsonschema/v5"

// analyse computes what s may cost, and refuses it if that is too much.
func (s *validator) analyse() *Problem {
	g, p := newGraph(s.root, s.limits)
	if p != nil {
		return p
	}
	root, all, p := newEntries(g, s.root)
	if p != nil {
		return p
	}
	if p := worst(g, root, all); p != nil {
		return p
	}
	s.entry = root
	s.places = make(map[string]*jsonschema.Schema, len(g.nodes))
	for sub := range g.nodes {
		s.places[sub.Location] = sub
	}
	return nil
}

// worst refuses a schema of which some value may be visited too often. For each entry and each depth
// it computes the cost of the most expensive value that far below: either the subschemas hand on what
// they get, and the cost stays the same however deep the payload; or two of them hand it to the
// same value, and it doubles with each level.
func worst(g *graph, root *entry, all []*entry) *Problem {
	now := make(map[*entry]float64, len(all))
	for _, e := range all {
		now[e] = e.cost.nominal()
	}
	for depth := 0; ; depth++ {
		if now[root] > float64(g.limits.Cost) {
			return g.problem(g.nodes[root.schema], TooCostly, g.limits.Cost)
		}
		if depth == g.limits.Payload.Depth {
			return nil
		}
		before := now
		now = make(map[*entry]float64, len(all))
		changed := false
		for _, e := range all {
			now[e] = e.dearest(before)
			changed = changed || now[e] != before[e]
		}
		if !changed {
			return nil
		}
	}
}

// nominal is the cost of an unremarkable value.
func (c cost) nominal() float64 { return c.visits + c.fixed + c.number }

// dearest returns the cost of the most expensive member or element of a value at e.
func (e *entry) dearest(cost map[*entry]float64) (dearest float64) {
	try := func(steps []step) {
		sum := 0.0
		for _, step := range steps {
			sum += step.times * cost[step.to]
		}
		dearest = max(dearest, sum)
	}
	for _, steps := range e.members {
		try(steps)
	}
	for _, steps := range e.elements {
		try(steps)
	}
	try(e.others)
	try(e.nameOnly)
	try(e.rest)
	return dearest
}
