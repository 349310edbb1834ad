package storagetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/integrationhub/hub/storage"
)

func pageChecks() []check {
	return []check{
		{"pages", "Pages of any Limit hold together what one page holds, in order; Next is empty on the last", one(checkPages)},
		{"page-sizes", "Limit zero means DefaultPage, more than MaxPage means MaxPage", one(checkPageSizes)},
		{"page-bytes", "A page holds at most MaxPageBytes of Data, its last record apart", one(checkPageBytes)},
		{"pages-between-writes", "A record that exists unchanged while pages are read appears exactly once, whatever is written between them", one(checkPagesBetweenWrites)},
		{"pages-among-writers", "A record that exists unchanged while pages are read appears exactly once, whatever is written meanwhile", one(checkPagesAmongWriters)},
		{"cursors", "A cursor that the store did not make for this query is refused with ErrInvalid", one(checkCursors)},
	}
}

func numbered(from, to int) []storage.Record {
	var records []storage.Record
	for i := from; i < to; i++ {
		records = append(records, plain(fmt.Sprintf("%05d", i), fmt.Sprintf("%05d", i/3)))
	}
	return records
}

func checkPages(ctx context.Context, s storage.Store) error {
	records := numbered(0, 24)
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	for _, limit := range []int{1, 2, 5, 8, 23, 24, 25, 1000} {
		q := scope
		q.Limit = limit
		if err := wantList(ctx, s, q, idsOf(records)...); err != nil {
			return err
		}
		if err := wantLast(ctx, s, q); err != nil {
			return err
		}
	}
	return nil
}

// wantLast fails unless a page without records or Next ends every listing, and a page
// that has a Next has records.
func wantLast(ctx context.Context, s storage.Store, q storage.Query) error {
	return pages(ctx, s, q, func(p storage.Page) error {
		if p.Next != "" && len(p.Records) == 0 {
			return fmt.Errorf("an empty page promises more")
		}
		return nil
	})
}

func checkPageSizes(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, numbered(0, storage.MaxPage+1)...); err != nil {
		return err
	}
	for limit, want := range map[int]int{
		0: storage.DefaultPage, 1: 1, storage.MaxPage - 1: storage.MaxPage - 1,
		storage.MaxPage: storage.MaxPage, storage.MaxPage + 1: storage.MaxPage, 1<<63 - 1: storage.MaxPage,
	} {
		q := scope
		q.Limit = limit
		page, err := s.List(ctx, q)
		if err != nil {
			return err
		}
		if len(page.Records) > want {
			return fmt.Errorf("limit %d gives %d records, want at most %d", limit, len(page.Records), want)
		}
		if page.Next == "" {
			return fmt.Errorf("limit %d: Next is empty, and records are left", limit)
		}
	}
	return wantList(ctx, s, scope, idsOf(numbered(0, storage.MaxPage+1))...)
}

