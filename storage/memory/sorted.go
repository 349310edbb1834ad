package memory

import (
	"cmp"
	"slices"

	"github.com/integrationhub/hub/storage"
)

// sorted holds records ordered by Search, then ID.
type sorted []*storage.Record

func compare(r *storage.Record, search, id string) int {
	return cmp.Or(cmp.Compare(r.Search, search), cmp.Compare(r.ID, id))
}

// index returns where the first record is that is not below (search, id).
func (l sorted) index(search, id string) int {
	at, _ := slices.BinarySearchFunc(l, id, func(r *storage.Record, id string) int {
		return compare(r, search, id)
	})
	return at
}

// with and without work in place: only the holder of the write lock calls them.
func (l sorted) with(r *storage.Record) sorted {
	return slices.Insert(l, l.index(r.Search, r.ID), r)
}

func (l sorted) without(r *storage.Record) sorted {
	at := l.index(r.Search, r.ID)
	return slices.Delete(l, at, at+1)
}

// from returns the part that is not below search.
func (l sorted) from(search string) sorted {
	return l[l.index(search, ""):]
}

// after returns the part above (search, id).
func (l sorted) after(search, id string) sorted {
	at := l.index(search, id)
	if at < len(l) && compare(l[at], search, id) == 0 {
		at++
	}
	return l[at:]
}

// below returns the part below everything that is above the prefix.
func (l sorted) below(prefix string) sorted {
	end, bounded := storage.PrefixEnd(prefix)
	if !bounded {
		return l
	}
	return l[:l.index(end, "")]
}
