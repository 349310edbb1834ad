// Package sqlite is the storage.Store for one machine: a file path in, a safe store out.
//
// The file is an SQLite database in WAL mode with synchronous=FULL: what a store has
// acknowledged survives the death of the process and of the machine. It is readable by its
// owner alone. Several processes may open one file at the same time, on a local disk: the
// locks that SQLite needs do not work on network file systems.
//
// The driver is modernc.org/sqlite, which needs no C compiler.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/integrationhub/hub/storage/sqlstore"
)

// Store is a storage.Store in a file. It is safe for concurrent use.
type Store struct {
	*sqlstore.Store
	file   string
	reader *sql.DB
	writer *sql.DB
	close  func() error

	backups sync.RWMutex // held for reading by a backup under way
}

// Options are the choices of [Open]. Nil means all defaults.
type Options struct {
	// TablePrefix begins the names of the tables; see sqlstore.Options. Empty means "hub_".
	TablePrefix string

	// Readers is how many reads may run at once; others wait. Zero means 4; less is refused.
	Readers int

	// BusyTimeout is how long a call waits while another process writes. Zero means
	// 5 seconds, negative not at all.
	BusyTimeout time.Duration
}

const defaultReaders = 4

func (o *Options) readers() int {
	if o == nil || o.Readers == 0 {
		return defaultReaders
	}
	return o.Readers
}

func (o *Options) store(reader *sql.DB) *sqlstore.Options {
	opts := sqlstore.Options{Reader: reader}
	if o != nil {
		opts.TablePrefix, opts.BusyTimeout = o.TablePrefix, o.BusyTimeout
	}
	return &opts
}

// Open opens the store in the file at path, and creates the file if there is none, readable
// and writable by its owner alone. The directory must exist and be writable, since SQLite
// keeps two more files beside the database while it is open. Path is a file name whatever
// its characters are; it is never read as a URI.
//
// Open fails if the file, or one of those beside it, can be read or written by others, if
// the file cannot be written, if it is not an SQLite database, and if its tables were made
// by a newer version of this module.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	s, err := open(ctx, path, opts)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %q: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, opts *Options) (*Store, error) {
	switch {
	case path == "":
		return nil, errors.New("the path is empty")
	case strings.IndexByte(path, 0) >= 0:
		return nil, errors.New("the path holds a NUL byte")
	case opts.readers() < 0:
		return nil, errors.New("Options.Readers is negative")
	}
	file, err := prepare(path)
	if err != nil {
		return nil, err
	}
	writer, err := pool(file, 1, "journal_mode(wal)")
	if err != nil {
		return nil, err
	}
	reader, err := pool(file, opts.readers(), "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	// The last connection to close folds the journal into the database: the writer's.
	closing := sync.OnceValue(func() error { return errors.Join(reader.Close(), writer.Close()) })
	inner, err := sqlstore.New(ctx, writer, sqlstore.SQLite(), opts.store(reader))
	if err != nil {
		return nil, errors.Join(err, closing())
	}
	return &Store{Store: inner, file: file, reader: reader, writer: writer, close: closing}, nil
}

// Close implements storage.Store. It waits for the calls under way and closes the file.
func (s *Store) Close() error {
	err := s.Store.Close()
	s.backups.Lock()
	defer s.backups.Unlock()
	if err := errors.Join(err, s.close()); err != nil {
		return fmt.Errorf("sqlite: close: %w", err)
	}
	return nil
}

const (
	// lockWait is how many milliseconds SQLite itself waits for a lock. It is short because
	// SQLite waits on when the caller's ctx has ended; the store's own waiting does not.
	lockWait = 100

	// journalSize is the most bytes that the journal keeps on disk after a checkpoint.
	journalSize = 64 << 20
)

// commonPragmas are set on every connection.
var commonPragmas = []string{
	"synchronous(full)",
	"fullfsync(1)",
	"checkpoint_fullfsync(1)",
	"foreign_keys(1)",
	"trusted_schema(0)",
	"journal_size_limit(" + strconv.Itoa(journalSize) + ")",
}

// pool returns a pool of at most size connections, each with the pragmas set. Connections
// stay open until the pool is closed.
func pool(file string, size int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{
		"_pragma":    append(slices.Clone(commonPragmas), pragmas...),
		"_timeout":   {strconv.Itoa(lockWait)},
		"_defensive": {"1"},
		"_error_rc":  {"1"},
	}
	connector, err := sqlite.NewConnector(uri(file) + "?" + query.Encode())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// uri names an absolute file so that no character of it is taken for a parameter.
func uri(file string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}
