package storage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
)

func valid() storage.Record {
	return storage.Record{Key: storage.Key{Kind: "thing", ID: "a"}, Revision: 1}
}

func TestCheckKey(t *testing.T) {
	long := strings.Repeat("x", storage.MaxKeyPart)
	for name, c := range map[string]struct {
		key  storage.Key
		want string // empty: valid
	}{
		"least":        {storage.Key{Kind: "k", ID: "i"}, ""},
		"longest":      {storage.Key{Tenant: long, Kind: long, ID: long}, ""},
		"any bytes":    {storage.Key{Tenant: "\xff", Kind: "\x01", ID: "\n"}, ""},
		"no kind":      {storage.Key{ID: "i"}, "Kind is empty"},
		"no id":        {storage.Key{Kind: "k"}, "ID is empty"},
		"long tenant":  {storage.Key{Tenant: long + "x", Kind: "k", ID: "i"}, "Tenant has 256 bytes, the most are 255"},
		"long kind":    {storage.Key{Kind: long + "x", ID: "i"}, "Kind has 256 bytes"},
		"long id":      {storage.Key{Kind: "k", ID: long + "x"}, "ID has 256 bytes"},
		"NUL in an id": {storage.Key{Kind: "k", ID: "i\x00"}, "ID holds a NUL byte"},
	} {
		t.Run(name, func(t *testing.T) {
			requireInvalid(t, storage.CheckKey(c.key), c.want)
		})
	}
}

// requireInvalid fails unless err is nil, or wraps ErrInvalid and says want.
func requireInvalid(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, storage.ErrInvalid)
	require.ErrorContains(t, err, want)
}

func TestCheckQuery(t *testing.T) {
	for name, c := range map[string]struct {
		query storage.Query
		want  string
	}{
		"least":               {storage.Query{Kind: "k"}, ""},
		"everywhere":          {storage.Query{Everywhere: true}, ""},
		"everywhere, scoped":  {storage.Query{Everywhere: true, Tenant: "t", Parent: "p", Kind: "k"}, ""},
		"any limit":           {storage.Query{Kind: "k", Limit: 1 << 40}, ""},
		"longest prefix":      {storage.Query{Kind: "k", Prefix: strings.Repeat("x", storage.MaxSearch)}, ""},
		"no kind":             {storage.Query{}, "Kind is empty"},
		"negative limit":      {storage.Query{Kind: "k", Limit: -1}, "Limit is negative"},
		"long prefix":         {storage.Query{Kind: "k", Prefix: strings.Repeat("x", storage.MaxSearch+1)}, "Prefix has 1025 bytes"},
		"everywhere by name":  {storage.Query{Everywhere: true, Name: "n"}, "Everywhere excludes"},
		"everywhere, prefix":  {storage.Query{Everywhere: true, Prefix: "p"}, "Everywhere excludes"},
		"everywhere by label": {storage.Query{Everywhere: true, Labels: make([]storage.Label, 1)}, "Everywhere excludes"},
		"many labels":         {storage.Query{Kind: "k", Labels: make([]storage.Label, storage.MaxLabels+1)}, "129 labels, the most are 128"},
	} {
		t.Run(name, func(t *testing.T) {
			requireInvalid(t, storage.CheckQuery(c.query), c.want)
		})
	}
}

func TestCheckChanges(t *testing.T) {
	old := valid()
	next := valid()
	next.Revision = 2
	for name, c := range map[string]struct {
		change storage.Change
		want   string
	}{
		"create":                {storage.Create(old), ""},
		"update":                {storage.Update(next, 1), ""},
		"delete":                {storage.Delete(old.Key, 1), ""},
		"create that expects":   {storage.Change{Action: storage.ActionCreate, Record: old, Expect: 1}, "a create expects no revision"},
		"update of nothing":     {storage.Update(next, 0), "the expected revision is not positive"},
		"delete of nothing":     {storage.Delete(old.Key, 0), "the expected revision is not positive"},
		"update that stays":     {storage.Update(old, 1), "Revision is not above the expected one"},
		"no action":             {storage.Change{Record: old}, `unknown action ""`},
		"zero revision":         {storage.Create(storage.Record{Key: old.Key}), "Revision is not positive"},
		"large data":            {storage.Create(storage.Record{Key: old.Key, Revision: 1, Data: make([]byte, storage.MaxData+1)}), "Data has 1048577 bytes"},
		"date before the years": {storage.Create(storage.Record{Key: old.Key, Revision: 1, Updated: time.Time{}.Add(-1)}), "the year of Updated"},
	} {
		t.Run(name, func(t *testing.T) {
			err := storage.CheckChanges([]storage.Change{storage.Create(storage.Record{Key: storage.Key{Kind: "k", ID: "other"}, Revision: 1}), c.change})
			requireInvalid(t, err, c.want)
			if c.want == "" {
				return
			}
			var failed *storage.ChangeError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, 1, failed.Index)
			assert.Equal(t, old.Key, failed.Key)
		})
	}
}

func TestCheckChangesTogether(t *testing.T) {
	requireInvalid(t, storage.CheckChanges(nil), "")
	requireInvalid(t, storage.CheckChanges(make([]storage.Change, storage.MaxChanges+1)), "129 changes, the most are 128")
	twice := []storage.Change{storage.Delete(valid().Key, 1), storage.Create(valid())}
	err := storage.CheckChanges(twice)
	requireInvalid(t, err, "the key is changed twice")
	assert.EqualError(t, err, `change 1 (thing "a"): invalid argument: the key is changed twice`)
}

func TestKeyForMessages(t *testing.T) {
	assert.Equal(t, `thing "a\n"`, storage.Key{Kind: "thing", ID: "a\n"}.String())
	assert.Equal(t, `thing "a" of tenant "acme"`, storage.Key{Tenant: "acme", Kind: "thing", ID: "a"}.String())
}
