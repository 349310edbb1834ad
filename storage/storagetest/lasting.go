package storagetest

import (
	"context"
	"fmt"

	"github.com/integrationhub/hub/storage"
)

func persistence() []check {
	return []check{
		{"reopen", "What Apply has acknowledged is there when the store is opened again, every field, name and label", checkReopen},
		{"reopen-rules", "Revisions, names and limits hold across openings", checkReopenRules},
		{"reopen-cursor", "A cursor is good after the store was opened again", checkReopenCursor},
	}
}

func sharing() []check {
	return []check{
		{"shared-view", "What one has acknowledged the other sees at once", checkSharedView},
		{"shared-races", "Of two that expect the same revision, or take one key or name, one wins", checkSharedRaces},
		{"shared-counting", "No update is lost between them", checkSharedCounting},
		{"shared-watch", "A Watch of one tells of what the other changes", checkSharedWatch},
	}
}

func checkReopen(ctx context.Context, open opener) error {
	records := append(labelled(), disorder()[40:]...)
	for i := range records {
		records[i].ID = fmt.Sprintf("%03d", i)
	}
	records = append(records, record("full"), largest())
	first := open()
	if err := create(ctx, first, records...); err != nil {
		return err
	}
	if err := first.Apply(ctx, storage.Delete(key("000"), 1), storage.Update(revised("full", 2), 1)); err != nil {
		return err
	}
	want, err := list(ctx, first, everything)
	if err != nil {
		return err
	}
	for range 2 {
		if err := first.Close(); err != nil {
			return err
		}
		first = open()
		if err := wantAll(ctx, first, want); err != nil {
			return err
		}
	}
	return nil
}

func checkReopenRules(ctx context.Context, open opener) error {
	first := open()
	if err := create(ctx, first, record("a"), record("b")); err != nil {
		return err
	}
	if err := first.Apply(ctx, storage.Update(revised("a", 2), 1), storage.Delete(key("b"), 1)); err != nil {
		return err
	}
	if err := first.Close(); err != nil {
		return err
	}
	s := open()
	return all(
		func() error { return wantFailure(ctx, s, 0, storage.ErrConflict, storage.Update(revised("a", 3), 1)) },
		func() error { return wantFailure(ctx, s, 0, storage.ErrExists, storage.Create(record("a"))) },
		func() error {
			return wantFailure(ctx, s, 0, storage.ErrExists, storage.Create(record("c", named(record("a").Name))))
		},
		func() error { return wantFailure(ctx, s, 0, storage.ErrNotFound, storage.Delete(key("b"), 1)) },
		func() error { return create(ctx, s, record("b")) },
		func() error { return s.Apply(ctx, storage.Update(revised("a", 3), 2)) },
	)
}

func checkReopenCursor(ctx context.Context, open opener) error {
	records := numbered(0, 10)
	first := open()
	if err := create(ctx, first, records...); err != nil {
		return err
	}
	q := scope
	q.Limit = 4
	page, err := first.List(ctx, q)
	if err != nil {
		return err
	}
	if err := first.Close(); err != nil {
		return err
	}
	q.After = page.Next
	return wantList(ctx, open(), q, idsOf(records[len(page.Records):])...)
}

func checkSharedView(ctx context.Context, open opener) error {
	a, b := open(), open()
	for n := int64(1); n <= 20; n++ {
		r, q := revised("a", n), everything
		c := storage.Update(r, n-1)
		if n == 1 {
			c = storage.Create(r)
		}
		if err := a.Apply(ctx, c); err != nil {
			return err
		}
		if err := wantRecord(ctx, b, r); err != nil {
			return err
		}
		if err := wantList(ctx, b, q, "a"); err != nil {
			return err
		}
		a, b = b, a
	}
	return nil
}

func checkSharedRaces(ctx context.Context, open opener) error {
	stores := []storage.Store{open(), open()}
	for n := range rounds {
		id := fmt.Sprint("a", n)
		if err := race(func(i int) error {
			return stores[i%2].Apply(ctx, storage.Create(record(id, named(fmt.Sprint(n, i)))))
		}, storage.ErrExists); err != nil {
			return fmt.Errorf("one key: %w", err)
		}
		if err := race(func(i int) error {
			return stores[i%2].Apply(ctx, storage.Update(revised(id, 2, named(fmt.Sprint("new", n, i))), 1))
		}, storage.ErrConflict); err != nil {
			return fmt.Errorf("one revision: %w", err)
		}
		if err := race(func(i int) error {
			return stores[i%2].Apply(ctx, storage.Create(record(fmt.Sprint("b", n, i), named(fmt.Sprint("wanted", n)))))
		}, storage.ErrExists); err != nil {
			return fmt.Errorf("one name: %w", err)
		}
	}
	return nil
}

func checkSharedCounting(ctx context.Context, open opener) error {
	a, b := open(), open()
	if err := create(ctx, a, record("a")); err != nil {
		return err
	}
	return countTogether(ctx, key("a"), a, b)
}
