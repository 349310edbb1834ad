package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/integrationhub/hub/storage"
)

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key storage.Key) (r storage.Record, err error) {
	err = storage.CheckKey(key)
	if err == nil {
		err = s.read(ctx, func(tx *bbolt.Tx) error {
			r, err = buckets(tx).get(key)
			return err
		})
	}
	if err != nil {
		return storage.Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	return r, nil
}

// List implements storage.Store. It reads a bucket in the order of the page, from the page's
// beginning on.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	l, err := newListing(ctx, q)
	if err == nil {
		err = s.read(ctx, func(tx *bbolt.Tx) error { return l.fill(buckets(tx)) })
	}
	if err != nil {
		return storage.Page{}, fmt.Errorf("list %.64q: %w", q.Kind, err)
	}
	return l.page, nil
}

// listing is a page in the making.
type listing struct {
	ctx   context.Context
	q     storage.Query
	after storage.Position
	began bool
	bytes int
	page  storage.Page
}

func newListing(ctx context.Context, q storage.Query) (l *listing, err error) {
	if err := storage.CheckQuery(q); err != nil {
		return nil, err
	}
	l = &listing{ctx: ctx, q: q}
	l.after, l.began, err = q.Position()
	return l, err
}

// errFull ends the reading of a page.
var errFull = errors.New("the page is full")

func (l *listing) fill(t tables) (err error) {
	switch {
	case l.q.Everywhere:
		err = l.everywhere(t)
	case l.q.Name != "":
		err = l.byName(t)
	case len(l.q.Labels) > 0:
		first := l.q.Labels[0]
		err = l.byIndex(t, t.labels, join(l.q.Tenant, l.q.Kind, l.q.Parent, first.Key, first.Value, ""))
	default:
		err = l.byIndex(t, t.search, join(l.q.Tenant, l.q.Kind, l.q.Parent, ""))
	}
	if err == errFull {
		return nil
	}
	return err
}

// everywhere walks the records. Those of another kind are leapt over, not read.
func (l *listing) everywhere(t tables) error {
	var from []byte
	if l.began {
		from = append(join(l.after.Tenant, l.after.Kind, l.after.ID), separator...)
	}
	c := t.records.Cursor()
	for k, v := c.Seek(from); k != nil; {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		key, ok := cutKey(k)
		if !ok {
			return errDamaged
		}
		if l.q.Kind != "" && key.Kind != l.q.Kind {
			k, v = c.Seek(leap(key, l.q.Kind))
			continue
		}
		r, err := decode(key, v)
		if err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		if err := l.add(r); err != nil {
			return err
		}
		k, v = c.Next()
	}
	return nil
}

func cutKey(k []byte) (storage.Key, bool) {
	parts := strings.Split(string(k), separator)
	if len(parts) != 3 {
		return storage.Key{}, false
	}
	return storage.Key{Tenant: parts[0], Kind: parts[1], ID: parts[2]}, true
}

// leap returns where the next record of the kind may be, after a record of another kind:
// in the same tenant or, if the kind is behind already, in the next.
func leap(k storage.Key, kind string) []byte {
	if k.Kind < kind {
		return join(k.Tenant, kind, "")
	}
	return []byte(k.Tenant + "\x01")
}

func (l *listing) byName(t tables) error {
	id := t.names.Get(join(l.q.Tenant, l.q.Kind, l.q.Parent, l.q.Name))
	if id == nil {
		return nil
	}
	r, err := l.pointedAt(t, string(id))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(r.Search, l.q.Prefix) || !l.follows(r) || !hasAll(r, l.q.Labels) {
		return nil
	}
	return l.add(r)
}

// follows reports whether r comes after the pages before.
func (l *listing) follows(r storage.Record) bool {
	return !l.began || r.Search > l.after.Search || r.Search == l.after.Search && r.ID > l.after.ID
}

// byIndex reads a bucket whose keys are scope, search and id.
func (l *listing) byIndex(t tables, index *bbolt.Bucket, scope []byte) error {
	within := append(bytes.Clone(scope), l.q.Prefix...)
	from := within
	if l.began {
		from = append(append(bytes.Clone(scope), join(l.after.Search, l.after.ID)...), separator...)
	}
	c := index.Cursor()
	for k, _ := c.Seek(from); bytes.HasPrefix(k, within); k, _ = c.Next() {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		id := string(k[bytes.LastIndexByte(k, separator[0])+1:])
		r, err := l.pointedAt(t, id)
		if err != nil {
			return err
		}
		if !hasAll(r, l.q.Labels) {
			continue
		}
		if err := l.add(r); err != nil {
			return err
		}
	}
	return nil
}

// pointedAt returns the record that an entry of another bucket leads to.
func (l *listing) pointedAt(t tables, id string) (storage.Record, error) {
	key := storage.Key{Tenant: l.q.Tenant, Kind: l.q.Kind, ID: id}
	r, err := t.get(key)
	if errors.Is(err, storage.ErrNotFound) {
		err = errDamaged // an entry and its record come and go together
	}
	if err != nil {
		return r, fmt.Errorf("read %s: %w", key, err)
	}
	return r, nil
}

func hasAll(r storage.Record, labels []storage.Label) bool {
	for _, l := range labels {
		if !slices.Contains(r.Labels, l) {
			return false
		}
	}
	return true
}

// add appends r to the page, unless the page is full: then it has a next one.
func (l *listing) add(r storage.Record) error {
	if n := len(l.page.Records); n == l.q.PageSize() || l.bytes > storage.MaxPageBytes {
		l.page.Next = l.q.Cursor(l.page.Records[n-1])
		return errFull
	}
	l.page.Records = append(l.page.Records, r)
	l.bytes += len(r.Data)
	return nil
}
