package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/integrationhub/hub/storage"
)

func closeChecks() []check {
	return []check{
		{"close", "After Close every method fails with ErrClosed; closing again does nothing", one(checkClose)},
		{"close-waits", "Close waits for calls under way: they end as if nothing had happened, or with ErrClosed", one(checkCloseWaits)},
	}
}

func checkClose(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	for range 3 {
		if err := s.Close(); err != nil {
			return fmt.Errorf("close: %w", err)
		}
		if err := refuseAll(ctx, s, storage.ErrClosed); err != nil {
			return err
		}
	}
	return nil
}

func checkCloseWaits(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	failures := make(chan error, racers)
	busy := make(chan struct{}, 2*racers)
	var callers sync.WaitGroup
	for i := range racers {
		callers.Go(func() { failures <- callUntilClosed(ctx, s, i, busy) })
	}
	for range racers {
		<-busy
	}
	var closers sync.WaitGroup
	closed := make([]error, 2)
	for i := range closed {
		closers.Go(func() { closed[i] = s.Close() })
	}
	closers.Wait()
	callers.Wait()
	close(failures)
	for err := range failures {
		closed = append(closed, err)
	}
	return errors.Join(closed...)
}

// callUntilClosed writes and reads until the store is closed; it reports to busy once it
// has done so.
func callUntilClosed(ctx context.Context, s storage.Store, caller int, busy chan<- struct{}) error {
	defer func() { busy <- struct{}{} }() // if it failed before
	for n := 0; ; n++ {
		err := s.Apply(ctx, storage.Create(record(fmt.Sprint("caller ", caller, " ", n))))
		if err == nil {
			_, err = s.List(ctx, storage.Query{Tenant: "acme", Kind: "thing", Parent: "shelf", Limit: 5})
		}
		if errors.Is(err, storage.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("a call while the store is closed: %w", err)
		}
		if n == 0 {
			busy <- struct{}{}
		}
	}
}
