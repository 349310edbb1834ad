package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/integrationhub/hub/storage"
)

// RunBackup checks the contract of storage.Backuper. Each check gets new and empty stores
// from open; restore makes a store from a backup, in a place of its own.
func RunBackup(t *testing.T, open func(t *testing.T) storage.Store, restore func(t *testing.T, r io.Reader) (storage.Store, error)) {
	for _, c := range backupChecks() {
		t.Run(c.name, func(t *testing.T) {
			check := c.with(func(r io.Reader) (storage.Store, error) { return restore(t, r) })
			check.report(t, check.try(t.Context(), patience, func() storage.Store { return open(t) }))
		})
	}
}

type restorer func(io.Reader) (storage.Store, error)

type backupCheck struct {
	name     string
	sentence string
	run      func(ctx context.Context, s storage.Store, b storage.Backuper, back restorer) error
}

// with makes a check of it, for stores that are restored by back.
func (c backupCheck) with(back restorer) check {
	return check{c.name, c.sentence, one(func(ctx context.Context, s storage.Store) error {
		b, ok := s.(storage.Backuper)
		if !ok {
			return errors.New("the store is no storage.Backuper")
		}
		return c.run(ctx, s, b, back)
	})}
}

func backupChecks() []backupCheck {
	return []backupCheck{
		{"backup", "A restored store holds what the backup was made of, and is a store like any other", checkBackup},
		{"backup-under-load", "A backup holds the records of one moment, which is not before the call, whoever writes meanwhile", checkBackupUnderLoad},
		{"backup-slow", "A writer of the backup that takes nothing for a while holds up nobody who reads or writes", checkBackupSlow},
		{"backup-cut", "Restore refuses what is not a whole backup", checkBackupCut},
		{"backup-fails", "Backup passes on the error of its writer, the end of ctx and ErrClosed, and the store works on", checkBackupFails},
	}
}

// restored makes a store of a backup and gives it to f.
func restored(back restorer, backup []byte, f func(storage.Store) error) error {
	s, err := back(bytes.NewReader(backup))
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return errors.Join(f(s), s.Close())
}

func checkBackup(ctx context.Context, s storage.Store, b storage.Backuper, back restorer) error {
	for _, records := range [][]storage.Record{nil, {record("a"), record("b"), largest()}, disorder()} {
		if err := create(ctx, s, records...); err != nil {
			return err
		}
		want, err := list(ctx, s, everything)
		if err != nil {
			return err
		}
		var backup bytes.Buffer
		if err := b.Backup(ctx, &backup); err != nil {
			return err
		}
		err = restored(back, backup.Bytes(), func(r storage.Store) error {
			if err := wantAll(ctx, r, want); err != nil {
				return err
			}
			return create(ctx, r, record("new"))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func checkBackupUnderLoad(ctx context.Context, s storage.Store, b storage.Backuper, back restorer) error {
	if err := s.Apply(ctx, batch(0)...); err != nil {
		return err
	}
	writing, stop := context.WithCancel(ctx)
	written := make(chan error, 1)
	go func() {
		var err error
		for n := int64(1); err == nil && writing.Err() == nil; n++ {
			err = s.Apply(ctx, batch(n)...)
		}
		written <- err
	}()
	var err error
	for range rounds {
		if err = backUpNow(ctx, s, b, back); err != nil {
			break
		}
	}
	stop()
	return errors.Join(err, <-written)
}

// backUpNow fails unless a backup holds a whole batch that is no older than what is there now.
func backUpNow(ctx context.Context, s storage.Store, b storage.Backuper, back restorer) error {
	now, err := revisionOf(ctx, s)
	if err != nil {
		return err
	}
	var backup bytes.Buffer
	if err := b.Backup(ctx, &backup); err != nil {
		return err
	}
	return restored(back, backup.Bytes(), func(r storage.Store) error {
		then, err := revisionOf(ctx, r)
		if err == nil && then < now {
			err = fmt.Errorf("revision %d was acknowledged before the backup, which has %d", now, then)
		}
		return err
	})
}

// stalled is a writer that takes nothing before it is released.
type stalled struct {
	began    chan struct{} // closed by the first Write
	released chan struct{}
	once     sync.Once
}

func (w *stalled) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.began) })
	<-w.released
	return len(p), nil
}

