package storagetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/integrationhub/hub/storage"
)

func listChecks() []check {
	return []check{
		{"list-empty", "No match is an empty page, not an error", one(checkListEmpty)},
		{"list-order", "A page is ordered by search key, then id, compared as bytes", one(checkListOrder)},
		{"list-scope", "List gives the records of exactly this tenant, kind and parent, also when these are empty", one(checkListScope)},
		{"list-name", "Name selects the one record of exactly this name", one(checkListName)},
		{"list-prefix", "Prefix selects the records whose search key begins with it, as bytes", one(checkListPrefix)},
		{"list-labels", "Labels select the records that have all of them", one(checkListLabels)},
		{"list-combined", "Name, Prefix and Labels narrow one another", one(checkListCombined)},
		{"list-everywhere", "Everywhere walks all records by tenant, kind and id, of one kind if Kind is given", one(checkListEverywhere)},
	}
}

// scope is the query of the plain records.
var scope = storage.Query{Tenant: "acme", Kind: "thing"}

func checkListEmpty(ctx context.Context, s storage.Store) error {
	none := func() error {
		for _, q := range []storage.Query{
			{Kind: "other"},
			{Tenant: "acme", Kind: "thing", Name: "x"},
			{Tenant: "acme", Kind: "thing", Prefix: "x"},
			{Tenant: "acme", Kind: "thing", Labels: []storage.Label{{Key: "x", Value: "y"}}},
			{Everywhere: true, Kind: "other"},
		} {
			page, err := s.List(ctx, q)
			if err != nil || len(page.Records) != 0 || page.Next != "" {
				return fmt.Errorf("the query (%s) gives %d records, error %v, more: %v", describe(q), len(page.Records), err, page.Next != "")
			}
		}
		return nil
	}
	return all(
		none,
		func() error { return wantList(ctx, s, everything) },
		func() error { return create(ctx, s, record("a")) },
		none,
	)
}

// searches sort differently under every order but that of bytes.
var searches = []string{
	"", "\x01", " ", "!", "%", "%%", "0", "10", "9", "A", "B", "Z", "_", "a", "a\x01", "a\x7f", "aa", "ab", "a\xff", "a\xff\xff", "b",
	"z", "~", "\x7f", "\u0080", "Ä", "ä", "ö", "日本", "\U0001f600", "\xfe", "\xff", "\xff\xfe", "\xff\xff", "\xff\xffa",
}

// disorder returns a record for each search key, and some that share one, in no order.
func disorder() []storage.Record {
	var records []storage.Record
	for i, search := range searches {
		records = append(records, plain(fmt.Sprintf("%02d", (i*17+5)%len(searches)), search))
	}
	for _, id := range []string{"B", "a", "\xff", "~", "a ", "A"} {
		records = append(records, plain("same "+id, "same"))
	}
	slices.SortFunc(records, func(a, b storage.Record) int { return cmp.Compare(a.ID, b.ID) })
	return records
}

// expected returns the ids of the records that match, in the order of the contract.
func expected(records []storage.Record, match func(storage.Record) bool) []string {
	sorted := slices.Clone(records)
	slices.SortFunc(sorted, func(a, b storage.Record) int {
		return cmp.Or(cmp.Compare(a.Search, b.Search), cmp.Compare(a.ID, b.ID))
	})
	return idsOf(slices.DeleteFunc(sorted, func(r storage.Record) bool { return !match(r) }))
}

func checkListOrder(ctx context.Context, s storage.Store) error {
	records := disorder()
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	any := func(storage.Record) bool { return true }
	if err := wantList(ctx, s, scope, expected(records, any)...); err != nil {
		return err
	}
	for i := range records { // the other way round
		records[i].Search = searches[len(searches)-1-i%len(searches)]
		records[i].Revision = 2
		if err := s.Apply(ctx, storage.Update(records[i], 1)); err != nil {
			return err
		}
	}
	return wantList(ctx, s, scope, expected(records, any)...)
}

func checkListScope(ctx context.Context, s storage.Store) error {
	for _, tenant := range []string{"", "acme", "acm", "acme "} {
		for _, kind := range []string{"thing", "thin", "things"} {
			for _, parent := range []string{"", "p", "P"} {
				r := storage.Record{Key: storage.Key{Tenant: tenant, Kind: kind, ID: tenant + "/" + kind + "/" + parent}, Parent: parent, Revision: 1}
				if err := create(ctx, s, r); err != nil {
					return err
				}
			}
		}
	}
	for _, q := range []storage.Query{
		{Kind: "thing"},
		{Tenant: "acme", Kind: "thing"},
		{Tenant: "acme", Kind: "thing", Parent: "p"},
		{Tenant: "acme ", Kind: "things", Parent: "P"},
	} {
		if err := wantList(ctx, s, q, q.Tenant+"/"+q.Kind+"/"+q.Parent); err != nil {
			return err
		}
	}
	return wantList(ctx, s, storage.Query{Tenant: "ac", Kind: "thing"})
}

