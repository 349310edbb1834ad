package keyset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// File is a [secrets.Keeper] over a keyset in a file whose keys are changed while it is in
// use, by this process or others. Before it names the key for new seals, it looks whether
// the file is another one than it read; when it meets a key that it does not know, it reads
// the file. While the file cannot be read, the keys read last go on serving.
//
// Keys are changed in this order, so that everything can be opened at every moment: Add,
// Promote, re-sealing (RotateKeys of a hub), Disable, Destroy. Each step writes the file
// anew and returns when it is on disk; a process that dies on the way leaves the file as it
// was before the step, or after it. Steps of several processes wait for each other where the
// system has flock; elsewhere let one process do them. Processes that have a copy of the
// file, and not the file itself, are handed the new copy after Add, before Promote.
//
// A File is safe for concurrent use. It holds nothing that must be closed.
type File struct {
	path string

	mu   sync.Mutex // guards what follows
	set  *Keyset
	info fs.FileInfo // of the file that set was read from
}

var _ secrets.Keeper = (*File)(nil)

// OpenFile opens the keyset at path as [Open] does, and follows its changes.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Keys lists the keys of the file as it is now, or was when it could be read last.
func (f *File) Keys() []KeyInfo { return f.current().Keys() }

// KeyID implements [secrets.Keeper].
func (f *File) KeyID(ctx context.Context) (string, error) { return f.current().KeyID(ctx) }

// Seal implements [secrets.Keeper].
func (f *File) Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error) {
	return f.current().Seal(ctx, keyID, plaintext, aad)
}

// Open implements [secrets.Keeper].
func (f *File) Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error) {
	plaintext, err := f.known().Open(ctx, keyID, sealed, aad)
	if errors.Is(err, secrets.ErrKeyNotFound) {
		plaintext, err = f.current().Open(ctx, keyID, sealed, aad)
	}
	return plaintext, err
}

// String names the primary key and the number of keys, never a key.
func (f *File) String() string { return f.known().String() }

// GoString returns what String does.
func (f *File) GoString() string { return f.String() }

// Add adds a fresh key, as [Keyset.Add] does, and returns its id.
func (f *File) Add(ctx context.Context) (id string, err error) {
	err = f.change(ctx, func(s *Keyset) (next *Keyset, err error) {
		next, id, err = s.Add()
		return next, err
	})
	return id, err
}

// Promote makes a key the primary, as [Keyset.Promote] does.
func (f *File) Promote(ctx context.Context, id string) error {
	return f.change(ctx, func(s *Keyset) (*Keyset, error) { return s.Promote(id) })
}

// Disable disables a key, as [Keyset.Disable] does.
func (f *File) Disable(ctx context.Context, id string) error {
	return f.change(ctx, func(s *Keyset) (*Keyset, error) { return s.Disable(id) })
}

// Enable enables a key again, as [Keyset.Enable] does.
func (f *File) Enable(ctx context.Context, id string) error {
	return f.change(ctx, func(s *Keyset) (*Keyset, error) { return s.Enable(id) })
}

// Destroy removes a disabled key for ever, unless a record of one of the stores is labelled
// as sealed under it: that is ErrInUse, with the record's key. List every store that was
// sealed with this keyset, backups that are to be restored included: what is sealed under a
// destroyed key is lost. A seal that began under the key just before it was disabled may
// still be on its way into a store; leave some minutes between Disable and Destroy.
func (f *File) Destroy(ctx context.Context, id string, stores ...storage.Store) error {
	return f.change(ctx, func(s *Keyset) (*Keyset, error) {
		next, err := s.Destroy(id)
		if err != nil {
			return nil, err
		}
		for _, store := range stores {
			if err := unused(ctx, store, id); err != nil {
				return nil, err
			}
		}
		return next, nil
	})
}

func unused(ctx context.Context, store storage.Store, id string) error {
	rec, found, err := sealed.Under(ctx, store, id)
	if err != nil {
		return fmt.Errorf("keyset: looking for records under key %s: %w", id, err)
	}
	if found {
		return fmt.Errorf("keyset: %w: %s is sealed under %s", ErrInUse, rec, id)
	}
	return nil
}

// known returns the keys read last.
func (f *File) known() *Keyset {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set
}

// current returns the keys of the file as it is now, if it can be read.
func (f *File) current() *Keyset {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err == nil && !same(info, f.info) {
		_ = f.read() // the keys read last serve on
	}
	return f.set
}

func (f *File) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

// read reads the file; f.mu is held. What is noted of the file is older than what is read:
// a change in between is seen the next time.
func (f *File) read() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("keyset: %w", err)
	}
	s, err := Open(f.path)
	if err != nil {
		return err
	}
	f.set, f.info = s, info
	return nil
}

// same tells a file from one that replaced it. An inode may be used again, so times count too.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// change replaces the keyset in the file by what step makes of it.
func (f *File) change(ctx context.Context, step func(*Keyset) (*Keyset, error)) error {
	unlock, err := lock(ctx, f.path)
	if err != nil {
		return fmt.Errorf("keyset: %w", err)
	}
	defer unlock()
	s, err := Open(f.path)
	if err != nil {
		return err
	}
	next, err := step(s)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := replace(f.path, []byte(next.Encode().Reveal())); err != nil {
		return fmt.Errorf("keyset: not changed: %w", err)
	}
	return f.load()
}

// replace writes a file beside path and renames it: path names the old file or the new one,
// each whole.
func replace(path string, data []byte) (err error) {
	defer clear(data)
	dir := filepath.Dir(path)
	t, err := os.CreateTemp(dir, ".keyset-*") // exclusive, 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(t.Name())
		}
	}()
	_, err = t.Write(data)
	if err = errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	if err := os.Rename(t.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}
