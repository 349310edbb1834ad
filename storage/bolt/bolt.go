// Package bolt is the storage.Store for one process and one small file, without SQL.
//
// The file is a bbolt database: a tree of pages that a writer never changes in place. What a
// store has acknowledged survives the death of the process and of the machine, and each
// Apply costs two syncs of the file. The file belongs to one store at a time: a second one,
// in this process or another, waits for it and then fails. Where several processes share
// their records, package sqlite or postgres is the one to use.
//
// Records are found by key, by name, by search key and by label through buckets of their
// own, so no listing reads more than it returns; only a listing by several labels walks all
// records that have the first.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	boltErrors "go.etcd.io/bbolt/errors"

	"github.com/integrationhub/hub/storage"
)

// Store is a storage.Store in a file. It is safe for concurrent use.
type Store struct {
	db    *bbolt.DB
	file  string        // absolute
	turn  chan struct{} // holds one token while a transaction writes
	close func() error

	backups sync.RWMutex // held for reading by a backup under way
}

// Options are the choices of [Open]. Nil means all defaults.
type Options struct {
	// LockTimeout is how long Open waits while another store has the file. Zero means
	// 5 seconds, negative not at all.
	LockTimeout time.Duration
}

const defaultLockTimeout = 5 * time.Second

func (o *Options) lockTimeout() time.Duration {
	if o == nil || o.LockTimeout == 0 {
		return defaultLockTimeout
	}
	return o.LockTimeout
}

// Open opens the store in the file at path, and creates the file if there is none, readable
// and writable by its owner alone. The directory must exist.
//
// Open fails if others than its owner may use the file, if it cannot be written, if it is
// not a bbolt database, if another store has it open longer than Options.LockTimeout or ctx
// allows, and if it was written by a newer version of this package.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	s, err := open(ctx, path, opts)
	if err != nil {
		return nil, fmt.Errorf("bolt: open %q: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, opts *Options) (*Store, error) {
	switch {
	case path == "":
		return nil, errors.New("the path is empty")
	case strings.IndexByte(path, 0) >= 0:
		return nil, errors.New("the path holds a NUL byte")
	}
	if err := prepare(path); err != nil {
		return nil, err
	}
	file, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := locked(ctx, path, opts.lockTimeout())
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, file: file, turn: make(chan struct{}, 1), close: sync.OnceValue(db.Close)}
	if err := s.write(ctx, migrate); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// lockPause is the time between two attempts to lock the file.
const lockPause = 20 * time.Millisecond

// locked opens the file once no other store has it. The waiting is done here because
// bbolt's own knows no ctx.
func locked(ctx context.Context, path string, timeout time.Duration) (*bbolt.DB, error) {
	deadline := time.Now().Add(timeout)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		db, err := bbolt.Open(path, fileMode, &bbolt.Options{
			Timeout:      1, // one attempt
			FreelistType: bbolt.FreelistMapType,
		})
		switch {
		case err == nil:
			return db, nil
		case !errors.Is(err, boltErrors.ErrTimeout):
			return nil, reason(err)
		case time.Until(deadline) <= 0:
			return nil, errors.New("another store has the file open")
		}
		pause(ctx)
	}
}

func pause(ctx context.Context) {
	timer := time.NewTimer(lockPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Close implements storage.Store. It waits for the calls under way and closes the file.
func (s *Store) Close() error {
	s.backups.Lock()
	defer s.backups.Unlock()
	if err := s.close(); err != nil {
		return fmt.Errorf("bolt: close: %w", err)
	}
	return nil
}

// read runs do in a transaction that sees one state of the store.
func (s *Store) read(ctx context.Context, do func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return told(s.db.View(do))
}

// write runs do in a transaction that is durable once write returns nil. One transaction
// writes at a time; the others wait, as long as their ctx allows.
func (s *Store) write(ctx context.Context, do func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return told(s.db.Update(func(tx *bbolt.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return ctx.Err()
	}))
}

// told returns the contract's error for what bbolt says of a closed file.
func told(err error) error {
	if errors.Is(err, boltErrors.ErrDatabaseNotOpen) {
		return storage.ErrClosed
	}
	return err
}
