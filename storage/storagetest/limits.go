package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/integrationhub/hub/storage"
)

func limitChecks() []check {
	return []check{
		{"limits-kept", "A store keeps everything within the limits unchanged", one(checkLimitsKept)},
		{"limits-refused", "A store refuses with ErrInvalid what exceeds the limits", one(checkLimitsRefused)},
		{"keys-refused", "Kind and ID may not be empty", one(checkKeysRefused)},
		{"queries-refused", "List refuses with ErrInvalid a query that exceeds the limits or contradicts itself", one(checkQueriesRefused)},
		{"most-changes", "Apply takes MaxChanges changes and refuses more", one(checkMostChanges)},
	}
}

func long(n int) string { return strings.Repeat("\xff", n) }

func manyLabels(n int) []storage.Label {
	labels := make([]storage.Label, n)
	for i := range labels {
		text := fmt.Sprintf("%04d", i) + long(storage.MaxKeyPart-4)
		labels[i] = storage.Label{Key: text, Value: text}
	}
	return labels
}

func largest() storage.Record {
	part := long(storage.MaxKeyPart)
	return storage.Record{
		Key:      storage.Key{Tenant: part, Kind: part, ID: part},
		Parent:   part,
		Name:     part,
		Search:   long(storage.MaxSearch),
		Labels:   manyLabels(storage.MaxLabels),
		Revision: 1<<63 - 1,
		Updated:  start,
		Data:     bytes.Repeat([]byte{0, 255}, storage.MaxData/2),
	}
}

func checkLimitsKept(ctx context.Context, s storage.Store) error {
	r := largest()
	if err := create(ctx, s, r); err != nil {
		return err
	}
	if err := wantRecord(ctx, s, r); err != nil {
		return err
	}
	q := storage.Query{Tenant: r.Tenant, Kind: r.Kind, Parent: r.Parent, Name: r.Name, Prefix: r.Search, Labels: r.Labels}
	return wantList(ctx, s, q, r.ID)
}

// edits that take a record just outside the contract, by what is wrong.
var excesses = map[string]func(*storage.Record){
	"long Tenant":      func(r *storage.Record) { r.Tenant = long(storage.MaxKeyPart + 1) },
	"long Kind":        func(r *storage.Record) { r.Kind = long(storage.MaxKeyPart + 1) },
	"long ID":          func(r *storage.Record) { r.ID = long(storage.MaxKeyPart + 1) },
	"long Parent":      func(r *storage.Record) { r.Parent = long(storage.MaxKeyPart + 1) },
	"long Name":        func(r *storage.Record) { r.Name = long(storage.MaxKeyPart + 1) },
	"long Search":      func(r *storage.Record) { r.Search = long(storage.MaxSearch + 1) },
	"long label key":   func(r *storage.Record) { r.Labels = []storage.Label{{Key: long(storage.MaxKeyPart + 1)}} },
	"long label value": func(r *storage.Record) { r.Labels = []storage.Label{{Value: long(storage.MaxKeyPart + 1)}} },
	"many labels":      func(r *storage.Record) { r.Labels = manyLabels(storage.MaxLabels + 1) },
	"large Data":       func(r *storage.Record) { r.Data = make([]byte, storage.MaxData+1) },
	"zero Revision":    func(r *storage.Record) { r.Revision = 0 },
	"low Revision":     func(r *storage.Record) { r.Revision = -1 },
	"empty Kind":       func(r *storage.Record) { r.Kind = "" },
	"empty ID":         func(r *storage.Record) { r.ID = "" },
	"NUL in Tenant":    func(r *storage.Record) { r.Tenant = "a\x00" },
	"NUL in Kind":      func(r *storage.Record) { r.Kind = "a\x00" },
	"NUL in ID":        func(r *storage.Record) { r.ID = "a\x00" },
	"NUL in Parent":    func(r *storage.Record) { r.Parent = "\x00" },
	"NUL in Name":      func(r *storage.Record) { r.Name = "a\x00b" },
	"NUL in Search":    func(r *storage.Record) { r.Search = "a\x00b" },
	"NUL in a label":   func(r *storage.Record) { r.Labels = []storage.Label{{Key: "a", Value: "a\x00"}} },
	"year 0":           func(r *storage.Record) { r.Updated = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) },
	"year 10000":       func(r *storage.Record) { r.Updated = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
}

func checkLimitsRefused(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	for name, excess := range excesses {
		bad := record("bad", excess)
		if err := wantFailure(ctx, s, 1, storage.ErrInvalid, storage.Create(record("good")), storage.Create(bad)); err != nil {
			return fmt.Errorf("create with %s: %w", name, err)
		}
		bad = record("a", func(r *storage.Record) { r.Revision = 2 }, excess)
		if err := wantFailure(ctx, s, 0, storage.ErrInvalid, storage.Update(bad, 1)); err != nil {
			return fmt.Errorf("update with %s: %w", name, err)
		}
	}
	odd := storage.Change{Action: "replace", Record: record("b")}
	return wantFailure(ctx, s, 0, storage.ErrInvalid, odd)
}

func checkKeysRefused(ctx context.Context, s storage.Store) error {
	for _, k := range []storage.Key{
		{}, {Kind: "thing"}, {ID: "a"}, {Kind: "thing", ID: "\x00"},
		{Kind: "thing", ID: long(storage.MaxKeyPart + 1)},
	} {
		_, err := s.Get(ctx, k)
		if err := wantError("get", err, storage.ErrInvalid); err != nil {
			return err
		}
		if err := wantFailure(ctx, s, 0, storage.ErrInvalid, storage.Delete(k, 1)); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
	}
	return nil
}

func checkQueriesRefused(ctx context.Context, s storage.Store) error {
	for _, q := range []storage.Query{
		{},
		{Kind: "thing", Limit: -1},
		{Kind: long(storage.MaxKeyPart + 1)},
		{Kind: "thing", Tenant: long(storage.MaxKeyPart + 1)},
		{Kind: "thing", Parent: long(storage.MaxKeyPart + 1)},
		{Kind: "thing", Name: long(storage.MaxKeyPart + 1)},
		{Kind: "thing", Prefix: long(storage.MaxSearch + 1)},
		{Kind: "thing", Prefix: "a\x00"},
		{Kind: "thing", Labels: manyLabels(storage.MaxLabels + 1)},
		{Kind: "thing", Labels: []storage.Label{{Key: long(storage.MaxKeyPart + 1)}}},
		{Everywhere: true, Name: "a"},
		{Everywhere: true, Prefix: "a"},
		{Everywhere: true, Labels: []storage.Label{{Key: "a", Value: "b"}}},
	} {
		_, err := s.List(ctx, q)
		if err := wantError("list", err, storage.ErrInvalid); err != nil {
			return fmt.Errorf("%s: %w", describe(q), err)
		}
	}
	return nil
}

func checkMostChanges(ctx context.Context, s storage.Store) error {
	var changes []storage.Change
	for i := range storage.MaxChanges + 1 {
		changes = append(changes, storage.Create(record(fmt.Sprint("r", i))))
	}
	err := untouched(ctx, s, func() error {
		return wantError("apply", s.Apply(ctx, changes...), storage.ErrInvalid)
	})
	if err != nil {
		return err
	}
	if err := s.Apply(ctx, changes[:storage.MaxChanges]...); err != nil {
		return fmt.Errorf("an Apply of MaxChanges: %w", err)
	}
	got, err := list(ctx, s, everything)
	if err == nil && len(got) != storage.MaxChanges {
		err = fmt.Errorf("%d records are stored, want %d", len(got), storage.MaxChanges)
	}
	return err
}
