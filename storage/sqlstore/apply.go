package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/integrationhub/hub/storage"
)

// Apply implements storage.Store: one transaction, committed before it returns nil.
func (s *Store) Apply(ctx context.Context, changes ...storage.Change) error {
	if err := s.apply(ctx, changes); err != nil {
		return fmt.Errorf("apply: %w", told(ctx, err))
	}
	return nil
}

func (s *Store) apply(ctx context.Context, changes []storage.Change) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	if err := storage.CheckChanges(changes); err != nil {
		return err
	}
	if len(changes) == 0 {
		return ctx.Err()
	}
	return s.write(ctx, func(ctx context.Context, on executor) error {
		return s.changeAll(ctx, on, changes)
	})
}

// changeAll makes the changes in a transaction that the caller commits or, after an error,
// takes back.
func (s *Store) changeAll(ctx context.Context, on executor, changes []storage.Change) error {
	if err := s.reserve(ctx, on, changes); err != nil {
		return err
	}
	for i, c := range changes {
		c.Record = c.Record.Normal()
		if err := s.change(ctx, on, c); err != nil {
			return &storage.ChangeError{Index: i, Key: c.Record.Key, Err: err}
		}
	}
	return nil
}

func (s *Store) change(ctx context.Context, on executor, c storage.Change) error {
	r := c.Record
	switch c.Action {
	case storage.ActionCreate:
		if err := s.create(ctx, on, r); err != nil {
			return err
		}
		return s.addLabels(ctx, on, r)
	case storage.ActionUpdate:
		if err := s.update(ctx, on, r, c.Expect); err != nil {
			return err
		}
		if err := s.dropLabels(ctx, on, r.Key); err != nil {
			return err
		}
		return s.addLabels(ctx, on, r)
	default:
		if err := s.delete(ctx, on, r.Key, c.Expect); err != nil {
			return err
		}
		return s.dropLabels(ctx, on, r.Key)
	}
}

func (s *Store) create(ctx context.Context, on executor, r storage.Record) error {
	_, err := s.statement().add(`INSERT INTO {p}records`+
		` (tenant, kind, id, parent, name, search, revision, updated, labels, data)`+
		` VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(keyValues(r.Key), values(r)...)...).exec(ctx, on)
	return s.classify(err)
}

func (s *Store) update(ctx context.Context, on executor, r storage.Record, expect int64) error {
	return s.expecting(ctx, on, r.Key, expect, s.statement().
		add(`UPDATE {p}records SET parent = ?, name = ?, search = ?, revision = ?, updated = ?, labels = ?, data = ?`,
			values(r)...).
		add(` WHERE tenant = ? AND kind = ? AND id = ? AND revision = ?`, append(keyValues(r.Key), expect)...))
}

func (s *Store) delete(ctx context.Context, on executor, key storage.Key, expect int64) error {
	return s.expecting(ctx, on, key, expect, s.statement().
		add(`DELETE FROM {p}records WHERE tenant = ? AND kind = ? AND id = ? AND revision = ?`,
			append(keyValues(key), expect)...))
}

// mostTries is how often expecting tries, which ends in a transaction of the host's whose
// reads never see what others have committed since it began.
const mostTries = 10

// expecting runs a statement that changes the record of a key if it has a revision. When it
// changes nothing it looks why not, and tries again where others have given the record just
// that revision between the two: no moment was there at which an error was right.
func (s *Store) expecting(ctx context.Context, on executor, key storage.Key, expect int64, st *statement) error {
	for range mostTries {
		changed, err := st.exec(ctx, on)
		if err != nil || changed == 1 {
			return s.classify(err)
		}
		if err := s.whyNot(ctx, on, key, expect); err != nil {
			return err
		}
	}
	return storage.ErrConflict
}

// whyNot tells why no record of this key had the expected revision; nil if it has it now.
func (s *Store) whyNot(ctx context.Context, on executor, key storage.Key, expect int64) error {
	var revision int64
	err := s.statement().
		add(`SELECT revision FROM {p}records WHERE tenant = ? AND kind = ? AND id = ?`, keyValues(key)...).
		row(ctx, on).Scan(&revision)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return storage.ErrNotFound
	case err != nil:
		return err
	case revision != expect:
		return storage.ErrConflict
	}
	return nil
}

// classify gives a taken key or name the contract's error.
func (s *Store) classify(err error) error {
	if err != nil && s.dialect.isTaken(err) {
		return storage.ErrExists
	}
	return err
}

func (s *Store) dropLabels(ctx context.Context, on executor, key storage.Key) error {
	_, err := s.statement().
		add(`DELETE FROM {p}labels WHERE tenant = ? AND kind = ? AND id = ?`, keyValues(key)...).
		exec(ctx, on)
	return err
}

func (s *Store) addLabels(ctx context.Context, on executor, r storage.Record) error {
	if len(r.Labels) == 0 {
		return nil
	}
	st := s.statement().add(`INSERT INTO {p}labels (tenant, kind, parent, label_key, label_value, search, id) VALUES `)
	for i, l := range r.Labels {
		if i > 0 {
			st.add(`, `)
		}
		st.add(`(?, ?, ?, ?, ?, ?, ?)`,
			[]byte(r.Tenant), []byte(r.Kind), []byte(r.Parent), []byte(l.Key), []byte(l.Value), []byte(r.Search), []byte(r.ID))
	}
	_, err := st.exec(ctx, on)
	return err
}
