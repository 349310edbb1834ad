package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/integrationhub/hub/storage"
)

// start is when all records of the suite were updated.
var start = time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)

// record returns a record with something in every field, changed by edits.
func record(id string, edits ...func(*storage.Record)) storage.Record {
	r := storage.Record{
		Key:      storage.Key{Tenant: "acme", Kind: "thing", ID: id},
		Parent:   "shelf",
		Name:     "name of " + id,
		Search:   "search " + id,
		Labels:   []storage.Label{{Key: "color", Value: "red"}, {Key: "size", Value: "9"}},
		Revision: 1,
		Updated:  start,
		Data:     []byte("data of " + id),
	}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

// plain returns a record with a key and a search key only.
func plain(id, search string) storage.Record {
	return storage.Record{Key: key(id), Search: search, Revision: 1, Updated: start}
}

func key(id string) storage.Key { return storage.Key{Tenant: "acme", Kind: "thing", ID: id} }

// everything is the query that walks all records.
var everything = storage.Query{Everywhere: true}

// create stores the records, in as many Applies as it takes.
func create(ctx context.Context, s storage.Store, records ...storage.Record) error {
	for chunk := range slices.Chunk(records, storage.MaxChanges) {
		changes := make([]storage.Change, len(chunk))
		for i, r := range chunk {
			changes[i] = storage.Create(r)
		}
		if err := s.Apply(ctx, changes...); err != nil {
			return fmt.Errorf("create %d records: %w", len(chunk), err)
		}
	}
	return nil
}

// list returns all pages of q.
func list(ctx context.Context, s storage.Store, q storage.Query) ([]storage.Record, error) {
	var all []storage.Record
	err := pages(ctx, s, q, func(page storage.Page) error {
		all = append(all, page.Records...)
		return nil
	})
	return all, err
}

// maxPages is more than any listing of the suite has.
const maxPages = 5000

// pages gives each page of q to f, and checks what holds for every page.
func pages(ctx context.Context, s storage.Store, q storage.Query, f func(storage.Page) error) error {
	for range maxPages {
		page, err := s.List(ctx, q)
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if n := len(page.Records); n > q.PageSize() {
			return fmt.Errorf("a page holds %d records, the limit is %d", n, q.PageSize())
		}
		if err := f(page); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
	return fmt.Errorf("a listing has more than %d pages", maxPages)
}

// wantList fails unless q lists exactly these ids in this order.
func wantList(ctx context.Context, s storage.Store, q storage.Query, ids ...string) error {
	got, err := list(ctx, s, q)
	if err != nil {
		return err
	}
	if !slices.Equal(idsOf(got), ids) {
		return fmt.Errorf("the query (%s) gives %.512q, want %.512q", describe(q), idsOf(got), ids)
	}
	return nil
}

func describe(q storage.Query) string {
	return fmt.Sprintf("tenant %.40q, kind %.40q, parent %.40q, everywhere %v, name %.40q, prefix %.40q, labels %.80q, limit %d",
		q.Tenant, q.Kind, q.Parent, q.Everywhere, q.Name, q.Prefix, q.Labels, q.Limit)
}

func idsOf(records []storage.Record) []string {
	ids := []string{}
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// wantRecord fails unless Get and List both give the record.
func wantRecord(ctx context.Context, s storage.Store, want storage.Record) error {
	got, err := s.Get(ctx, want.Key)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	if err := same(got, want); err != nil {
		return fmt.Errorf("get: %w", err)
	}
	listed, err := list(ctx, s, storage.Query{Tenant: want.Tenant, Kind: want.Kind, Parent: want.Parent, Prefix: want.Search})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(listed, func(r storage.Record) bool { return r.Key == want.Key })
	if at < 0 {
		return fmt.Errorf("a List does not give %.80q", want.Key)
	}
	if err := same(listed[at], want); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	return nil
}

// same fails unless the records are equal but for the order of their labels.
func same(got, want storage.Record) error {
	fields := []struct {
		name string
		same bool
	}{
		{"Key", got.Key == want.Key},
		{"Parent", got.Parent == want.Parent},
		{"Name", got.Name == want.Name},
		{"Search", got.Search == want.Search},
		{"Labels", slices.Equal(got.Normal().Labels, want.Normal().Labels) && len(got.Labels) == len(want.Normal().Labels)},
		{"Revision", got.Revision == want.Revision},
		{"Updated", got.Updated.Equal(want.Normal().Updated) && got.Updated.Location() == time.UTC},
		{"Data", bytes.Equal(got.Data, want.Data)},
	}
	for _, f := range fields {
		if !f.same {
			return fmt.Errorf("%s of %.80q is not what was stored", f.name, want.Key)
		}
	}
	return nil
}

// wantError fails unless err wraps want.
func wantError(what string, err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: got error %v, want one that wraps %q", what, err, want)
	}
	return nil
}

// wantFailure fails unless changing fails at the change of this index with want, and
// leaves all records as they were.
func wantFailure(ctx context.Context, s storage.Store, index int, want error, changes ...storage.Change) error {
	return untouched(ctx, s, func() error {
		err := s.Apply(ctx, changes...)
		if err := wantError("apply", err, want); err != nil {
			return err
		}
		failed, ok := errors.AsType[*storage.ChangeError](err)
		switch {
		case !ok:
			return fmt.Errorf("apply: the error %v is not a *ChangeError", err)
		case failed.Index != index:
			return fmt.Errorf("apply: the error names change %d, want %d", failed.Index, index)
		case failed.Key != changes[index].Record.Key:
			return fmt.Errorf("apply: the error names the key %.80q, want %.80q", failed.Key, changes[index].Record.Key)
		}
		return nil
	})
}

// untouched fails if f does, or if the store holds other records afterwards.
func untouched(ctx context.Context, s storage.Store, f func() error) error {
	before, err := list(ctx, s, everything)
	if err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return wantAll(ctx, s, before)
}

// wantAll fails unless the store holds exactly these records, also by scope, name and label.
func wantAll(ctx context.Context, s storage.Store, want []storage.Record) error {
	got, err := list(ctx, s, everything)
	if err != nil {
		return err
	}
	if !slices.Equal(idsOf(got), idsOf(want)) {
		return fmt.Errorf("the store holds %.512q, want %.512q", idsOf(got), idsOf(want))
	}
	for i := range want {
		if err := same(got[i], want[i]); err != nil {
			return err
		}
		if err := wantIndexed(ctx, s, want[i]); err != nil {
			return err
		}
	}
	return nil
}

// wantIndexed fails unless the record is found in every way there is.
func wantIndexed(ctx context.Context, s storage.Store, r storage.Record) error {
	q := storage.Query{Tenant: r.Tenant, Kind: r.Kind, Parent: r.Parent}
	queries := []storage.Query{q}
	queries[0].Prefix = r.Search
	if r.Name != "" {
		q.Name = r.Name
		queries = append(queries, q)
		q.Name = ""
	}
	for _, l := range r.Labels {
		q.Labels = []storage.Label{l}
		queries = append(queries, q)
	}
	for _, q := range queries {
		found, err := list(ctx, s, q)
		if err != nil {
			return err
		}
		if !slices.Contains(idsOf(found), r.ID) {
			return fmt.Errorf("the query (%s) does not give %.80q", describe(q), r.Key)
		}
	}
	return nil
}

// all runs the steps until one fails.
func all(steps ...func() error) error {
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}
