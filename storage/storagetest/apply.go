package storagetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/integrationhub/hub/storage"
)

func applyChecks() []check {
	return []check{
		{"create-exists", "A create fails with ErrExists if its key is taken", one(checkCreateExists)},
		{"name-taken", "A create or update fails with ErrExists if its name is taken within tenant, kind and parent", one(checkNameTaken)},
		{"name-scopes", "Names are unique within tenant, kind and parent only", one(checkNameScopes)},
		{"missing", "An update or delete fails with ErrNotFound if there is no record", one(checkMissing)},
		{"conflict", "An update or delete fails with ErrConflict unless the stored revision is the expected one", one(checkConflict)},
		{"revision-grows", "An update must bring a greater revision than it expects", one(checkRevisionGrows)},
		{"update-replaces", "An update replaces the whole record, and nothing of the old one can be found", one(checkUpdateReplaces)},
		{"delete-removes", "A delete removes the record, and its key and name are free again", one(checkDeleteRemoves)},
		{"all-or-none", "Apply makes all changes or none, whichever of them fails", one(checkAllOrNone)},
		{"several-kinds", "One Apply may change records of several tenants, kinds and parents", one(checkSeveralKinds)},
		{"name-passes-on", "A name that one change frees may be taken by a later one, not by an earlier one", one(checkNamePassesOn)},
		{"key-twice", "Two changes of one key are refused with ErrInvalid", one(checkKeyTwice)},
		{"no-changes", "No changes are no error", one(func(ctx context.Context, s storage.Store) error { return s.Apply(ctx) })},
		{"quiet-errors", "Errors name the key and the reason, never data", one(checkQuietErrors)},
	}
}

// revised is the record id of revision n with edits.
func revised(id string, n int64, edits ...func(*storage.Record)) storage.Record {
	r := record(id, edits...)
	r.Revision = n
	return r
}

func named(name string) func(*storage.Record) {
	return func(r *storage.Record) { r.Name = name }
}

func checkCreateExists(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, revised("a", 5)); err != nil {
		return err
	}
	for _, r := range []storage.Record{record("a"), revised("a", 5), revised("a", 6, named("other")), revised("a", 6, named(""))} {
		if err := wantFailure(ctx, s, 0, storage.ErrExists, storage.Create(r)); err != nil {
			return err
		}
	}
	return nil
}

func checkNameTaken(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a", named("x")), record("b", named("y")), record("c", named(""))); err != nil {
		return err
	}
	for _, c := range []storage.Change{
		storage.Create(record("d", named("x"))),
		storage.Update(revised("b", 2, named("x")), 1),
		storage.Update(revised("c", 2, named("y")), 1),
	} {
		if err := wantFailure(ctx, s, 0, storage.ErrExists, c); err != nil {
			return err
		}
	}
	if err := wantFailure(ctx, s, 1, storage.ErrExists,
		storage.Create(record("d", named("z"))), storage.Create(record("e", named("z")))); err != nil {
		return fmt.Errorf("twice in one Apply: %w", err)
	}
	if err := s.Apply(ctx, storage.Update(revised("a", 2, named("x")), 1)); err != nil {
		return fmt.Errorf("an update that keeps its name: %w", err)
	}
	return nil
}

func checkNameScopes(ctx context.Context, s storage.Store) error {
	return create(ctx, s,
		record("a", named("x")),
		record("a", named("x"), func(r *storage.Record) { r.Tenant = "other" }),
		record("a", named("x"), func(r *storage.Record) { r.Kind = "other" }),
		record("b", named("x"), func(r *storage.Record) { r.Parent = "other" }),
		record("c", named("x"), func(r *storage.Record) { r.Parent = "" }),
		record("d", named("")), record("e", named("")),
	)
}

func checkMissing(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	for _, edit := range []func(*storage.Record){
		func(r *storage.Record) { r.ID = "b" },
		func(r *storage.Record) { r.Kind = "other" },
		func(r *storage.Record) { r.Tenant = "" },
	} {
		r := revised("a", 2, edit)
		if err := wantFailure(ctx, s, 0, storage.ErrNotFound, storage.Update(r, 1)); err != nil {
			return fmt.Errorf("update: %w", err)
		}
		if err := wantFailure(ctx, s, 0, storage.ErrNotFound, storage.Delete(r.Key, 1)); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
	}
	return nil
}

