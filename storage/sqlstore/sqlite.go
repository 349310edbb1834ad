package sqlstore

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// SQLite is the dialect of SQLite 3.51.3 and later (earlier versions can corrupt a
// database in WAL mode when a writer and a checkpoint meet) with any driver.
//
// Every connection that writes must have journal_mode WAL, synchronous FULL or EXTRA,
// query_only off and, on macOS, fullfsync and checkpoint_fullfsync on. A store writes in one
// transaction at a time, begun with BEGIN IMMEDIATE; readers are never blocked by it.
func SQLite() Dialect {
	return Dialect{
		name:         "SQLite",
		writers:      1,
		begin:        []string{"BEGIN IMMEDIATE"},
		placeholder:  func(int) string { return "?" },
		rows:         "VALUES ",
		comparesRows: true,
		labelled: `FROM {p}labels l CROSS JOIN {p}records r` + // SQLite keeps the order of a CROSS JOIN
			` WHERE r.tenant = l.tenant AND r.kind = l.kind AND r.id = l.id`,
		ofKind:  `NOT (r.kind <> ?)`,
		schema:  sqliteSchema(),
		verify:  verifySQLite,
		isTaken: func(err error) bool { return strings.Contains(err.Error(), "UNIQUE constraint failed") },
		isBusy:  isBusySQLite,
	}
}

func sqliteSchema() [][]string {
	return [][]string{{
		`CREATE TABLE {p}records (
			tenant BLOB NOT NULL,
			kind BLOB NOT NULL,
			id BLOB NOT NULL,
			parent BLOB NOT NULL,
			name BLOB,
			search BLOB NOT NULL,
			revision INTEGER NOT NULL,
			updated INTEGER NOT NULL,
			labels BLOB NOT NULL,
			data BLOB NOT NULL,
			PRIMARY KEY (tenant, kind, id)
		)`,
		`CREATE UNIQUE INDEX {i}records_name ON {p}records (tenant, kind, parent, name) WHERE name IS NOT NULL`,
		`CREATE INDEX {i}records_search ON {p}records (tenant, kind, parent, search, id)`,
		`CREATE TABLE {p}labels (
			tenant BLOB NOT NULL,
			kind BLOB NOT NULL,
			parent BLOB NOT NULL,
			label_key BLOB NOT NULL,
			label_value BLOB NOT NULL,
			search BLOB NOT NULL,
			id BLOB NOT NULL,
			PRIMARY KEY (tenant, kind, parent, label_key, label_value, search, id)
		) WITHOUT ROWID`,
		`CREATE INDEX {i}labels_record ON {p}labels (tenant, kind, id)`,
	}}
}

// isBusySQLite goes by SQLite's own text for SQLITE_BUSY and SQLITE_LOCKED, which all
// drivers pass on, while each wraps the number in a type of its own.
func isBusySQLite(err error) bool {
	text := err.Error()
	return strings.Contains(text, "database is locked") || strings.Contains(text, "database table is locked")
}

// setting is a pragma of which a store's promises depend.
type setting struct {
	pragma string
	want   []string
	remedy string
}

// settingsSQLite returns what a connection that writes must have on the operating system goos.
func settingsSQLite(goos string) []setting {
	settings := []setting{
		{"journal_mode", []string{"wal"}, "run PRAGMA journal_mode = WAL once"},
		{"synchronous", []string{"2", "3"}, "run PRAGMA synchronous = FULL on every connection of the pool"},
		{"query_only", []string{"0"}, "hand over a pool that may write"},
	}
	if goos == "darwin" { // where fsync alone leaves data in the drive's cache
		settings = append(settings,
			setting{"fullfsync", []string{"1"}, "run PRAGMA fullfsync = ON on every connection of the pool"},
			setting{"checkpoint_fullfsync", []string{"1"}, "run PRAGMA checkpoint_fullfsync = ON on every connection of the pool"})
	}
	return settings
}

func verifySQLite(ctx context.Context, on executor) error {
	var version string
	if err := on.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if !atLeast(version, 3, 51, 3) {
		return fmt.Errorf("the driver brings SQLite %.32q; a store needs 3.51.3 or later", version)
	}
	for _, s := range settingsSQLite(runtime.GOOS) {
		if err := s.verify(ctx, on); err != nil {
			return err
		}
	}
	return nil
}

func (s setting) verify(ctx context.Context, on executor) error {
	var is string
	if err := on.QueryRowContext(ctx, "PRAGMA "+s.pragma).Scan(&is); err != nil {
		return fmt.Errorf("read %s: %w", s.pragma, err)
	}
	if slices.Contains(s.want, is) {
		return nil
	}
	return fmt.Errorf("a connection has %s = %.32q; a store needs %s: %s",
		s.pragma, is, strings.Join(s.want, " or "), s.remedy)
}

// atLeast reports whether a dotted version is not below the wanted numbers.
func atLeast(version string, want ...int) bool {
	parts := strings.Split(version, ".")
	for i, w := range want {
		n := 0
		if i < len(parts) {
			var err error
			if n, err = strconv.Atoi(parts[i]); err != nil {
				return false
			}
		}
		if n != w {
			return n > w
		}
	}
	return true
}
