package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/integrationhub/hub/storage"
)

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key storage.Key) (storage.Record, error) {
	r, err := s.get(ctx, key)
	if err != nil {
		return storage.Record{}, fmt.Errorf("get %s: %w", key, told(ctx, err))
	}
	return r, nil
}

func (s *Store) get(ctx context.Context, key storage.Key) (r storage.Record, err error) {
	if err := s.gate.enter(); err != nil {
		return r, err
	}
	defer s.gate.leave()
	if err := storage.CheckKey(key); err != nil {
		return r, err
	}
	err = s.patiently(ctx, func() error {
		r, err = s.readRecord(ctx, s.reader, key)
		return err
	})
	return r, err
}

func (s *Store) readRecord(ctx context.Context, on executor, key storage.Key) (storage.Record, error) {
	r, err := scan(s.statement().
		add(`SELECT `+columns+` FROM {p}records r WHERE r.tenant = ? AND r.kind = ? AND r.id = ?`, keyValues(key)...).
		row(ctx, on).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = storage.ErrNotFound
	}
	return r, err
}