func checkConflict(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, revised("a", 5)); err != nil {
		return err
	}
	for _, expect := range []int64{1, 4, 6, 1<<62 + 5} {
		if err := wantFailure(ctx, s, 0, storage.ErrConflict, storage.Update(revised("a", expect+1), expect)); err != nil {
			return fmt.Errorf("update of revision 5 that expects %d: %w", expect, err)
		}
		if err := wantFailure(ctx, s, 0, storage.ErrConflict, storage.Delete(key("a"), expect)); err != nil {
			return fmt.Errorf("delete of revision 5 that expects %d: %w", expect, err)
		}
	}
	if err := s.Apply(ctx, storage.Update(revised("a", 9), 5)); err != nil {
		return fmt.Errorf("update that skips revisions: %w", err)
	}
	if err := wantRecord(ctx, s, revised("a", 9)); err != nil {
		return err
	}
	return wantFailure(ctx, s, 0, storage.ErrConflict, storage.Update(revised("a", 10), 5))
}

func checkRevisionGrows(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, revised("a", 5)); err != nil {
		return err
	}
	for _, c := range []storage.Change{
		storage.Update(revised("a", 5), 5),
		storage.Update(revised("a", 4), 5),
		storage.Update(revised("a", 6), 0),
		storage.Update(revised("a", 6), -1),
		storage.Delete(key("a"), 0),
		{Action: storage.ActionCreate, Record: record("b"), Expect: 1},
	} {
		if err := wantFailure(ctx, s, 0, storage.ErrInvalid, c); err != nil {
			return err
		}
	}
	return nil
}

func checkUpdateReplaces(ctx context.Context, s storage.Store) error {
	old := record("a")
	next := storage.Record{
		Key: old.Key, Parent: "box", Name: "new name", Search: "new search", Revision: 7,
		Labels:  []storage.Label{{Key: "color", Value: "blue"}, {Key: "new", Value: ""}},
		Updated: start.AddDate(1, 0, 0), Data: []byte("new data"),
	}
	bare := storage.Record{Key: old.Key, Revision: 8}
	if err := create(ctx, s, old); err != nil {
		return err
	}
	for _, step := range []struct{ before, after storage.Record }{{old, next}, {next, bare}} {
		if err := s.Apply(ctx, storage.Update(step.after, step.before.Revision)); err != nil {
			return err
		}
		if err := wantRecord(ctx, s, step.after); err != nil {
			return err
		}
		if err := wantAll(ctx, s, []storage.Record{step.after}); err != nil {
			return err
		}
		if err := wantGone(ctx, s, step.before); err != nil {
			return err
		}
	}
	return nil
}

// wantGone fails if anything of a record can be listed in its scope, or its name is taken.
func wantGone(ctx context.Context, s storage.Store, r storage.Record) error {
	q := storage.Query{Tenant: r.Tenant, Kind: r.Kind, Parent: r.Parent}
	queries := []storage.Query{q}
	for _, l := range r.Labels {
		q.Labels = []storage.Label{l}
		queries = append(queries, q)
	}
	q.Labels = nil
	q.Name = r.Name
	for _, q := range append(queries, q) {
		if err := wantList(ctx, s, q); err != nil {
			return err
		}
	}
	probe := storage.Record{Key: r.Key, Parent: r.Parent, Name: r.Name, Revision: 1}
	probe.ID = "probe of " + r.ID
	if err := s.Apply(ctx, storage.Create(probe)); err != nil {
		return fmt.Errorf("take the name that became free: %w", err)
	}
	return s.Apply(ctx, storage.Delete(probe.Key, 1))
}

func checkDeleteRemoves(ctx context.Context, s storage.Store) error {
	r := revised("a", 3)
	if err := create(ctx, s, r); err != nil {
		return err
	}
	if err := s.Apply(ctx, storage.Change{Action: storage.ActionDelete, Record: storage.Record{Key: r.Key, Name: "\x00"}, Expect: 3}); err != nil {
		return fmt.Errorf("delete, of which only the key counts: %w", err)
	}
	_, err := s.Get(ctx, r.Key)
	if err := wantError("get", err, storage.ErrNotFound); err != nil {
		return err
	}
	if err := wantGone(ctx, s, r); err != nil {
		return err
	}
	if err := wantFailure(ctx, s, 0, storage.ErrNotFound, storage.Delete(r.Key, 3)); err != nil {
		return err
	}
	bare := storage.Record{Key: r.Key, Parent: r.Parent, Name: r.Name, Revision: 1}
	if err := create(ctx, s, bare); err != nil {
		return fmt.Errorf("create anew: %w", err)
	}
	return wantRecord(ctx, s, bare)
}

