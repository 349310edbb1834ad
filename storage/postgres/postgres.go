// Package postgres is the storage.Store for many processes: a PostgreSQL database, reached
// through a pool of pgx, whose stores tell each other of changes.
//
// Records are kept as package sqlstore keeps them in its dialect of PostgreSQL, so a host
// application may use a store of either package on the same tables. What this package adds
// are notices: a store sends one after each commit, and [Store.Watch] hands those of all
// stores of the tables to its caller, within milliseconds. They travel by NOTIFY, on a
// connection of their own and not inside the transaction of the change, which would make all
// commits of the database wait for each other.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// Store is a storage.Store and a storage.Watcher in a PostgreSQL database. It is safe for
// concurrent use, and any number of processes may have stores on the same tables.
type Store struct {
	inner    *sqlstore.Store
	db       *sql.DB
	notifier *notifier
	watches  *watches
	shut     sync.Once
	pool     *pgxpool.Pool // closed with the store; nil: the host's
}

// Options are the choices of [Open] and [New]. Nil means all defaults.
type Options struct {
	// TablePrefix begins the names of the tables; see sqlstore.Options. Empty means "hub_".
	TablePrefix string

	// Schema holds the tables; see sqlstore.Options. Empty means the first of the
	// connections' search_path.
	Schema string

	// BusyTimeout is how long a call goes on trying that met a deadlock or a broken
	// connection before anything was done. Zero means 5 seconds, negative not at all.
	BusyTimeout time.Duration
}

// channelSuffix follows the table prefix in the name of the channel for notices.
const channelSuffix = "changes"

// channel names where the stores of one prefix tell of changes. Those of another schema of
// the database share it: what they hear in vain costs them a look.
func (o *Options) channel() string {
	if o == nil || o.TablePrefix == "" {
		return "hub_" + channelSuffix
	}
	return o.TablePrefix + channelSuffix
}

func (o *Options) store() *sqlstore.Options {
	if o == nil {
		return nil
	}
	return &sqlstore.Options{TablePrefix: o.TablePrefix, Schema: o.Schema, BusyTimeout: o.BusyTimeout}
}

// Open opens a store in the database that a connection string names: a URL or a list of
// key=value, with the settings of libpq and of pgxpool, such as sslmode and pool_max_conns.
// Missing tables are made. Beside the pool's connections a store has one for the notices it
// sends, and one for each Watch.
//
// Open fails if it cannot connect, if the server's settings are unsafe (see
// sqlstore.PostgreSQL), and if the tables were made by a newer version of this module. Its
// errors do not repeat the connection string.
func Open(ctx context.Context, connString string, opts *Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(connString)
	if err != nil {
		// The parser's error quotes what it read, of which a password may be part.
		return nil, errors.New("postgres: open: the connection string is not one of PostgreSQL's")
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	s, err := New(ctx, pool, opts)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.pool = pool
	return s, nil
}

// New returns a store on a pool that the host application has opened, and that stays the
// host's: Close of the store leaves it open. See [Open].
func New(ctx context.Context, pool *pgxpool.Pool, opts *Options) (*Store, error) {
	if pool == nil {
		return nil, errors.New("postgres: pool is nil")
	}
	if pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, errors.New("postgres: the pool has default_query_exec_mode = simple_protocol, which makes values part of statements: choose another")
	}
	db := stdlib.OpenDBFromPool(pool)
	inner, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL(), opts.store())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: open: %w", err), db.Close())
	}
	return &Store{
		inner:    inner,
		db:       db,
		notifier: startNotifier(pool, opts.channel()),
		watches:  newWatches(pool, opts.channel()),
	}, nil
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key storage.Key) (storage.Record, error) {
	return s.inner.Get(ctx, key)
}

// List implements storage.Store.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	return s.inner.List(ctx, q)
}

// Apply implements storage.Store: one transaction, committed before it returns nil. Notice
// of it is given afterwards, without delaying the caller.
func (s *Store) Apply(ctx context.Context, changes ...storage.Change) error {
	if err := s.inner.Apply(ctx, changes...); err != nil {
		return err
	}
	for _, c := range changes {
		s.notifier.add(c.Record.Key)
	}
	return nil
}

// Close implements storage.Store. It ends every Watch, waits for the calls under way, and
// gives the notices that are left a second to go out.
func (s *Store) Close() (err error) {
	s.shut.Do(func() {
		s.watches.end()
		err = s.inner.Close()
		s.notifier.stop()
		err = errors.Join(err, s.db.Close())
		if s.pool != nil {
			s.pool.Close()
		}
	})
	if err != nil {
		return fmt.Errorf("postgres: close: %w", err)
	}
	return nil
}

// ownConnection takes a connection out of the pool for good; the caller closes it. It is made
// as the pool makes all its connections.
func ownConnection(ctx context.Context, pool *pgxpool.Pool) (*pgx.Conn, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return conn.Hijack(), nil
}

// discard closes a connection without waiting long for a server that may be gone.
func discard(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it is of no more use either way
}
