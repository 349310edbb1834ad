package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/integrationhub/hub/storage"
)

func recordChecks() []check {
	return []check{
		{"get", "Get returns the record stored under key, every field as it was stored", one(checkGet)},
		{"get-missing", "Get returns ErrNotFound if tenant, kind or id differ", one(checkGetMissing)},
		{"empty-fields", "All of a record but kind, id and revision may be empty, and any number of records may have no name", one(checkEmptyFields)},
		{"odd-strings", "Strings hold any bytes but NUL and come back unchanged", one(checkOddStrings)},
		{"no-folding", "Strings are compared as bytes: no case folding, no normalisation, no trimming", one(checkNoFolding)},
		{"unicode", "Strings of every category of Unicode are kept apart and in the order of their bytes, case twins and trailing spaces included", one(checkUnicode)},
		{"updated", "Updated is kept to the microsecond, in UTC", one(checkUpdated)},
		{"labels-are-a-set", "The order of labels does not matter; a label given twice is kept once", one(checkLabelSet)},
		{"data", "Data is opaque; nil and empty are the same", one(checkData)},
		{"bytes-in", "Slices are copied on the way in: the store does not see the caller's later writes", one(checkBytesIn)},
		{"bytes-out", "Slices are copied on the way out: callers do not see each other's writes", one(checkBytesOut)},
	}
}

func checkGet(ctx context.Context, s storage.Store) error {
	r := record("a")
	if err := create(ctx, s, r, record("b")); err != nil {
		return err
	}
	return wantRecord(ctx, s, r)
}

func checkGetMissing(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	for _, k := range []storage.Key{
		{Tenant: "acme", Kind: "thing", ID: "b"},
		{Tenant: "acme", Kind: "other", ID: "a"},
		{Tenant: "other", Kind: "thing", ID: "a"},
		{Kind: "thing", ID: "a"},
	} {
		_, err := s.Get(ctx, k)
		if err := wantError("get", err, storage.ErrNotFound); err != nil {
			return err
		}
	}
	return nil
}

func checkEmptyFields(ctx context.Context, s storage.Store) error {
	for _, id := range []string{"a", "b", "c"} {
		r := storage.Record{Key: storage.Key{Kind: "thing", ID: id}, Revision: 1}
		if err := create(ctx, s, r); err != nil {
			return err
		}
		if err := wantRecord(ctx, s, r); err != nil {
			return err
		}
	}
	return wantList(ctx, s, storage.Query{Kind: "thing"}, "a", "b", "c")
}

// oddStrings look like something else to a store that does more than compare bytes.
var oddStrings = []string{
	" ", "  lead", "trail ", "\t", "\n", "a\r\nb", "'", "''", `"`, "`", `\`, `\\`, `\'`, "%", "_", "*", "?", "[a-z]",
	"$1", "?1", ":name", "@x", "--", "/*", "; DROP TABLE records", "' OR '1'='1", "null", "NULL", "nil", "0", "00", "1e3",
	"0x10", "true", "{}", "[]", "<b>", "${x}", "../..", "a/b", "a:b", "a,b", "a|b", "a\x01b", "\x1f", "\x7f", "\u0080",
	"é", "e\u0301", "ß", "ﬁ", "İ", "ı", "Ω", "日本語", "עברית", "\u202eabc", "\u200b", "\ufeff", "\u2028", "👩‍👩‍👧", "𝒳", "\U0010ffff",
	"\xff", "\xfe\xff", "a\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
}

func checkOddStrings(ctx context.Context, s storage.Store) error {
	var records []storage.Record
	for _, odd := range oddStrings {
		records = append(records, storage.Record{
			Key:      storage.Key{Tenant: odd, Kind: odd, ID: odd},
			Parent:   odd,
			Name:     odd,
			Search:   odd,
			Labels:   []storage.Label{{Key: odd, Value: odd}, {Key: "", Value: odd}, {Key: odd, Value: ""}},
			Revision: 1,
			Updated:  start,
			Data:     []byte(odd),
		})
	}
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	for _, r := range records {
		if err := wantRecord(ctx, s, r); err != nil {
			return err
		}
		if err := wantIndexed(ctx, s, r); err != nil {
			return err
		}
	}
	return nil
}

// twins are strings that only a comparison of bytes tells apart.
var twins = []string{
	"name", "Name", "NAME", "name ", " name", "name\t", "namé", "name\u0301", "name\u200b", "ｎame", "name\xff", "name\x01",
	"ı", "i", "I", "İ", "ss", "ß", "ẞ", "K", "\u212a", "1", "01", "1.0",
}