func checkPageBytes(ctx context.Context, s storage.Store) error {
	records := numbered(0, 2*storage.MaxPageBytes/storage.MaxData+3)
	for i := range records {
		records[i].Data = make([]byte, storage.MaxData)
		records[i].Data[0] = byte(i)
		if err := create(ctx, s, records[i]); err != nil {
			return err
		}
	}
	for _, q := range []storage.Query{scope, everything} {
		q.Limit = storage.MaxPage
		var ids []string
		err := pages(ctx, s, q, func(p storage.Page) error {
			ids = append(ids, idsOf(p.Records)...)
			bytes := 0
			for _, r := range p.Records[:max(0, len(p.Records)-1)] {
				bytes += len(r.Data)
			}
			if bytes > storage.MaxPageBytes {
				return fmt.Errorf("a page holds %d bytes of Data without its last record", bytes)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if !slices.Equal(ids, idsOf(records)) {
			return fmt.Errorf("the pages hold %q, want %q", ids, idsOf(records))
		}
	}
	return nil
}

func checkPagesBetweenWrites(ctx context.Context, s storage.Store) error {
	lasting := func(r storage.Record) bool { return r.Data != nil }
	var records []storage.Record
	for i := range 40 {
		r := plain(fmt.Sprintf("%03d", i*10), fmt.Sprintf("%03d", i*10))
		if i%2 == 0 {
			r.Data = []byte("lasting")
		}
		records = append(records, r)
	}
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	want := expected(records, lasting)
	for limit := 1; limit < 6; limit++ {
		got, err := disturbed(ctx, s, limit, lasting)
		if err != nil {
			return err
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("pages of %d give %q, want %q", limit, got, want)
		}
	}
	return nil
}

// disturbed reads all pages. After each it deletes the page's records that do not last,
// and creates one before and one after where the page ended. It returns the ids of what lasts.
func disturbed(ctx context.Context, s storage.Store, limit int, lasting func(storage.Record) bool) (ids []string, err error) {
	q := scope
	q.Limit = limit
	err = pages(ctx, s, q, func(p storage.Page) error {
		for _, r := range p.Records {
			if lasting(r) {
				ids = append(ids, r.ID)
			} else if err := s.Apply(ctx, storage.Delete(r.Key, r.Revision)); err != nil {
				return err
			}
		}
		if len(p.Records) == 0 {
			return nil
		}
		end := p.Records[len(p.Records)-1].ID
		if len(end) > 12 {
			return nil // in front of a record that was created here
		}
		before := plain(fmt.Sprintf("0 before %s %d", end, limit), "0")
		after := plain(fmt.Sprintf("%s after %d", end, limit), end)
		return create(ctx, s, before, after)
	})
	return ids, err
}

func checkPagesAmongWriters(ctx context.Context, s storage.Store) error {
	lasting := numbered(0, 60)
	if err := create(ctx, s, lasting...); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var writers sync.WaitGroup
	failures := make(chan error, 2)
	for w := range cap(failures) {
		writers.Go(func() { failures <- churn(ctx, s, w) })
	}
	err := readAmong(ctx, s, idsOf(lasting))
	cancel()
	writers.Wait()
	for range cap(failures) {
		if werr := <-failures; err == nil {
			err = werr
		}
	}
	return err
}

// churn creates, moves and deletes records all over the listing until ctx ends.
func churn(ctx context.Context, s storage.Store, writer int) error {
	for n := 0; ; n++ {
		at := fmt.Sprintf("%05d", (n*7)%20)
		r := plain(fmt.Sprintf("%s passing %d", at, writer), at)
		moved := r
		moved.Search, moved.Revision = fmt.Sprintf("%05d", (n*11)%20), 2
		for _, c := range []storage.Change{storage.Create(r), storage.Update(moved, 1), storage.Delete(r.Key, 2)} {
			err := s.Apply(ctx, c)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s among readers: %w", c.Action, err)
			}
		}
	}
}

func readAmong(ctx context.Context, s storage.Store, want []string) error {
	for round := range 30 {
		q := scope
		q.Limit = 1 + round%7
		got, err := list(ctx, s, q)
		if err != nil {
			return err
		}
		ids := slices.DeleteFunc(idsOf(got), func(id string) bool { return len(id) > 5 })
		if !slices.Equal(ids, want) {
			return fmt.Errorf("pages of %d give %q, want %q", q.Limit, ids, want)
		}
	}
	return nil
}

func checkCursors(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, labelled()...); err != nil {
		return err
	}
	q := scope
	q.Limit, q.Labels = 3, []storage.Label{bit(0, true)}
	page, err := s.List(ctx, q)
	if err != nil {
		return err
	}
	next := page.Next
	if next == "" {
		return fmt.Errorf("there is no Next, and records are left")
	}
	for _, bad := range []string{
		"x", " ", "0", "\x00", "null", next + "A", next + " ", " " + next, next[1:], next[:len(next)-1],
		swapped(next, 0), swapped(next, len(next)/2), swapped(next, len(next)-1), long(10_000), next + next,
	} {
		q.After = bad
		if err := refuseCursor(ctx, s, q); err != nil {
			return fmt.Errorf("%.80q: %w", bad, err)
		}
	}
	for _, edit := range []func(*storage.Query){
		func(q *storage.Query) { q.Kind = "other" },
		func(q *storage.Query) { q.Tenant = "" },
		func(q *storage.Query) { q.Parent = "p" },
		func(q *storage.Query) { q.Name = "n" },
		func(q *storage.Query) { q.Prefix = "a" },
		func(q *storage.Query) { q.Labels = nil },
		func(q *storage.Query) { *q = storage.Query{Everywhere: true, After: next} },
	} {
		other := q
		other.After = next
		edit(&other)
		if err := refuseCursor(ctx, s, other); err != nil {
			return fmt.Errorf("another query: %w", err)
		}
	}
	q.After, q.Limit = next, 5
	_, err = s.List(ctx, q)
	return err
}

func refuseCursor(ctx context.Context, s storage.Store, q storage.Query) error {
	_, err := s.List(ctx, q)
	return wantError("list", err, storage.ErrInvalid)
}

// swapped returns the cursor with another character at i.
func swapped(cursor string, i int) string {
	b := []byte(cursor)
	b[i] ^= 1
	return string(b)
}
