// Package sqlstore is a storage.Store in an SQL database that the host application has
// opened: it needs database/sql and nothing else, the driver is the host's choice. It knows
// SQLite, PostgreSQL, MariaDB and MySQL.
//
// The store keeps its records in tables of its own, side by side with whatever else the
// database holds: records, labels (an index of the records' labels), and schema (one row:
// the version of the tables). [New] creates them, and brings those of an older version of
// this package forward. All text is stored as bytes, so that no collation of the database
// can fold, trim or reorder it.
//
// What differs between databases is a [Dialect]. A database file that the host does not
// want to look after is the business of package sqlite, which opens it with safe settings; a
// pool of connections to PostgreSQL, with notices of changes, that of package postgres.
//
// Definitions that must come and go with rows of the host's own are saved in the host's own
// transaction: see [Store.InTx].
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Store keeps records in tables of an SQL database. It is safe for concurrent use, and
// other processes may use stores on the same tables at the same time.
type Store struct {
	db      *sql.DB // writes
	reader  *sql.DB // reads; may be db
	dialect Dialect
	names   *strings.Replacer
	tables  string // names the tables in messages and locks
	busy    time.Duration
	turn    chan struct{} // holds one token per transaction that may write; nil: any number
	gate    gate
}

// Options are the choices of a Store. Nil means all defaults.
type Options struct {
	// TablePrefix begins the names of the tables and indexes; it is what keeps two stores
	// in one database apart. It matches [a-z_][a-z0-9_]{0,31}. Empty means "hub_".
	TablePrefix string

	// Schema is the schema of a PostgreSQL database, or the database of a MySQL server, that
	// the tables are in. It must exist, and matches the same pattern. Empty means the one
	// where a connection's unqualified names lead, which must be the same for all
	// connections. SQLite has none.
	Schema string

	// Reader is where Get and List read. It must be the same database and see a
	// transaction as soon as it is committed: a second pool for readers, never a replica
	// that lags. Nil means the pool that writes.
	Reader *sql.DB

	// BusyTimeout is how long a call that met a lock of another process, a deadlock or a
	// connection that broke before anything was done goes on trying, on top of what the
	// connection itself waits. Zero means 5 seconds, negative not at all.
	BusyTimeout time.Duration
}

const (
	defaultPrefix      = "hub_"
	defaultBusyTimeout = 5 * time.Second
)

var prefixRule = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,31}$`)

func (o *Options) tablePrefix() string {
	if o == nil || o.TablePrefix == "" {
		return defaultPrefix
	}
	return o.TablePrefix
}

func (o *Options) schema() string {
	if o == nil {
		return ""
	}
	return o.Schema
}

func (o *Options) reader(db *sql.DB) *sql.DB {
	if o == nil || o.Reader == nil {
		return db
	}
	return o.Reader
}

func (o *Options) busyTimeout() time.Duration {
	if o == nil || o.BusyTimeout == 0 {
		return defaultBusyTimeout
	}
	return o.BusyTimeout
}

// New returns a store on db after it has checked the settings that durability depends on
// and brought the tables to this package's version. It fails if a setting is unsafe, with
// the setting's name and the way to correct it, and if the tables are of a newer version,
// which it leaves alone.
//
// The pool stays the host's: Close of the store does not close it, and settings are
// checked again on the connection of each write, since a pool may open new ones at any
// time. New and all methods use db's connections one at a time, so a pool of one is enough.
func New(ctx context.Context, db *sql.DB, dialect Dialect, opts *Options) (*Store, error) {
	switch {
	case db == nil:
		return nil, errors.New("sqlstore: db is nil")
	case dialect.name == "":
		return nil, errors.New("sqlstore: dialect is the zero Dialect; use SQLite(), PostgreSQL() or MySQL()")
	case !prefixRule.MatchString(opts.tablePrefix()):
		return nil, fmt.Errorf("sqlstore: Options.TablePrefix does not match %s", prefixRule)
	case opts.schema() != "" && dialect.quote == "":
		return nil, fmt.Errorf("sqlstore: Options.Schema: %s has no schemas", dialect.name)
	case opts.schema() != "" && !prefixRule.MatchString(opts.schema()):
		return nil, fmt.Errorf("sqlstore: Options.Schema does not match %s", prefixRule)
	}
	s := &Store{
		db:      db,
		reader:  opts.reader(db),
		dialect: dialect,
		names:   names(dialect, opts.schema(), opts.tablePrefix()),
		busy:    opts.busyTimeout(),
		turn:    dialect.turns(),
	}
	s.tables = s.names.Replace("{p}*")
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("sqlstore: open: %w", told(ctx, err))
	}
	return s, nil
}

// Close implements storage.Store. It waits for the calls under way and leaves the pool open.
func (s *Store) Close() error {
	s.gate.shut()
	return nil
}

// told returns the reason of a failure: that of ctx if it has ended, since drivers report
// the end of a ctx in words of their own.
func told(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