// checkBackupSlow lets the store grow to many times its size while w takes nothing: where
// there is room to spare, a store that is in the way of others would not show it.
func checkBackupSlow(ctx context.Context, s storage.Store, b storage.Backuper, _ restorer) error {
	if err := create(ctx, s, labelled()...); err != nil {
		return err
	}
	w := &stalled{began: make(chan struct{}), released: make(chan struct{})}
	backup, grown := make(chan error, 1), make(chan error, 1)
	go func() { backup <- b.Backup(ctx, w) }()
	select {
	case <-w.began:
	case err := <-backup:
		return fmt.Errorf("the backup ended before anything was written: %w", err)
	}
	go func() { grown <- grow(ctx, s) }()
	var held error
	select {
	case err := <-grown:
		grown <- err
	case <-halfOf(ctx):
		held = errors.New("reads or writes wait for the writer of the backup")
	}
	close(w.released)
	return errors.Join(held, <-grown, <-backup)
}

// halfOf returns a channel that tells when half of ctx's time is over.
func halfOf(ctx context.Context) <-chan time.Time {
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(patience)
	}
	return time.After(time.Until(end) / 2)
}

// grow writes and reads 32 records of 1 MiB.
func grow(ctx context.Context, s storage.Store) error {
	for n := range 32 {
		r := record(fmt.Sprint("grown ", n), func(r *storage.Record) { r.Data = make([]byte, storage.MaxData) })
		if err := create(ctx, s, r); err != nil {
			return err
		}
		if _, err := s.Get(ctx, r.Key); err != nil {
			return err
		}
	}
	return nil
}

func checkBackupCut(ctx context.Context, s storage.Store, b storage.Backuper, back restorer) error {
	if err := create(ctx, s, labelled()...); err != nil {
		return err
	}
	var buffer bytes.Buffer
	if err := b.Backup(ctx, &buffer); err != nil {
		return err
	}
	backup := buffer.Bytes()
	faulty := [][]byte{nil, []byte("something else"), make([]byte, 100_000), append(bytes.Clone(backup), 0)}
	for eighth := range 8 {
		faulty = append(faulty, backup[:len(backup)*eighth/8])
	}
	for less := range 3 {
		faulty = append(faulty, backup[:len(backup)-1-less])
	}
	for _, f := range faulty {
		if r, err := back(bytes.NewReader(f)); err == nil {
			return errors.Join(fmt.Errorf("%d bytes of a backup of %d were restored", len(f), len(backup)), r.Close())
		}
	}
	errReader := errors.New("cut off")
	_, err := back(io.MultiReader(bytes.NewReader(backup[:len(backup)/2]), failing{errReader}))
	return wantError("restore from a reader that fails", err, errReader)
}

// failing is a reader and a writer.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func checkBackupFails(ctx context.Context, s storage.Store, b storage.Backuper, _ restorer) error {
	if err := create(ctx, s, labelled()...); err != nil {
		return err
	}
	errWriter := errors.New("no more paper")
	if err := wantError("backup to a writer that fails", b.Backup(ctx, failing{errWriter}), errWriter); err != nil {
		return err
	}
	for want, end := range endings {
		ended, cancel := end(ctx)
		err := wantError("backup", b.Backup(ended, io.Discard), want)
		cancel()
		if err != nil {
			return err
		}
	}
	if err := errors.Join(create(ctx, s, record("a")), s.Close()); err != nil {
		return err
	}
	return wantError("backup", b.Backup(ctx, io.Discard), storage.ErrClosed)
}
