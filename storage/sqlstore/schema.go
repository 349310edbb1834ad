package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// migrate brings the tables to the version this package knows, in one transaction that
// keeps other processes from doing the same.
func (s *Store) migrate(ctx context.Context) error {
	return s.write(ctx, func(ctx context.Context, conn *sql.Conn) error {
		version, err := s.version(ctx, conn)
		if err != nil {
			return fmt.Errorf("read the schema version: %w", err)
		}
		known := len(s.dialect.schema)
		if version > known {
			return fmt.Errorf("the tables %s* have schema version %d, this program knows versions up to %d: use a newer one",
				s.prefix, version, known)
		}
		for v := version; v < known; v++ {
			if err := s.step(ctx, conn, v); err != nil {
				return fmt.Errorf("bring the schema to version %d: %w", v+1, err)
			}
		}
		return nil
	})
}

// version returns the version of the tables; 0 if there are none.
func (s *Store) version(ctx context.Context, conn *sql.Conn) (version int, err error) {
	create := s.statement().add(`CREATE TABLE IF NOT EXISTS {p}schema (version INTEGER NOT NULL)`)
	if _, err := create.exec(ctx, conn); err != nil {
		return 0, err
	}
	err = s.statement().add(`SELECT COALESCE(MAX(version), 0) FROM {p}schema`).row(ctx, conn).Scan(&version)
	return version, err
}

// step leads from version v to v+1.
func (s *Store) step(ctx context.Context, conn *sql.Conn, v int) error {
	for _, text := range s.dialect.schema[v] {
		if _, err := s.statement().add(text).exec(ctx, conn); err != nil {
			return err
		}
	}
	if _, err := s.statement().add(`DELETE FROM {p}schema`).exec(ctx, conn); err != nil {
		return err
	}
	_, err := s.statement().add(`INSERT INTO {p}schema (version) VALUES (?)`, v+1).exec(ctx, conn)
	return err
}
