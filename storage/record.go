package storage

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// Normal returns a copy of r as a store keeps it: labels sorted and each once, Updated in
// UTC and cut to the microsecond, empty Data as nil. The copy shares no memory with r.
func (r Record) Normal() Record {
	r.Labels = NormalLabels(r.Labels)
	r.Updated = r.Updated.UTC().Truncate(time.Microsecond)
	r.Data = bytes.Clone(r.Data)
	if len(r.Data) == 0 {
		r.Data = nil
	}
	return r
}

// NormalLabels returns the labels as a store keeps them: sorted, each once, in a new slice.
func NormalLabels(labels []Label) []Label {
	if len(labels) == 0 {
		return nil
	}
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, compareLabels)
	return slices.Compact(sorted)
}

func compareLabels(a, b Label) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
}
