// Package histories checks that stores are linearizable: it lets several clients read and
// write a few records at once, writes down what each asked and was told, and when, and lets
// porcupine look for an order of all that in which a store without any concurrency would
// have told the same. Updates that get lost, readers that see half of an Apply, and answers
// that come from the past have no such order.
package histories

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/integrationhub/hub/storage"
)

const (
	keys  = 3 // records that the clients share
	names = 2 // names that the records share
)

// cell is a record as far as the model knows it. Revision zero: there is none.
type cell struct {
	revision int64
	name     int // 0 is no name
	mark     int // which write it is from
}

// state is what a store holds.
type state [keys]cell

// action is what a client asks for.
type action int

const (
	get action = iota
	list
	apply
)

// question is what a client asks.
type question struct {
	action  action
	key     int // of a get
	changes []change
}

// change is one of an apply: after is stored under key, or the record deleted if after is
// zero.
type change struct {
	action storage.Action
	key    int
	expect int64
	after  cell
}

// answer is what a client is told.
type answer struct {
	verdict verdict
	index   int   // of the change that failed
	seen    state // by a get, at its key, or by a list
}

type verdict string

const (
	done     verdict = "done"
	missing  verdict = "not found"
	conflict verdict = "conflict"
	exists   verdict = "exists"
	unknown  verdict = "interrupted" // it is done, or nothing is
)

// model tells which answers a store may give.
func model() porcupine.Model {
	return (&porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{}} },
		Step: func(before, asked, told any) []any {
			return step(before.(state), asked.(question), told.(answer))
		},
		DescribeOperation: func(asked, told any) string { return fmt.Sprintf("%+v: %+v", asked, told) },
	}).ToModel()
}

// step returns the states that may follow if the answer is right, none if it is wrong.
func step(s state, q question, a answer) []any {
	after, right := s.answer(q)
	switch {
	case a.verdict == unknown && q.action == apply && right.verdict == done:
		return []any{s, after}
	case a.verdict == unknown:
		return []any{s}
	case a == right:
		return []any{after}
	}
	return nil
}

// answer returns what a store in state s answers, and its state afterwards.
func (s state) answer(q question) (state, answer) {
	switch q.action {
	case get:
		var seen state
		if seen[q.key] = s[q.key]; seen[q.key].revision == 0 {
			return s, answer{verdict: missing}
		}
		return s, answer{verdict: done, seen: seen}
	case list:
		return s, answer{verdict: done, seen: s}
	}
	after := s
	for i, c := range q.changes {
		if v := after.change(c); v != done {
			return s, answer{verdict: v, index: i}
		}
	}
	return after, answer{verdict: done}
}

func (s *state) change(c change) verdict {
	old := s[c.key]
	switch {
	case c.action == storage.ActionCreate && old.revision != 0:
		return exists
	case c.action != storage.ActionCreate && old.revision == 0:
		return missing
	case c.action != storage.ActionCreate && old.revision != c.expect:
		return conflict
	}
	for key, other := range s {
		if key != c.key && other.revision != 0 && other.name != 0 && other.name == c.after.name {
			return exists
		}
	}
	s[c.key] = c.after
	return done
}