func checkListName(ctx context.Context, s storage.Store) error {
	other := record("c", named("x"), func(r *storage.Record) { r.Parent = "box" })
	if err := create(ctx, s, record("a", named("x")), record("b", named("xx")), other, record("d", named(""))); err != nil {
		return err
	}
	for name, ids := range map[string][]string{"x": {"a"}, "xx": {"b"}, "X": nil, "xxx": nil, "x ": nil, "": {"a", "b", "d"}} {
		q := storage.Query{Tenant: "acme", Kind: "thing", Parent: "shelf", Name: name}
		if err := wantList(ctx, s, q, ids...); err != nil {
			return err
		}
	}
	return nil
}

func checkListPrefix(ctx context.Context, s storage.Store) error {
	records := disorder()
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	prefixes := append([]string{"s", "same", "samee", "%a", "_a", "*", "a%", "a_", "\xc3", "\xe6\x97", "\xff\xff\xff", "\xfd"}, searches...)
	for _, prefix := range prefixes {
		q := scope
		q.Prefix = prefix
		want := expected(records, func(r storage.Record) bool { return strings.HasPrefix(r.Search, prefix) })
		for _, q.Limit = range []int{0, 1} {
			if err := wantList(ctx, s, q, want...); err != nil {
				return err
			}
		}
	}
	return nil
}

// labelled returns 64 records; record n has the label "bit i" for each bit i of n, and
// another value of the same key for each bit it has not.
func labelled() []storage.Record {
	var records []storage.Record
	for n := range 64 {
		r := plain(fmt.Sprintf("%02d", n), fmt.Sprintf("%c%02d", 'a'+n%3, n))
		r.Name = fmt.Sprint("n", n)
		for i := range 6 {
			r.Labels = append(r.Labels, bit(i, n>>i&1 == 1))
		}
		records = append(records, r)
	}
	return records
}

func bit(i int, set bool) storage.Label {
	return storage.Label{Key: fmt.Sprint("bit ", i), Value: fmt.Sprint(set)}
}

func hasAll(r storage.Record, labels []storage.Label) bool {
	return !slices.ContainsFunc(labels, func(l storage.Label) bool { return !slices.Contains(r.Labels, l) })
}

func checkListLabels(ctx context.Context, s storage.Store) error {
	records := labelled()
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	other := record("other scope", func(r *storage.Record) { r.Labels = records[63].Labels })
	if err := create(ctx, s, other); err != nil {
		return err
	}
	for _, labels := range [][]storage.Label{
		{bit(0, true)},
		{bit(5, false), bit(0, true)},
		{bit(1, true), bit(2, true), bit(3, false)},
		records[42].Labels,
		{bit(0, true), bit(0, false)},
		{{Key: "bit 0", Value: ""}},
		{{Key: "BIT 0", Value: "true"}},
		{{Key: "true", Value: "bit 0"}},
		slices.Repeat([]storage.Label{bit(3, true)}, storage.MaxLabels),
	} {
		q := scope
		q.Labels = labels
		want := expected(records, func(r storage.Record) bool { return hasAll(r, labels) })
		for _, q.Limit = range []int{0, 3} {
			if err := wantList(ctx, s, q, want...); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkListCombined(ctx context.Context, s storage.Store) error {
	records := labelled()
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	for _, prefix := range []string{"", "a", "b2", "c\xff"} {
		for _, labels := range [][]storage.Label{nil, {bit(0, true)}, {bit(1, false), bit(4, true)}} {
			for _, name := range []string{"", "n4", "n21", "n63"} {
				q := storage.Query{Tenant: "acme", Kind: "thing", Name: name, Prefix: prefix, Labels: labels, Limit: 4}
				want := expected(records, func(r storage.Record) bool {
					return strings.HasPrefix(r.Search, prefix) && hasAll(r, labels) && (name == "" || r.Name == name)
				})
				if err := wantList(ctx, s, q, want...); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func checkListEverywhere(ctx context.Context, s storage.Store) error {
	var records []storage.Record
	for _, tenant := range []string{"b", "", "a", "B", "\xff", "a\xff"} {
		for _, kind := range []string{"y", "x", "X", "x\xff"} {
			for _, id := range []string{"2", "1", "10", "\xff"} {
				records = append(records, storage.Record{
					Key: storage.Key{Tenant: tenant, Kind: kind, ID: id}, Parent: "p" + id, Search: id + kind, Revision: 1,
				})
			}
		}
	}
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	slices.SortFunc(records, func(a, b storage.Record) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	ofX := slices.DeleteFunc(slices.Clone(records), func(r storage.Record) bool { return r.Kind != "x" })
	for _, limit := range []int{0, 1, 7} {
		q := storage.Query{Everywhere: true, Tenant: "b", Parent: "disregarded", Limit: limit}
		if err := wantKeys(ctx, s, q, records); err != nil {
			return err
		}
		q.Kind = "x"
		if err := wantKeys(ctx, s, q, ofX); err != nil {
			return err
		}
	}
	return nil
}

// wantKeys fails unless q lists exactly these records in this order.
func wantKeys(ctx context.Context, s storage.Store, q storage.Query, want []storage.Record) error {
	got, err := list(ctx, s, q)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(got, want, func(a, b storage.Record) bool { return a.Key == b.Key }) {
		return fmt.Errorf("the query (%s) gives %d records, want %d, or another order", describe(q), len(got), len(want))
	}
	return nil
}
