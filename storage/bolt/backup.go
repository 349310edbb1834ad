package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"github.com/integrationhub/hub/storage"
)

// Backup implements storage.Backuper. What it writes is a bbolt database, which [Restore]
// reads. It needs room for one copy of the database beside the file, for as long as w takes.
// Only while this copy is made can a write that makes the file grow have to wait, and others
// with it.
//
// A process that dies meanwhile leaves that copy behind, named after the file with ".backup-"
// and digits; Restore likewise, with ".restore-". Delete it once nobody makes one.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	if err := s.backup(ctx, w); err != nil {
		return fmt.Errorf("bolt: backup: %w", err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, w io.Writer) (err error) {
	s.backups.RLock()
	defer s.backups.RUnlock()
	copied, err := draft(s.file, "backup")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copied.Close(), os.Remove(copied.Name())) }()
	if err := s.copyTo(ctx, copied); err != nil {
		return err
	}
	if _, err := copied.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(w, reading{ctx, copied})
	return err
}

// copyTo writes the database of this moment to w, which must be quick: a transaction that
// reads keeps bbolt from mapping more of a file that grows.
func (s *Store) copyTo(ctx context.Context, w io.Writer) error {
	out := &writing{ctx: ctx, to: w}
	return s.read(ctx, func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(out)
		return cmp.Or(out.err, err) // bbolt does not wrap what it is told
	})
}

// writing is a writer that ends with ctx and keeps the error.
type writing struct {
	ctx context.Context
	to  io.Writer
	err error
}

func (w *writing) Write(p []byte) (n int, err error) {
	if w.err = w.ctx.Err(); w.err == nil {
		n, w.err = w.to.Write(p)
	}
	return n, w.err
}

// reading is a reader that ends with ctx.
type reading struct {
	ctx context.Context
	io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// Restore makes a new file at path of a backup, after it has checked that the backup is
// whole and every record in it can be read. There must be no file at path. When Restore
// returns nil the file is durable; when it fails there is none.
func Restore(ctx context.Context, path string, r io.Reader) error {
	if err := restore(ctx, path, r); err != nil {
		return fmt.Errorf("bolt: restore %q: %w", path, err)
	}
	return nil
}

func restore(ctx context.Context, path string, r io.Reader) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errors.New("there is a file of this name"), reason(err))
	}
	received, err := draft(path, "restore")
	if err != nil {
		return err
	}
	defer os.Remove(received.Name())
	size, err := io.Copy(received, reading{ctx, r})
	if err := errors.Join(err, received.Close()); err != nil {
		return err
	}
	fresh, err := draft(path, "restore")
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name())
	if err := fresh.Close(); err != nil {
		return err
	}
	if err := rewrite(ctx, fresh.Name(), received.Name(), size); err != nil {
		return err
	}
	if err := os.Link(fresh.Name(), path); err != nil { // unlike a rename, it replaces nothing
		return fmt.Errorf("name the file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// draft makes an empty file in the directory of path, its owner's alone.
func draft(path, purpose string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"."+purpose+"-*")
	if err != nil {
		return nil, fmt.Errorf("create a file: %w", reason(err))
	}
	return f, nil
}

var errNoBackup = errors.New("this is no backup, or it is not whole")

const (
	// smallest is the size of a file with the two pages that bbolt looks at when it opens
	// one. It makes a database of an empty file.
	smallest = 2 * 4096

	// rewriteBatch is how many bytes one transaction of rewrite writes.
	rewriteBatch = 16 << 20
)

// rewrite copies what the received file holds, of size bytes, into the empty file fresh and
// reads all of that. So nothing that bbolt would have to trust, such as the list of free
// pages, comes from the backup.
func rewrite(ctx context.Context, fresh, received string, size int64) (err error) {
	if size < smallest {
		return errNoBackup
	}
	src, err := bbolt.Open(received, fileMode, &bbolt.Options{ReadOnly: true, Timeout: 1})
	if err != nil {
		return fmt.Errorf("%w: %w", errNoBackup, reason(err))
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := bbolt.Open(fresh, fileMode, &bbolt.Options{Timeout: 1, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if err := compact(dst, src, size); err != nil {
		return err
	}
	return dst.View(func(tx *bbolt.Tx) error { return readAll(ctx, tx) })
}

// compact copies src, which must have the size that it says it has. bbolt trusts what it
// reads: a damaged page can make it fail in ways that must not end the process.
func compact(dst, src *bbolt.DB, size int64) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = errNoBackup
		}
	}()
	var says int64
	if err := src.View(func(tx *bbolt.Tx) error { says = tx.Size(); return nil }); err != nil {
		return err
	}
	if says != size {
		return errNoBackup
	}
	return bbolt.Compact(dst, src, rewriteBatch)
}

// readAll fails unless all buckets are there and every record can be found in the ways there
// are.
func readAll(ctx context.Context, tx *bbolt.Tx) error {
	for _, name := range [][]byte{metaBucket, recordBucket, nameBucket, searchBucket, labelBucket} {
		if tx.Bucket(name) == nil {
			return errNoBackup
		}
	}
	if err := checkFormat(tx.Bucket(metaBucket).Get(formatKey)); err != nil {
		return err
	}
	t := buckets(tx)
	return t.records.ForEach(func(k, v []byte) error {
		key, ok := cutKey(k)
		if !ok {
			return errNoBackup
		}
		r, err := decode(key, v)
		if err != nil || !t.leadTo(r) {
			return errNoBackup
		}
		return ctx.Err()
	})
}

// leadTo reports whether all other buckets have the entries of r.
func (t tables) leadTo(r storage.Record) bool {
	if r.Name != "" && string(t.names.Get(nameKey(r))) != r.ID {
		return false
	}
	search, labels := indexKeys(r)
	if t.search.Get(search) == nil {
		return false
	}
	for _, l := range labels {
		if t.labels.Get(l) == nil {
			return false
		}
	}
	return true
}
