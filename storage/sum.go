package storage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
)

// Summary tells two collections of records apart.
type Summary struct {
	Records int64
	Bytes   int64    // of Data, of all records together
	Digest  [32]byte // SHA-256 over every field of all records, by tenant, kind and id
}

// Sum reads all records of a store and returns their summary: two stores with equal
// summaries hold the same. It describes one moment only if nobody writes meanwhile.
func Sum(ctx context.Context, s Store) (Summary, error) {
	total, err := sum(ctx, walk{store: s, what: "the store"}, func() {})
	if err != nil {
		return Summary{}, fmt.Errorf("sum: %w", err)
	}
	return total, nil
}

// sum sums up all that w reads, and calls each once for every record.
func sum(ctx context.Context, w walk, each func()) (Summary, error) {
	total := newSummer()
	for {
		r, err := w.peek(ctx)
		if err != nil {
			return Summary{}, err
		}
		if r == nil {
			return total.summary(), nil
		}
		total.add(*r)
		w.advance()
		each()
	}
}

// summer sums up records that come in the order of their keys.
type summer struct {
	so   Summary
	hash hash.Hash
	text []byte // reused
}

func newSummer() *summer { return &summer{hash: sha256.New()} }

func (s *summer) add(r Record) {
	s.so.Records++
	s.so.Bytes += int64(len(r.Data))
	s.text = appendRecord(s.text[:0], r.Normal())
	s.hash.Write(s.text)
}

func (s *summer) summary() Summary {
	s.hash.Sum(s.so.Digest[:0])
	return s.so
}

// appendRecord appends all fields of a normal record; no two records give the same bytes.
func appendRecord(b []byte, r Record) []byte {
	for _, part := range []string{r.Tenant, r.Kind, r.ID, r.Parent, r.Name, r.Search} {
		b = appendText(b, part)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Labels)))
	for _, l := range r.Labels {
		b = appendText(appendText(b, l.Key), l.Value)
	}
	b = binary.AppendVarint(b, r.Revision)
	b = binary.AppendVarint(b, r.Updated.UnixMicro())
	b = binary.AppendUvarint(b, uint64(len(r.Data)))
	return append(b, r.Data...)
}

// walk reads all records of a store, one after the other, by tenant, kind and id.
type walk struct {
	store Store
	what  string // names the store in errors
	page  Page
	began bool
}

// peek returns the record that is next, nil after the last.
func (w *walk) peek(ctx context.Context) (*Record, error) {
	for len(w.page.Records) == 0 {
		if w.began && w.page.Next == "" {
			return nil, nil
		}
		page, err := w.store.List(ctx, Query{Everywhere: true, Limit: MaxPage, After: w.page.Next})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", w.what, err)
		}
		w.page, w.began = page, true
	}
	return &w.page.Records[0], nil
}

// advance passes the record that peek returned.
func (w *walk) advance() { w.page.Records = w.page.Records[1:] }
