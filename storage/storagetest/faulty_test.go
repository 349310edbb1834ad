package storagetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// faulty is a store with a fault in one method; nil means healthy.
type faulty struct {
	storage.Store
	get   func(context.Context, storage.Store, storage.Key) (storage.Record, error)
	list  func(context.Context, storage.Store, storage.Query) (storage.Page, error)
	apply func(context.Context, storage.Store, []storage.Change) error
	close func(storage.Store) error
}

func (f *faulty) Get(ctx context.Context, k storage.Key) (storage.Record, error) {
	if f.get == nil {
		return f.Store.Get(ctx, k)
	}
	return f.get(ctx, f.Store, k)
}

func (f *faulty) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if f.list == nil {
		return f.Store.List(ctx, q)
	}
	return f.list(ctx, f.Store, q)
}

func (f *faulty) Apply(ctx context.Context, changes ...storage.Change) error {
	if f.apply == nil {
		return f.Store.Apply(ctx, changes...)
	}
	return f.apply(ctx, f.Store, changes)
}

func (f *faulty) Close() error {
	if f.close == nil {
		return f.Store.Close()
	}
	return f.close(f.Store)
}

// fault is a way to break the contract and a check that must notice it.
type fault struct {
	name  string
	check string
	store func() storage.Store
}

// in returns a maker of stores with the faults that set sets.
func in(set func(*faulty)) func() storage.Store {
	return func() storage.Store {
		f := &faulty{Store: memory.New()}
		set(f)
		return f
	}
}

// onGet, onList and onApply change what a healthy method gives or is given.
func onGet(edit func(*storage.Record, error) error) func() storage.Store {
	return in(func(f *faulty) {
		f.get = func(ctx context.Context, s storage.Store, k storage.Key) (storage.Record, error) {
			r, err := s.Get(ctx, k)
			err = edit(&r, err)
			return r, err
		}
	})
}

func onList(edit func(storage.Query, *storage.Page)) func() storage.Store {
	return in(func(f *faulty) {
		f.list = func(ctx context.Context, s storage.Store, q storage.Query) (storage.Page, error) {
			p, err := s.List(ctx, q)
			edit(q, &p)
			return p, err
		}
	})
}

func onQuery(edit func(*storage.Query)) func() storage.Store {
	return in(func(f *faulty) {
		f.list = func(ctx context.Context, s storage.Store, q storage.Query) (storage.Page, error) {
			edit(&q)
			return s.List(ctx, q)
		}
	})
}

func onChange(edit func(*storage.Change)) func() storage.Store {
	return in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, changes []storage.Change) error {
			changes = slices.Clone(changes)
			for i := range changes {
				edit(&changes[i])
			}
			return s.Apply(ctx, changes...)
		}
	})
}

func onApplyError(edit func([]storage.Change, error) error) func() storage.Store {
	return in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, changes []storage.Change) error {
			return edit(changes, s.Apply(ctx, changes...))
		}
	})
}

// instead gives one sentinel in the place of another.
func instead(of, gives error) func([]storage.Change, error) error {
	return func(_ []storage.Change, err error) error {
		if failed, ok := errors.AsType[*storage.ChangeError](err); ok && errors.Is(err, of) {
			return &storage.ChangeError{Index: failed.Index, Key: failed.Key, Err: gives}
		}
		return err
	}
}

