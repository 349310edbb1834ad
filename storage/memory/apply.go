package memory

import (
	"context"
	"fmt"

	"github.com/integrationhub/hub/storage"
)

// Apply implements storage.Store. Durable means here: until Close.
func (s *Store) Apply(ctx context.Context, changes ...storage.Change) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if err := s.apply(changes); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return nil
}

func (s *Store) apply(changes []storage.Change) error {
	invalid := storage.CheckChanges(changes)
	var steps []step
	if invalid == nil {
		steps = stepsOf(changes)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.ErrClosed
	}
	if invalid != nil {
		return invalid
	}
	if err := s.check(steps); err != nil {
		return err
	}
	for _, st := range steps {
		s.perform(st)
	}
	s.tell(steps)
	return nil
}

// step is a change ready to be made.
type step struct {
	storage.Change
	before *storage.Record // nil for a create
	after  *storage.Record // nil for a delete
}

func stepsOf(changes []storage.Change) []step {
	steps := make([]step, len(changes))
	for i, c := range changes {
		steps[i].Change = c
		if c.Action != storage.ActionDelete {
			r := c.Record.Normal()
			steps[i].after = &r
		}
	}
	return steps
}

// check decides whether every step can be made, in order, and looks up what each replaces.
// It changes no record.
func (s *Store) check(steps []step) error {
	names := map[name]bool{} // :: name → taken, as far as earlier steps decided it
	for i := range steps {
		if err := s.checkStep(&steps[i], names); err != nil {
			return &storage.ChangeError{Index: i, Key: steps[i].Record.Key, Err: err}
		}
	}
	return nil
}

func (s *Store) checkStep(st *step, names map[name]bool) error {
	old, found := s.byKey[st.Record.Key]
	switch {
	case st.Action == storage.ActionCreate && found:
		return storage.ErrExists
	case st.Action != storage.ActionCreate && !found:
		return storage.ErrNotFound
	case found && old.Revision != st.Expect:
		return storage.ErrConflict
	}
	st.before = old
	if old != nil && old.Name != "" {
		names[nameOf(old)] = false
	}
	if st.after == nil || st.after.Name == "" {
		return nil
	}
	want := nameOf(st.after)
	if s.taken(want, names) {
		return fmt.Errorf("%w: the name is another record's", storage.ErrExists)
	}
	names[want] = true
	return nil
}

func (s *Store) taken(n name, names map[name]bool) bool {
	if taken, decided := names[n]; decided {
		return taken
	}
	return s.byName[n] != nil
}

// perform replaces a step's old record by its new one. Performed in the order in which they
// were checked, a step finds its name free.
func (s *Store) perform(st step) {
	if st.before != nil {
		s.remove(st.before)
	}
	if st.after != nil {
		s.insert(st.after)
	}
}

func (s *Store) remove(r *storage.Record) {
	delete(s.byKey, r.Key)
	if r.Name != "" {
		delete(s.byName, nameOf(r))
	}
	at := scopeOf(r)
	if rest := s.scopes[at].without(r); len(rest) > 0 {
		s.scopes[at] = rest
	} else {
		delete(s.scopes, at)
	}
}

func (s *Store) insert(r *storage.Record) {
	s.byKey[r.Key] = r
	if r.Name != "" {
		s.byName[nameOf(r)] = r
	}
	at := scopeOf(r)
	s.scopes[at] = s.scopes[at].with(r)
}
