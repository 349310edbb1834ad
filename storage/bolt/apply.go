package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/integrationhub/hub/storage"
)

// Apply implements storage.Store: one transaction, synced before it returns nil.
func (s *Store) Apply(ctx context.Context, changes ...storage.Change) error {
	if err := s.apply(ctx, changes); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return nil
}

func (s *Store) apply(ctx context.Context, changes []storage.Change) error {
	if err := storage.CheckChanges(changes); err != nil {
		return err
	}
	if len(changes) == 0 {
		return s.read(ctx, func(*bbolt.Tx) error { return nil })
	}
	return s.write(ctx, func(tx *bbolt.Tx) error {
		w := writer{buckets(tx)}
		for i, c := range changes {
			c.Record = c.Record.Normal()
			if err := w.change(c); err != nil {
				return &storage.ChangeError{Index: i, Key: c.Record.Key, Err: err}
			}
		}
		return nil
	})
}

// tables are the buckets of one transaction.
type tables struct {
	records, names, search, labels *bbolt.Bucket
}

func buckets(tx *bbolt.Tx) tables {
	return tables{
		records: tx.Bucket(recordBucket),
		names:   tx.Bucket(nameBucket),
		search:  tx.Bucket(searchBucket),
		labels:  tx.Bucket(labelBucket),
	}
}

// get returns the record stored under key, or ErrNotFound.
func (t tables) get(key storage.Key) (storage.Record, error) {
	b := t.records.Get(recordKey(key))
	if b == nil {
		return storage.Record{}, storage.ErrNotFound
	}
	return decode(key, b)
}

// writer makes changes in a transaction that may write.
type writer struct{ tables }

func (w writer) change(c storage.Change) error {
	if c.Action == storage.ActionCreate {
		if w.records.Get(recordKey(c.Record.Key)) != nil {
			return storage.ErrExists
		}
		return w.put(c.Record)
	}
	old, err := w.get(c.Record.Key)
	if err != nil {
		return err
	}
	if old.Revision != c.Expect {
		return storage.ErrConflict
	}
	if err := w.remove(old); err != nil || c.Action == storage.ActionDelete {
		return err
	}
	return w.put(c.Record)
}

// put stores a record whose key is free.
func (w writer) put(r storage.Record) error {
	if r.Name != "" {
		if w.names.Get(nameKey(r)) != nil {
			return storage.ErrExists
		}
		if err := w.names.Put(nameKey(r), []byte(r.ID)); err != nil {
			return err
		}
	}
	search, labels := indexKeys(r)
	if err := w.search.Put(search, nil); err != nil {
		return err
	}
	for _, l := range labels {
		if err := w.labels.Put(l, nil); err != nil {
			return err
		}
	}
	return w.records.Put(recordKey(r.Key), encode(r))
}

// remove takes a stored record out of all buckets.
func (w writer) remove(r storage.Record) error {
	if r.Name != "" {
		if err := w.names.Delete(nameKey(r)); err != nil {
			return err
		}
	}
	search, labels := indexKeys(r)
	if err := w.search.Delete(search); err != nil {
		return err
	}
	for _, l := range labels {
		if err := w.labels.Delete(l); err != nil {
			return err
		}
	}
	return w.records.Delete(recordKey(r.Key))
}
