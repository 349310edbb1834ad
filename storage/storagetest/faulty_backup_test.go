package storagetest_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/storagetest"
)

// backing is a store with a fault in how it is backed up.
type backing struct {
	*memory.Store
	backup func(ctx context.Context, s *memory.Store, w io.Writer) error
}

func (b *backing) Backup(ctx context.Context, w io.Writer) error { return b.backup(ctx, b.Store, w) }

func healthyBackup(ctx context.Context, s *memory.Store, w io.Writer) error { return s.Backup(ctx, w) }

func healthyRestore(r io.Reader) (storage.Store, error) {
	return memory.Restore(context.Background(), r)
}

// Each fault must be noticed by the check that its line names.
func TestFaultyBackupsFail(t *testing.T) {
	var first bytes.Buffer
	for _, f := range []struct {
		name    string
		check   string
		backup  func(context.Context, *memory.Store, io.Writer) error
		restore func(io.Reader) (storage.Store, error)
	}{
		{"forgets all but a page", "backup", onePage, healthyRestore},
		{"backs up what was there once", "backup-under-load", func(ctx context.Context, s *memory.Store, w io.Writer) error {
			if first.Len() == 0 {
				if err := s.Backup(ctx, &first); err != nil {
					return err
				}
			}
			_, err := w.Write(first.Bytes())
			return err
		}, healthyRestore},
		{"backs up record after record", "backup-under-load", recordByRecord, healthyRestore},
		{"restores what it can read", "backup-cut", healthyBackup, func(r io.Reader) (storage.Store, error) {
			s, err := healthyRestore(r)
			if err != nil {
				return memory.New(), nil
			}
			return s, nil
		}},
		{"ignores ctx", "backup-fails", func(_ context.Context, s *memory.Store, w io.Writer) error {
			return s.Backup(context.Background(), w)
		}, healthyRestore},
		{"ignores its writer", "backup-fails", func(ctx context.Context, s *memory.Store, w io.Writer) error {
			var out bytes.Buffer
			err := s.Backup(ctx, &out)
			_, _ = w.Write(out.Bytes())
			return err
		}, healthyRestore},
	} {
		t.Run(f.name, func(t *testing.T) {
			broken := storagetest.BrokenBackup(t.Context(), f.check, time.Minute,
				func() storage.Store { return &backing{memory.New(), f.backup} }, f.restore)
			assert.Error(t, broken, "the check %q did not notice", f.check)
		})
	}
}

// A store that is locked while its backup is written is noticed.
func TestBackupThatBlocksWritersFails(t *testing.T) {
	broken := storagetest.BrokenBackup(t.Context(), "backup-slow", 2*time.Second,
		func() storage.Store { return &locking{Store: memory.New()} }, healthyRestore)
	assert.ErrorContains(t, broken, "wait for the writer of the backup")
}

// locking is a store in which nobody writes while a backup is made.
type locking struct {
	*memory.Store
	mu sync.RWMutex
}

func (l *locking) Backup(ctx context.Context, w io.Writer) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.Store.Backup(ctx, w)
}

func (l *locking) Apply(ctx context.Context, changes ...storage.Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.Apply(ctx, changes...)
}

// onePage backs up the first records.
func onePage(ctx context.Context, s *memory.Store, w io.Writer) error {
	page, err := s.List(ctx, storage.Query{Everywhere: true, Limit: 20})
	if err != nil {
		return err
	}
	part := memory.New()
	for _, r := range page.Records {
		if err := part.Apply(ctx, storage.Create(r)); err != nil {
			return err
		}
	}
	return part.Backup(ctx, w)
}

// recordByRecord reads each record at a moment of its own.
func recordByRecord(ctx context.Context, s *memory.Store, w io.Writer) error {
	copied := memory.New()
	q := storage.Query{Everywhere: true, Limit: 1}
	for {
		page, err := s.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if err := copied.Apply(ctx, storage.Create(r)); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return copied.Backup(ctx, w)
		}
		q.After = page.Next
		time.Sleep(time.Millisecond) // a slow disk
	}
}
