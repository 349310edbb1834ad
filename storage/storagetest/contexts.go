package storagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/integrationhub/hub/storage"
)

func contextChecks() []check {
	return []check{
		{"ended-context", "Called with an ended ctx a method does nothing and returns an error that wraps ctx.Err()", one(checkEndedContext)},
		{"cancelled-underway", "A call whose ctx ends under way has changed nothing or everything, and goes on or says so", one(checkCancelledUnderWay)},
		{"works-on", "A call whose ctx ended leaves the store in working order", one(checkWorksOn)},
	}
}

// endings are the two ways in which a ctx ends.
var endings = map[error]func(context.Context) (context.Context, context.CancelFunc){
	context.Canceled: func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	},
	context.DeadlineExceeded: func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithDeadline(ctx, time.Unix(0, 0))
	},
}

func checkEndedContext(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	for want, end := range endings {
		ended, cancel := end(ctx)
		err := untouched(ctx, s, func() error { return refuseAll(ended, s, want) })
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// refuseAll fails unless every method fails with want.
func refuseAll(ctx context.Context, s storage.Store, want error) error {
	_, get := s.Get(ctx, key("a"))
	_, missing := s.Get(ctx, key("no"))
	_, listed := s.List(ctx, scope)
	_, walked := s.List(ctx, everything)
	for what, err := range map[string]error{
		"Get":              get,
		"Get, not found":   missing,
		"List":             listed,
		"List, everywhere": walked,
		"Apply, create":    s.Apply(ctx, storage.Create(record("b"))),
		"Apply, update":    s.Apply(ctx, storage.Update(revised("a", 2), 1)),
		"Apply, delete":    s.Apply(ctx, storage.Delete(key("a"), 1)),
		"Apply, nothing":   s.Apply(ctx),
	} {
		if err := wantError(what, err, want); err != nil {
			return err
		}
	}
	return nil
}

// batch returns the changes that take eight records from revision n to n+1.
func batch(n int64) []storage.Change {
	var changes []storage.Change
	for i := range 8 {
		r := revised(fmt.Sprint("r", i), n+1, func(r *storage.Record) { r.Data = make([]byte, 10_000) })
		if n == 0 {
			changes = append(changes, storage.Create(r))
		} else {
			changes = append(changes, storage.Update(r, n))
		}
	}
	return changes
}

// revisionOf returns the one revision that all records have.
func revisionOf(ctx context.Context, s storage.Store) (int64, error) {
	records, err := list(ctx, s, everything)
	if err != nil {
		return 0, err
	}
	if len(records) != 0 && len(records) != 8 {
		return 0, fmt.Errorf("%d records of 8 are there", len(records))
	}
	revision := int64(0)
	for i, r := range records {
		if i > 0 && r.Revision != revision {
			return 0, errors.New("some of the changes of one Apply are there and some are not")
		}
		revision = r.Revision
	}
	return revision, nil
}

func checkCancelledUnderWay(ctx context.Context, s storage.Store) error {
	started := time.Now()
	if err := s.Apply(ctx, batch(0)...); err != nil {
		return err
	}
	usual := time.Since(started)
	at, open := int64(1), false // open: the Apply before was cut off, and a server may still commit it
	for round := range 60 {
		cut, cancel := context.WithTimeout(ctx, usual*time.Duration(round)/30)
		err := s.Apply(cut, batch(at)...)
		_, readErr := list(cut, s, everything)
		cancel()
		if open && errors.Is(err, storage.ErrConflict) {
			err = context.DeadlineExceeded // it did
		}
		for _, err := range []error{err, readErr} {
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("the error %v does not wrap ctx.Err()", err)
			}
		}
		now, readErr := revisionOf(ctx, s)
		if readErr != nil {
			return readErr
		}
		if now != at+1 && (now != at || err == nil) {
			return fmt.Errorf("an Apply from revision %d returned %v and left %d", at, err, now)
		}
		at, open = now, err != nil && now == at
	}
	return nil
}

func checkWorksOn(ctx context.Context, s storage.Store) error {
	for range 20 {
		for want, end := range endings {
			ended, cancel := end(ctx)
			err := refuseAll(ended, s, want)
			cancel()
			if err != nil {
				return err
			}
		}
	}
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	return wantRecord(ctx, s, record("a"))
}
