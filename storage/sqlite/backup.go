package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/integrationhub/hub/storage"
)

// Backup implements storage.Backuper. What it writes is an SQLite database: [Restore] reads
// it, and so does every tool for such files. It needs room for one copy of the database
// beside the file, for as long as w takes.
//
// A process that dies meanwhile leaves that copy behind, named after the file with ".backup-"
// and digits; Restore likewise, with ".restore-". Delete it once nobody makes one.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	if err := s.backup(ctx, w); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, w io.Writer) error {
	s.backups.RLock()
	defer s.backups.RUnlock()
	if err := s.alive(ctx); err != nil {
		return err
	}
	copied, err := besideFile(s.file, "backup")
	if err != nil {
		return err
	}
	defer os.Remove(copied)
	if err := s.copyTo(ctx, copied); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return stream(ctx, w, copied)
}

// alive fails if the store is closed or ctx has ended.
func (s *Store) alive(ctx context.Context) error { return s.Apply(ctx) }

// copyTo writes the records of this moment into an empty file. It reads on a connection of
// its own, so that it takes none from those who read and write.
func (s *Store) copyTo(ctx context.Context, empty string) error {
	db, err := pool(s.file, 1)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", empty)
	return errors.Join(err, db.Close())
}

func stream(ctx context.Context, w io.Writer, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return reason(err)
	}
	defer f.Close()
	_, err = io.Copy(w, reading{ctx, f})
	return err
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

// besideFile makes an empty file in the directory of file, its owner's alone.
func besideFile(file, purpose string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+"."+purpose+"-*")
	if err != nil {
		return "", fmt.Errorf("create a file beside the database: %w", reason(err))
	}
	return f.Name(), f.Close()
}

// Restore makes a new file at path of a backup, after it has checked that the backup is
// whole and can be opened with opts. There must be no file at path. When Restore returns
// nil the file is durable; when it fails there is none.
func Restore(ctx context.Context, path string, r io.Reader, opts *Options) error {
	if err := restore(ctx, path, r, opts); err != nil {
		return fmt.Errorf("sqlite: restore %q: %w", path, err)
	}
	return nil
}

func restore(ctx context.Context, path string, r io.Reader, opts *Options) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errors.New("there is a file of this name"), reason(err))
	}
	draft, err := besideFile(path, "restore")
	if err != nil {
		return err
	}
	defer os.Remove(draft)
	if err := save(ctx, draft, r); err != nil {
		return err
	}
	if err := verify(ctx, draft, opts); err != nil {
		return err
	}
	if err := syncFile(draft); err != nil {
		return err
	}
	if err := os.Link(draft, path); err != nil { // unlike a rename, it replaces nothing
		return fmt.Errorf("name the file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// header begins every SQLite database; SQLite itself takes an empty file for one, too.
const header = "SQLite format 3\x00"

func save(ctx context.Context, draft string, r io.Reader) (err error) {
	f, err := os.OpenFile(draft, os.O_RDWR, 0)
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(f, reading{ctx, r})
	if err != nil {
		return err
	}
	begin := make([]byte, 100)
	if _, err := f.ReadAt(begin, 0); err != nil || string(begin[:len(header)]) != header {
		return errNoBackup
	}
	return checkSize(begin, n)
}

var errNoBackup = errors.New("this is no backup, or it is not whole")

// checkSize compares a file's size with what its header says: pages of the size at byte 16
// (1 stands for 65536), as many as the number at byte 28. Source: sqlite.org/fileformat2.
func checkSize(begin []byte, size int64) error {
	page := int64(begin[16])<<8 | int64(begin[17])
	if page == 1 {
		page = 1 << 16
	}
	pages := int64(begin[28])<<24 | int64(begin[29])<<16 | int64(begin[30])<<8 | int64(begin[31])
	if size != page*pages {
		return errNoBackup
	}
	return nil
}

// verify lets SQLite check the whole file, and opens it as a store.
func verify(ctx context.Context, draft string, opts *Options) error {
	db, err := pool(draft, 1)
	if err != nil {
		return err
	}
	var verdict string
	err = db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if verdict != "ok" {
		return errNoBackup
	}
	s, err := open(ctx, draft, opts)
	if err != nil {
		return err
	}
	_, err = s.List(ctx, storage.Query{Everywhere: true, Limit: 1})
	return errors.Join(err, s.Close())
}

// syncFile makes what is in a file durable.
func syncFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return reason(err)
	}
	return errors.Join(f.Sync(), f.Close())
}
