package servicenow

import (
	"cmp"
	"slices"
	"strings"
)

// query is a parsed sysparm_query: all groups must hold, and of each group one condition;
// then the order.
type query struct {
	groups [][]condition
	orders []order
}

type condition struct {
	field string
	test  func(stored string) bool
}

type order struct {
	field string
	sign  int
}

// operators in the order in which they are looked for. Of the symbols, the one that stands
// first in a condition counts; "!=" comes before the "=" that it contains.
var operators = []struct {
	symbol string
	test   func(stored, wanted string) bool
}{
	{"!=", func(stored, wanted string) bool { return stored != wanted }},
	{"=", func(stored, wanted string) bool { return stored == wanted }},
	{"STARTSWITH", strings.HasPrefix},
	{"ENDSWITH", strings.HasSuffix},
	{"LIKE", strings.Contains},
}

// parseQuery reads an encoded query: conditions joined by ^ (and) or ^OR (or), ORDERBY and
// ORDERBYDESC. What it does not understand it leaves out, as an instance does by default.
func parseQuery(text string) query {
	var q query
	for part := range strings.SplitSeq(text, "^") {
		if field, ok := strings.CutPrefix(part, "ORDERBYDESC"); ok {
			q.orders = append(q.orders, order{field, -1})
			continue
		}
		if field, ok := strings.CutPrefix(part, "ORDERBY"); ok {
			q.orders = append(q.orders, order{field, 1})
			continue
		}
		rest, or := strings.CutPrefix(part, "OR")
		c, ok := parseCondition(rest)
		switch {
		case !ok:
		case or && len(q.groups) > 0:
			last := len(q.groups) - 1
			q.groups[last] = append(q.groups[last], c)
		default:
			q.groups = append(q.groups, []condition{c})
		}
	}
	return q
}

// parseCondition splits at the operator that stands first; fields have no capitals, so none
// of the words can be part of one.
func parseCondition(text string) (condition, bool) {
	at, found := len(text), -1
	for n, op := range operators {
		if i := strings.Index(text, op.symbol); i >= 0 && i < at {
			at, found = i, n
		}
	}
	if found < 0 || at == 0 {
		return condition{}, false
	}
	op := operators[found]
	wanted := text[at+len(op.symbol):]
	return condition{
		field: text[:at],
		test:  func(stored string) bool { return op.test(stored, wanted) },
	}, true
}

// apply returns the records that match, in order. It leaves all as it is. A condition on a
// field that no incident has is ignored.
func (q query) apply(all []incident) []incident {
	var out []incident
	for _, i := range all {
		if q.matches(i) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b incident) int {
		for _, o := range q.orders {
			if c := cmp.Compare(a[o.field], b[o.field]); c != 0 {
				return c * o.sign
			}
		}
		return 0
	})
	return out
}

func (q query) matches(i incident) bool {
	for _, group := range q.groups {
		if !holds(group, i) {
			return false
		}
	}
	return true
}

// holds reports whether one of the conditions is met, or none of them names a field.
func holds(group []condition, i incident) bool {
	none := true
	for _, c := range group {
		stored, known := i[c.field]
		if known && c.test(stored) {
			return true
		}
		none = none && !known
	}
	return none
}