func checkNoFolding(ctx context.Context, s storage.Store) error {
	distinct := map[string]bool{}
	for _, twin := range twins {
		distinct[twin] = true
		r := record(twin, func(r *storage.Record) {
			r.Name, r.Search, r.Data = twin, twin, []byte(twin)
			r.Labels = []storage.Label{{Key: "k" + twin, Value: twin}}
		})
		if err := create(ctx, s, r); err != nil {
			return fmt.Errorf("%q beside its twins: %w", twin, err)
		}
	}
	q := storage.Query{Tenant: "acme", Kind: "thing", Parent: "shelf"}
	for twin := range distinct {
		if r, err := s.Get(ctx, key(twin)); err != nil || string(r.Data) != twin {
			return fmt.Errorf("a Get of %q gives another record or error %v", twin, err)
		}
		byName, byLabel := q, q
		byName.Name = twin
		byLabel.Labels = []storage.Label{{Key: "k" + twin, Value: twin}}
		for _, q := range []storage.Query{byName, byLabel} {
			if err := wantList(ctx, s, q, twin); err != nil {
				return err
			}
		}
		if err := wantPrefix(ctx, s, q, twin, distinct); err != nil {
			return err
		}
	}
	return nil
}

// wantPrefix fails unless the prefix lists as many as have it.
func wantPrefix(ctx context.Context, s storage.Store, q storage.Query, prefix string, all map[string]bool) error {
	q.Prefix = prefix
	found, err := list(ctx, s, q)
	if err != nil {
		return err
	}
	want := 0
	for one := range all {
		if strings.HasPrefix(one, prefix) {
			want++
		}
	}
	if len(found) != want {
		return fmt.Errorf("the prefix %q lists %d records, want %d", prefix, len(found), want)
	}
	return nil
}

func checkUpdated(ctx context.Context, s storage.Store) error {
	east := time.FixedZone("east", 5*3600+1800)
	for i, at := range []time.Time{
		start,
		{},
		time.Unix(0, 0),
		time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2026, 3, 4, 5, 6, 7, 123456789, east),
		time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Now(),
	} {
		r := record(fmt.Sprint("r", i), func(r *storage.Record) { r.Updated = at })
		if err := create(ctx, s, r); err != nil {
			return err
		}
		if err := wantRecord(ctx, s, r); err != nil {
			return fmt.Errorf("%v: %w", at, err)
		}
	}
	return nil
}

func checkLabelSet(ctx context.Context, s storage.Store) error {
	red, nine := storage.Label{Key: "color", Value: "red"}, storage.Label{Key: "size", Value: "9"}
	r := record("a", func(r *storage.Record) { r.Labels = []storage.Label{nine, red, nine, red, red} })
	if err := create(ctx, s, r); err != nil {
		return err
	}
	if err := wantRecord(ctx, s, r); err != nil {
		return err
	}
	q := storage.Query{Tenant: "acme", Kind: "thing", Parent: "shelf", Labels: []storage.Label{red, nine, red}}
	return wantList(ctx, s, q, "a")
}

func checkData(ctx context.Context, s storage.Store) error {
	var everyByte []byte
	for i := range 256 {
		everyByte = append(everyByte, byte(i))
	}
	for i, data := range [][]byte{nil, {}, {0}, everyByte, bytes.Repeat([]byte{0}, 4096), []byte("\xff\xfe'\\x00\\")} {
		r := record(fmt.Sprint("r", i), func(r *storage.Record) { r.Data = data })
		if err := create(ctx, s, r); err != nil {
			return err
		}
		if err := wantRecord(ctx, s, r); err != nil {
			return err
		}
	}
	return nil
}

func checkBytesIn(ctx context.Context, s storage.Store) error {
	r, sent := record("a"), record("a")
	changes := []storage.Change{storage.Create(sent)}
	if err := s.Apply(ctx, changes...); err != nil {
		return err
	}
	scribble(sent)
	changes[0] = storage.Change{}
	if err := wantRecord(ctx, s, r); err != nil {
		return err
	}
	r.Revision, sent = 2, record("a", func(r *storage.Record) { r.Revision = 2 })
	if err := s.Apply(ctx, storage.Update(sent, 1)); err != nil {
		return err
	}
	scribble(sent)
	return wantRecord(ctx, s, r)
}

func checkBytesOut(ctx context.Context, s storage.Store) error {
	r := record("a")
	if err := create(ctx, s, r); err != nil {
		return err
	}
	got, err := s.Get(ctx, r.Key)
	if err != nil {
		return err
	}
	scribble(got)
	listed, err := list(ctx, s, everything)
	if err != nil {
		return err
	}
	for _, one := range listed {
		scribble(one)
	}
	return wantRecord(ctx, s, r)
}

// scribble writes over the memory that a record refers to.
func scribble(r storage.Record) {
	for i := range r.Data {
		r.Data[i] = '!'
	}
	for i := range r.Labels {
		r.Labels[i] = storage.Label{Key: "!", Value: "!"}
	}
}