var faults = []fault{
	{"Get ignores ctx", "ended-context", in(func(f *faulty) {
		f.get = func(_ context.Context, s storage.Store, k storage.Key) (storage.Record, error) {
			return s.Get(context.Background(), k)
		}
	})},
	{"List ignores ctx", "ended-context", in(func(f *faulty) {
		f.list = func(_ context.Context, s storage.Store, q storage.Query) (storage.Page, error) {
			return s.List(context.Background(), q)
		}
	})},
	{"Apply ignores ctx", "ended-context", in(func(f *faulty) {
		f.apply = func(_ context.Context, s storage.Store, c []storage.Change) error {
			return s.Apply(context.Background(), c...)
		}
	})},
	{"ctx errors in own words", "ended-context", onGet(func(_ *storage.Record, err error) error {
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted")
		}
		return err
	})},
	{"writes and then reports the end of ctx as nothing done", "ended-context", in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, c []storage.Change) error {
			return errors.Join(s.Apply(context.WithoutCancel(ctx), c...), ctx.Err())
		}
	})},
	{"cut by ctx, keeps the first half", "cancelled-underway", in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, c []storage.Change) error {
			if err := s.Apply(ctx, c[:len(c)/2]...); err != nil {
				return err
			}
			time.Sleep(time.Millisecond) // a slow disk
			return s.Apply(ctx, c[len(c)/2:]...)
		}
	})},
	{"keeps the caller's bytes", "bytes-in", aliasing(func(a *alias) { a.in = true })},
	{"hands out its own bytes", "bytes-out", aliasing(func(a *alias) { a.out = true })},
	{"forgets labels", "get", onChange(func(c *storage.Change) { c.Record.Labels = nil })},
	{"forgets labels on update", "update-replaces", onChange(func(c *storage.Change) {
		if c.Action == storage.ActionUpdate {
			c.Record.Labels = nil
		}
	})},
	{"keeps labels in the order and number given", "labels-are-a-set", onGet(func(r *storage.Record, err error) error {
		if len(r.Labels) > 0 {
			r.Labels = append(r.Labels, r.Labels[0])
		}
		return err
	})},
	{"labels are ORed", "list-labels", onQuery(func(q *storage.Query) {
		if len(q.Labels) > 1 {
			q.Labels = q.Labels[:1]
		}
	})},
	{"ignores labels", "list-labels", onQuery(func(q *storage.Query) { q.Labels = nil })},
	{"ignores the prefix", "list-prefix", onQuery(func(q *storage.Query) { q.Prefix = "" })},
	{"ignores the name", "list-name", onQuery(func(q *storage.Query) { q.Name = "" })},
	{"takes % for a wildcard", "list-prefix", onQuery(func(q *storage.Query) { q.Prefix = strings.TrimRight(q.Prefix, "%") })},
	{"ignores the parent", "list-scope", onQuery(func(q *storage.Query) { q.Parent = "" })},
	{"half-applies", "all-or-none", in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, changes []storage.Change) error {
			for i, c := range changes {
				if err := s.Apply(ctx, c); err != nil {
					return atIndex(i, err)
				}
			}
			return nil
		}
	})},
	{"folds case", "no-folding", onChange(func(c *storage.Change) { c.Record.Name = strings.ToLower(c.Record.Name) })},
	{"trims", "no-folding", onChange(func(c *storage.Change) { c.Record.ID = strings.TrimSpace(c.Record.ID) })},
	{"folds the case of keys", "unicode", onChange(func(c *storage.Change) { c.Record.ID = strings.ToLower(c.Record.ID) })},
	{"pads names with spaces", "unicode", onChange(func(c *storage.Change) { c.Record.Name = strings.TrimRight(c.Record.Name, " ") })},
	{"wants UTF-8", "odd-strings", onChange(func(c *storage.Change) { c.Record.Search = strings.ToValidUTF8(c.Record.Search, "?") })},
	{"loses the revision check", "conflict", unchecked(storage.ActionUpdate)},
	{"loses the revision check of deletes", "conflict", unchecked(storage.ActionDelete)},
	{"checks the revision before it locks", "race-update", in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, changes []storage.Change) error {
			changes = slices.Clone(changes)
			for i, c := range changes {
				if r, err := s.Get(ctx, c.Record.Key); err == nil && r.Revision == c.Expect {
					time.Sleep(time.Millisecond)
					changes[i] = latest(ctx, s, c)
				}
			}
			return s.Apply(ctx, changes...)
		}
	})},
	{"wrong order", "list-order", onList(func(_ storage.Query, p *storage.Page) { slices.Reverse(p.Records) })},
	{"orders by id", "list-order", onList(func(_ storage.Query, p *storage.Page) {
		slices.SortFunc(p.Records, func(a, b storage.Record) int { return strings.Compare(a.ID, b.ID) })
	})},
	{"repeats across pages", "pages", onList(func(q storage.Query, p *storage.Page) {
		if q.After != "" && len(p.Records) > 0 && len(p.Records) < q.PageSize() {
			p.Records = append(p.Records[:1:1], p.Records...)
		}
	})},
	{"swallows Next", "pages", onList(func(_ storage.Query, p *storage.Page) { p.Next = "" })},
	{"pages by offset", "pages-between-writes", in(func(f *faulty) { f.list = byOffset })},
	{"takes any cursor", "cursors", in(func(f *faulty) {
		f.list = func(ctx context.Context, s storage.Store, q storage.Query) (storage.Page, error) {
			p, err := s.List(ctx, q)
			if errors.Is(err, storage.ErrInvalid) && q.After != "" {
				q.After = ""
				return s.List(ctx, q)
			}
			return p, err
		}
	})},
	{"unlimited pages", "page-sizes", in(func(f *faulty) { f.list = unlimited })},
	{"pages of any weight", "page-bytes", in(func(f *faulty) { f.list = unlimited })},
	{"no negative limits", "queries-refused", onQuery(func(q *storage.Query) { q.Limit = max(q.Limit, 0) })},
	{"ErrNotFound for conflicts", "conflict", onApplyError(instead(storage.ErrConflict, storage.ErrNotFound))},
	{"ErrConflict for what is missing", "missing", onApplyError(instead(storage.ErrNotFound, storage.ErrConflict))},
	{"ErrConflict for what exists", "create-exists", onApplyError(instead(storage.ErrExists, storage.ErrConflict))},
	{"wrong index", "all-or-none", onApplyError(func(_ []storage.Change, err error) error {
		if err != nil {
			return atIndex(0, err)
		}
		return nil
	})},
	{"no ChangeError", "create-exists", onApplyError(func(_ []storage.Change, err error) error {
		if failed, ok := errors.AsType[*storage.ChangeError](err); ok {
			return failed.Err
		}
		return err
	})},
	{"data in errors", "quiet-errors", onApplyError(func(c []storage.Change, err error) error {
		if err != nil && len(c) > 0 {
			return fmt.Errorf("%w: %s", err, c[0].Record.Data)
		}
		return err
	})},
	{"upserts", "create-exists", in(func(f *faulty) {
		f.apply = func(ctx context.Context, s storage.Store, changes []storage.Change) error {
			err := s.Apply(ctx, changes...)
			if len(changes) == 1 && errors.Is(err, storage.ErrExists) {
				return s.Apply(ctx, latest(ctx, s, storage.Update(changes[0].Record, 1)))
			}
			return err
		}
	})},
	{"names unique across parents", "name-scopes", onChange(func(c *storage.Change) { c.Record.Parent = "one" })},
	{"names not unique", "name-taken", onChange(func(c *storage.Change) {
		if c.Record.Name != "" {
			c.Record.Parent += c.Record.ID
		}
	})},
	{"one revision step only", "conflict", onChange(func(c *storage.Change) {
		if c.Action == storage.ActionUpdate {
			c.Record.Revision = c.Expect + 1
		}
	})},
	{"time to the second", "updated", onChange(func(c *storage.Change) { c.Record.Updated = c.Record.Updated.Truncate(time.Second) })},
	{"local time", "updated", onGet(func(r *storage.Record, err error) error {
		r.Updated = r.Updated.In(time.FixedZone("here", 3600))
		return err
	})},
	{"cuts large data", "limits-kept", onChange(func(c *storage.Change) { c.Record.Data = c.Record.Data[:min(len(c.Record.Data), 1<<16)] })},
	{"cuts what is too large", "limits-refused", onChange(func(c *storage.Change) {
		c.Record.Data = c.Record.Data[:min(len(c.Record.Data), storage.MaxData)]
	})},
	{"refuses many labels", "limits-kept", onApplyError(func(c []storage.Change, err error) error {
		if err == nil && len(c) == 1 && len(c[0].Record.Labels) > 100 {
			return errors.New("too many")
		}
		return err
	})},
	{"the last of two changes of a key wins", "key-twice", onApply(lastWins)},
	{"keeps going after Close", "close", in(func(f *faulty) { f.close = func(storage.Store) error { return nil } })},
	{"fails to close twice", "close", func() storage.Store {
		var once sync.Mutex
		f := &faulty{Store: memory.New()}
		f.close = func(s storage.Store) error {
			if !once.TryLock() {
				return storage.ErrClosed
			}
			return s.Close()
		}
		return f
	}},
	{"cancels what is under way at Close", "close-waits", onApplyError(func(_ []storage.Change, err error) error {
		if errors.Is(err, storage.ErrClosed) {
			return errors.New("connection reset")
		}
		return err
	})},
}