func checkAllOrNone(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a"), record("b"), record("c")); err != nil {
		return err
	}
	good := []storage.Change{
		storage.Create(record("d")),
		storage.Update(revised("a", 2, named("a's new name"), func(r *storage.Record) { r.Labels = nil }), 1),
		storage.Delete(key("b"), 1),
	}
	for name, fault := range map[string]struct {
		change storage.Change
		want   error
	}{
		"ErrExists":       {storage.Create(record("c")), storage.ErrExists},
		"ErrExists, name": {storage.Create(record("e", named(record("c").Name))), storage.ErrExists},
		"ErrConflict":     {storage.Update(revised("c", 9), 8), storage.ErrConflict},
		"ErrNotFound":     {storage.Delete(key("e"), 1), storage.ErrNotFound},
		"ErrInvalid":      {storage.Update(revised("c", 1), 1), storage.ErrInvalid},
	} {
		for at := range len(good) + 1 {
			changes := append(append(append([]storage.Change{}, good[:at]...), fault.change), good[at:]...)
			if err := wantFailure(ctx, s, at, fault.want, changes...); err != nil {
				return fmt.Errorf("%s at change %d of %d: %w", name, at, len(changes), err)
			}
		}
	}
	return s.Apply(ctx, good...)
}

func checkSeveralKinds(ctx context.Context, s storage.Store) error {
	there := storage.Record{Key: storage.Key{Kind: "other", ID: "a"}, Revision: 1, Labels: []storage.Label{{Key: "k", Value: "v"}}}
	if err := s.Apply(ctx, storage.Create(record("a")), storage.Create(there)); err != nil {
		return err
	}
	if err := wantAll(ctx, s, []storage.Record{there, record("a")}); err != nil {
		return err
	}
	if err := s.Apply(ctx, storage.Delete(there.Key, 1), storage.Update(revised("a", 2), 1)); err != nil {
		return err
	}
	return wantAll(ctx, s, []storage.Record{revised("a", 2)})
}

func checkNamePassesOn(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a", named("x")), record("b", named("y"))); err != nil {
		return err
	}
	free, take := storage.Delete(key("a"), 1), storage.Update(revised("b", 2, named("x")), 1)
	rename, follow := storage.Update(revised("b", 3, named("z")), 2), storage.Create(record("c", named("x")))
	return all(
		func() error { return wantFailure(ctx, s, 0, storage.ErrExists, take, free) },
		func() error { return s.Apply(ctx, free, take) },
		func() error { return wantFailure(ctx, s, 0, storage.ErrExists, follow, rename) },
		func() error { return s.Apply(ctx, rename, follow) },
		func() error {
			return wantAll(ctx, s, []storage.Record{revised("b", 3, named("z")), record("c", named("x"))})
		},
		func() error {
			return wantFailure(ctx, s, 0, storage.ErrExists, storage.Create(record("d", named("x"))))
		},
		func() error { return create(ctx, s, record("d", named("y"))) },
	)
}

func checkKeyTwice(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	update, remove := storage.Update(revised("a", 2), 1), storage.Delete(key("a"), 1)
	for _, changes := range [][]storage.Change{
		{storage.Create(record("b")), storage.Create(record("b"))},
		{update, storage.Update(revised("a", 3), 2)},
		{update, remove},
		{remove, storage.Create(record("a"))},
	} {
		if err := wantFailure(ctx, s, 1, storage.ErrInvalid, changes...); err != nil {
			return err
		}
	}
	return nil
}

func checkQuietErrors(ctx context.Context, s storage.Store) error {
	const canary = "canary-4711"
	loud := func(r *storage.Record) { r.Data = []byte(canary) }
	if err := create(ctx, s, record("a", loud)); err != nil {
		return err
	}
	for _, c := range []storage.Change{
		storage.Create(record("a", loud)),
		storage.Create(record("b", loud, named(record("a").Name))),
		storage.Update(revised("a", 9, loud), 8),
		storage.Update(revised("b", 2, loud), 1),
		storage.Update(revised("a", 1, loud), 1),
	} {
		err := s.Apply(ctx, c)
		if err == nil {
			return fmt.Errorf("a faulty %s did not fail", c.Action)
		}
		if strings.Contains(err.Error(), canary) {
			return fmt.Errorf("the error of a faulty %s holds data", c.Action)
		}
	}
	return nil
}
