package storage_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
)

func TestPageSize(t *testing.T) {
	for limit, want := range map[int]int{-1: 100, 0: 100, 1: 1, 999: 999, 1000: 1000, 1001: 1000} {
		assert.Equal(t, want, storage.Query{Limit: limit}.PageSize(), "limit %d", limit)
	}
}

func TestCursorOfAQuery(t *testing.T) {
	last := storage.Record{Key: storage.Key{Tenant: "t", Kind: "k", ID: "i\xff"}, Search: "pre\n"}
	bySearch := storage.Query{Tenant: "t", Kind: "k", Prefix: "pre", Labels: []storage.Label{{Key: "a"}, {Key: "b"}}}
	for name, c := range map[string]struct {
		query storage.Query
		want  storage.Position
	}{
		"search":     {bySearch, storage.Position{Search: "pre\n", ID: "i\xff"}},
		"everywhere": {storage.Query{Everywhere: true}, storage.Position{Tenant: "t", Kind: "k", ID: "i\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.query.After = c.query.Cursor(last)
			got, began, err := c.query.Position()
			require.NoError(t, err)
			assert.True(t, began)
			assert.Equal(t, c.want, got)
			c.query.Limit = 7
			_, _, err = c.query.Position()
			assert.NoError(t, err, "another limit is the same query")
		})
	}
	bySearch.After = bySearch.Cursor(last)
	bySearch.Labels = []storage.Label{{Key: "b"}, {Key: "a"}, {Key: "b"}}
	_, _, err := bySearch.Position()
	assert.NoError(t, err, "labels in another order are the same query")
}

func TestFirstPageHasNoPosition(t *testing.T) {
	p, began, err := storage.Query{Kind: "k"}.Position()
	require.NoError(t, err)
	assert.False(t, began)
	assert.Zero(t, p)
}

func TestLongestCursor(t *testing.T) {
	part := strings.Repeat("\xff", storage.MaxKeyPart)
	q := storage.Query{Kind: "k"}
	q.After = q.Cursor(storage.Record{Key: storage.Key{ID: part}, Search: strings.Repeat("\xff", storage.MaxSearch)})
	_, _, err := q.Position()
	assert.NoError(t, err)
}

// A cursor whose position lies outside the prefix would let a store start outside of it.
func TestCursorOutsideItsPrefix(t *testing.T) {
	q := storage.Query{Kind: "k", Prefix: "b"}
	q.After = q.Cursor(storage.Record{Key: storage.Key{ID: "i"}, Search: "a"})
	_, _, err := q.Position()
	assert.ErrorIs(t, err, storage.ErrInvalid)
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{
		"a": "b", "ab": "ac", "a\xff": "b", "a\xff\xff": "b", "\x00": "\x01", "\x7f": "\x80", "\xc3": "\xc4", "\xfe": "\xff", "\xfe\xff": "\xff",
	} {
		end, bounded := storage.PrefixEnd(prefix)
		assert.True(t, bounded, "%q", prefix)
		assert.Equal(t, want, end, "%q", prefix)
	}
	for _, prefix := range []string{"", "\xff", "\xff\xff"} {
		_, bounded := storage.PrefixEnd(prefix)
		assert.False(t, bounded, "%q", prefix)
	}
}

// Whatever the text, a string has the prefix exactly when it is in the range.
func FuzzPrefixEnd(f *testing.F) {
	f.Add("a", "ab")
	f.Add("a\xff", "b")
	f.Add("\xff", "\xff\xff")
	f.Add("\xc3", "\xc4")
	f.Fuzz(func(t *testing.T, prefix, s string) {
		end, bounded := storage.PrefixEnd(prefix)
		inRange := s >= prefix && (!bounded || s < end)
		if has := strings.HasPrefix(s, prefix); has != inRange {
			t.Errorf("prefix %q of %q: %v, in range: %v", prefix, s, has, inRange)
		}
	})
}

// No text makes Position panic, and what it takes is what Cursor makes.
func FuzzPosition(f *testing.F) {
	for _, q := range []storage.Query{{Kind: "k"}, {Everywhere: true}} {
		f.Add(q.Cursor(storage.Record{Key: storage.Key{Tenant: "t", Kind: "k", ID: "i"}, Search: "s"}), q.Everywhere)
	}
	f.Add("AQ", false)
	f.Fuzz(func(t *testing.T, after string, everywhere bool) {
		q := storage.Query{Kind: "k", Everywhere: everywhere, After: after}
		p, began, err := q.Position()
		if err != nil || !began {
			return
		}
		last := storage.Record{Key: storage.Key{Tenant: p.Tenant, Kind: p.Kind, ID: p.ID}, Search: p.Search}
		if again := q.Cursor(last); again != after {
			t.Errorf("a cursor was taken that Cursor does not make: %q, it makes %q", after, again)
		}
	})
}