func onApply(apply func(context.Context, storage.Store, []storage.Change) error) func() storage.Store {
	return in(func(f *faulty) { f.apply = apply })
}

// atIndex gives the failure another index.
func atIndex(i int, err error) error {
	if failed, ok := errors.AsType[*storage.ChangeError](err); ok {
		return &storage.ChangeError{Index: i, Key: failed.Key, Err: failed.Err}
	}
	return err
}

// latest lets a change expect whatever is stored.
func latest(ctx context.Context, s storage.Store, c storage.Change) storage.Change {
	if r, err := s.Get(ctx, c.Record.Key); err == nil && c.Action != storage.ActionCreate {
		c.Expect = r.Revision
		c.Record.Revision = max(c.Record.Revision, c.Expect+1)
	}
	return c
}

func unchecked(action storage.Action) func() storage.Store {
	return onApply(func(ctx context.Context, s storage.Store, changes []storage.Change) error {
		changes = slices.Clone(changes)
		for i, c := range changes {
			if c.Action == action {
				changes[i] = latest(ctx, s, c)
			}
		}
		return s.Apply(ctx, changes...)
	})
}

func lastWins(ctx context.Context, s storage.Store, changes []storage.Change) error {
	var kept []storage.Change
	for i, c := range changes {
		same := func(d storage.Change) bool { return d.Record.Key == c.Record.Key }
		if !slices.ContainsFunc(changes[i+1:], same) {
			kept = append(kept, c)
		}
	}
	return s.Apply(ctx, kept...)
}

