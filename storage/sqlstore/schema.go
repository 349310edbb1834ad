package sqlstore

import (
	"context"
	"errors"
	"fmt"
)

// open checks the connection and brings the tables to the version this package knows. It
// writes only if they have another, so that a user who may not change tables can use them.
func (s *Store) open(ctx context.Context) error {
	if version, err := s.version(ctx, s.db); err != nil || version != len(s.dialect.schema) {
		return s.migrate(ctx)
	}
	return s.write(ctx, func(context.Context, executor) error { return nil })
}

// migrate works in one transaction, or under a lock, which keeps other processes from doing
// the same.
func (s *Store) migrate(ctx context.Context) error {
	return s.write(ctx, func(ctx context.Context, on executor) (err error) {
		if err := s.lock(ctx, on); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.unlock(ctx, on)) }()
		return s.bring(ctx, on)
	})
}

func (s *Store) bring(ctx context.Context, on executor) error {
	create := s.statement().add(`CREATE TABLE IF NOT EXISTS {p}schema (version INTEGER NOT NULL PRIMARY KEY)`)
	if _, err := create.exec(ctx, on); err != nil {
		return fmt.Errorf("create the table of the schema version: %w", err)
	}
	version, err := s.version(ctx, on)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	known := len(s.dialect.schema)
	if version > known {
		return fmt.Errorf("the tables %s have schema version %d, this program knows versions up to %d: use a newer one",
			s.tables, version, known)
	}
	for v := version; v < known; v++ {
		if err := s.step(ctx, on, v); err != nil {
			return fmt.Errorf("bring the schema to version %d: %w", v+1, err)
		}
	}
	return nil
}

// version returns the version of the tables; 0 if they are being made.
func (s *Store) version(ctx context.Context, on executor) (version int, err error) {
	err = s.statement().add(`SELECT COALESCE(MAX(version), 0) FROM {p}schema`).row(ctx, on).Scan(&version)
	return version, err
}

// step leads from version v to v+1.
func (s *Store) step(ctx context.Context, on executor, v int) error {
	for _, text := range s.dialect.schema[v] {
		if _, err := s.statement().add(text).exec(ctx, on); err != nil {
			return err
		}
	}
	if _, err := s.statement().add(`INSERT INTO {p}schema (version) VALUES (?)`, v+1).exec(ctx, on); err != nil {
		return err
	}
	_, err := s.statement().add(`DELETE FROM {p}schema WHERE version <> ?`, v+1).exec(ctx, on)
	return err
}

func (s *Store) lock(ctx context.Context, on executor) error {
	if s.dialect.lock == "" {
		return nil
	}
	var locked int
	if err := s.statement().add(s.dialect.lock, s.tables).row(ctx, on).Scan(&locked); err != nil {
		return fmt.Errorf("lock the tables %s: %w", s.tables, err)
	}
	if locked != 1 {
		return fmt.Errorf("another process is changing the tables %s, and does not finish", s.tables)
	}
	return nil
}

// unlock also works once ctx has ended: a lock would outlive its transaction.
func (s *Store) unlock(ctx context.Context, on executor) error {
	if s.dialect.unlock == "" {
		return nil
	}
	_, err := s.statement().add(s.dialect.unlock, s.tables).exec(context.WithoutCancel(ctx), on)
	return err
}
