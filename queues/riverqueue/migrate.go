package riverqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// tableOf is the table of calls in a schema whose name was checked.
func tableOf(schema string) string { return pgx.Identifier{schema, "hub_calls"}.Sanitize() }

// migrations are the versions of our own tables. One that was released never changes.
func migrations(schema string) []string {
	table := tableOf(schema)
	return []string{`
CREATE TABLE ` + table + ` (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	job        bigint,
	tenant     text COLLATE "C" NOT NULL,
	key        text COLLATE "C" NOT NULL,
	connector  text COLLATE "C" NOT NULL,
	request    text COLLATE "C" NOT NULL,
	state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'started', 'ended')),
	outcome    text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'succeeded', 'failed', 'unknown')),
	code       text NOT NULL DEFAULT '',
	run        text NOT NULL DEFAULT '',
	idempotent boolean NOT NULL DEFAULT false,
	canceled   boolean NOT NULL DEFAULT false,
	attempts   integer NOT NULL DEFAULT 0,
	payload    bytea,
	payload_key text COLLATE "C" NOT NULL,
	answer     bytea,
	answer_key text COLLATE "C" NOT NULL DEFAULT '',
	enqueued   timestamptz NOT NULL DEFAULT now(),
	started    timestamptz,
	ended      timestamptz,
	UNIQUE (tenant, key),
	CHECK ((state = 'ended') = (outcome <> '') AND (state = 'ended') = (ended IS NOT NULL))
);
CREATE INDEX hub_calls_outcome ON ` + table + ` (tenant, outcome, id);
CREATE INDEX hub_calls_open ON ` + table + ` (id) WHERE state <> 'ended';
CREATE INDEX hub_calls_ended ON ` + table + ` (ended) WHERE state = 'ended';`,
	}
}

// migrationLock keeps two processes from making the tables at once.
const migrationLock = 0x687562_71756575 // "hub queu"

// Migrate makes the schema and its tables, River's and our own, or brings them up to date. It
// may be called again, and by several processes at once. Schema is that of [Options]; empty
// means the default.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	o, err := (&Options{Schema: schema}).withDefaults()
	if err != nil {
		return err
	}
	if err := locked(ctx, pool, func() error { return migrate(ctx, pool, o.Schema) }); err != nil {
		return fmt.Errorf("riverqueue: migrate: %w", err)
	}
	return nil
}

// locked runs f while nobody else migrates. The lock has a connection of its own: the pool may
// have but one.
func locked(ctx context.Context, pool *pgxpool.Pool, f func() error) error {
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		return f()
	})
}

// migrate makes what is missing. River's own migrations do not run in one transaction, and
// each of them can be repeated.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	if err := makeSchema(ctx, pool, schema); err != nil {
		return err
	}
	river, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		return migrateOwn(ctx, tx, versionsOf(schema), migrations(schema))
	})
}

func versionsOf(schema string) string { return pgx.Identifier{schema, "hub_calls_version"}.Sanitize() }

// makeSchema makes the schema, if the role may and must.
func makeSchema(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	var made bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, versionsOf(schema)).Scan(&made); err != nil || made {
		return err
	}
	_, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{schema}.Sanitize()+`;
		CREATE TABLE `+versionsOf(schema)+` (version integer NOT NULL)`)
	return err
}

// migrateOwn applies what is missing of our own migrations.
func migrateOwn(ctx context.Context, tx pgx.Tx, versions string, all []string) error {
	var version int
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM `+versions).Scan(&version); err != nil {
		return err
	}
	if version > len(all) {
		return errors.New("the tables were made by a newer version of this module")
	}
	for _, statements := range all[version:] {
		if _, err := tx.Exec(ctx, statements); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM `+versions+`; INSERT INTO `+versions+` VALUES (`+fmt.Sprint(len(all))+`)`)
	return err
}