// unlimited gives everything in one page.
func unlimited(ctx context.Context, s storage.Store, q storage.Query) (all storage.Page, err error) {
	for {
		p, err := s.List(ctx, q)
		if err != nil {
			return storage.Page{}, err
		}
		all.Records = append(all.Records, p.Records...)
		if p.Next == "" {
			return all, nil
		}
		q.After = p.Next
	}
}

// byOffset counts records from the beginning.
func byOffset(ctx context.Context, s storage.Store, q storage.Query) (storage.Page, error) {
	var offset int
	if _, err := fmt.Sscanf(q.After, "%d", &offset); err != nil && q.After != "" {
		return storage.Page{}, storage.ErrInvalid
	}
	limit := q.PageSize()
	q.After, q.Limit = "", 0
	all, err := unlimited(ctx, s, q)
	if err != nil || offset >= len(all.Records) {
		return storage.Page{}, err
	}
	p := storage.Page{Records: all.Records[offset:min(offset+limit, len(all.Records))]}
	if offset+limit < len(all.Records) {
		p.Next = fmt.Sprint(offset + limit)
	}
	return p, nil
}

// alias remembers records as they were given, or gives the same slices to all.
type alias struct {
	storage.Store
	in, out bool
	mu      sync.Mutex // guards kept
	kept    map[storage.Key]storage.Record
}

func aliasing(set func(*alias)) func() storage.Store {
	return func() storage.Store {
		a := &alias{Store: memory.New(), kept: map[storage.Key]storage.Record{}}
		set(a)
		return a
	}
}

func (a *alias) Apply(ctx context.Context, changes ...storage.Change) error {
	err := a.Store.Apply(ctx, changes...)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range changes {
		delete(a.kept, c.Record.Key)
		if a.in && err == nil && c.Action != storage.ActionDelete {
			a.kept[c.Record.Key] = c.Record
		}
	}
	return err
}

func (a *alias) Get(ctx context.Context, k storage.Key) (storage.Record, error) {
	r, err := a.Store.Get(ctx, k)
	a.mu.Lock()
	defer a.mu.Unlock()
	if kept, ok := a.kept[k]; ok && err == nil {
		return kept, nil
	}
	if a.out && err == nil {
		a.kept[k] = r
	}
	return r, err
}
