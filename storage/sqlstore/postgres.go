package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// PostgreSQL is the dialect of PostgreSQL 13 and later with any driver that passes the
// server's SQLSTATE on in a method of that name, as pgx and lib/pq do.
//
// Every connection that writes must have a synchronous_commit that waits for the local disk: on,
// local, remote_write or remote_apply; and the server fsync and full_page_writes on, without
// which a power loss that tears a page damages the tables. Any number of transactions write at
// once, each READ COMMITTED whatever the connection's default; those that meet in a deadlock
// are begun again.
func PostgreSQL() Dialect {
	return Dialect{
		name:         "PostgreSQL",
		quote:        `"`,
		remote:       true,
		begin:        []string{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
		forUpdate:    " FOR UPDATE",
		placeholder:  func(n int) string { return "$" + strconv.Itoa(n) },
		comparesRows: true,
		// OFFSET 0 keeps the planner from making another join of it.
		labelled: `FROM {p}labels l CROSS JOIN LATERAL (SELECT * FROM {p}records` +
			` WHERE tenant = l.tenant AND kind = l.kind AND id = l.id OFFSET 0) r WHERE 1 = 1`,
		ofKind:  `r.kind = ?`, // this planner leaves the column out of the index's order, too
		schema:  postgresSchema(),
		lock:    `SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || ?, 0))`,
		locks:   locksPostgres,
		verify:  verifyPostgres,
		isTaken: func(err error) bool { return sqlState(err) == "23505" }, // unique_violation
		isBusy:  isBusyPostgres,
	}
}

// locksPostgres takes advisory locks, row by row of a list that is read as it is written.
func locksPostgres(n int) string {
	numbers := strings.TrimSuffix(strings.Repeat(`(CAST(? AS bigint)), `, n), `, `)
	return `SELECT pg_advisory_xact_lock(v.number) FROM (VALUES ` + numbers + `) AS v(number)`
}

// isBusyPostgres knows serialization_failure, deadlock_detected and lock_not_available.
func isBusyPostgres(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}

// postgresSchema begins each index of a table with another column. As long as the planner has
// no statistics it expects one row whichever way, and takes the youngest index whose first
// columns it is given: that must be the right one.
func postgresSchema() [][]string {
	return [][]string{{
		`CREATE TABLE {p}records (
			tenant BYTEA NOT NULL,
			kind BYTEA NOT NULL,
			id BYTEA NOT NULL,
			parent BYTEA NOT NULL,
			name BYTEA,
			search BYTEA NOT NULL,
			revision BIGINT NOT NULL,
			updated BIGINT NOT NULL,
			labels BYTEA NOT NULL,
			data BYTEA NOT NULL,
			PRIMARY KEY (tenant, kind, id)
		)`,
		`CREATE INDEX {i}records_search ON {p}records (parent, kind, tenant, search, id)`,
		`CREATE UNIQUE INDEX {i}records_name ON {p}records (name, parent, kind, tenant)`,
		`CREATE TABLE {p}labels (
			tenant BYTEA NOT NULL,
			kind BYTEA NOT NULL,
			parent BYTEA NOT NULL,
			label_key BYTEA NOT NULL,
			label_value BYTEA NOT NULL,
			search BYTEA NOT NULL,
			id BYTEA NOT NULL,
			PRIMARY KEY (tenant, kind, parent, label_key, label_value, search, id)
		)`,
		`CREATE INDEX {i}labels_record ON {p}labels (id, kind, tenant)`,
	}}
}

func verifyPostgres(ctx context.Context, on executor) error {
	var s postgresSettings
	const settings = `SELECT current_setting('server_version_num'), current_setting('fsync'),` +
		` current_setting('full_page_writes'), current_setting('synchronous_commit')`
	if err := on.QueryRowContext(ctx, settings).Scan(&s.version, &s.fsync, &s.pages, &s.commit); err != nil {
		return fmt.Errorf("read the server's settings: %w", err)
	}
	return s.check()
}

// postgresSettings are what a store's promises depend on.
type postgresSettings struct {
	version string // server_version_num
	fsync   string
	pages   string // full_page_writes
	commit  string // synchronous_commit
}

func (s postgresSettings) check() error {
	if n, err := strconv.Atoi(s.version); err != nil || n < 130000 {
		return fmt.Errorf("the server is PostgreSQL %.32q; a store needs 13 or later", s.version)
	}
	if s.fsync != "on" {
		return fmt.Errorf("the server has fsync = %.32q; a store needs on: set it in the server's configuration", s.fsync)
	}
	if s.pages != "on" {
		return fmt.Errorf("the server has full_page_writes = %.32q; a store needs on: set it in the server's configuration", s.pages)
	}
	if s.commit == "off" {
		return fmt.Errorf("a connection has synchronous_commit = %q; a store needs on, local, remote_write or remote_apply: "+
			"set it for the server, the role or each connection of the pool", s.commit)
	}
	return nil
}
