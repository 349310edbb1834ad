package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/integrationhub/hub/storage"
)

// List implements storage.Store. A listing by name is a lookup; one by prefix reads the
// records of the prefix; one by label reads those of its tenant, kind and parent; one
// Everywhere sorts all records for each page.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	found, more, err := s.list(ctx, q)
	if err != nil {
		return storage.Page{}, fmt.Errorf("list %.64q: %w", q.Kind, err)
	}
	var page storage.Page
	for _, r := range found {
		page.Records = append(page.Records, r.Normal())
	}
	if more {
		page.Next = q.Cursor(*found[len(found)-1])
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, q storage.Query) (found []*storage.Record, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, storage.ErrClosed
	}
	if err := storage.CheckQuery(q); err != nil {
		return nil, false, err
	}
	after, began, err := q.Position()
	if err != nil {
		return nil, false, err
	}
	var bytes int
	for _, r := range s.candidates(q, after, began) {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if !q.Everywhere && !matches(r, q) {
			continue
		}
		if len(found) == q.PageSize() || bytes > storage.MaxPageBytes {
			return found, true, nil
		}
		found = append(found, r)
		bytes += len(r.Data)
	}
	return found, false, nil
}

// candidates returns, in the order of q and from its position on, records among which are
// all that match.
func (s *Store) candidates(q storage.Query, after storage.Position, began bool) sorted {
	if q.Everywhere {
		return s.everywhere(q.Kind, after, began)
	}
	in := scope{tenant: q.Tenant, kind: q.Kind, parent: q.Parent}
	found := s.scopes[in]
	if q.Name != "" {
		found = nil
		if r := s.byName[name{in, q.Name}]; r != nil {
			found = sorted{r}
		}
	}
	if began {
		return found.after(after.Search, after.ID).below(q.Prefix)
	}
	return found.from(q.Prefix).below(q.Prefix)
}

func (s *Store) everywhere(kind string, after storage.Position, began bool) sorted {
	var all sorted
	start := storage.Key{Tenant: after.Tenant, Kind: after.Kind, ID: after.ID}
	for k, r := range s.byKey {
		if kind != "" && kind != k.Kind || began && compareKeys(k, start) <= 0 {
			continue
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *storage.Record) int { return compareKeys(a.Key, b.Key) })
	return all
}

func compareKeys(a, b storage.Key) int {
	return cmp.Or(
		cmp.Compare(a.Tenant, b.Tenant),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.ID, b.ID),
	)
}
