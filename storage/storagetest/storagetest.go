// Package storagetest checks that a storage.Store keeps its contract. Whoever writes a
// store runs the suite in a test of its own:
//
//	func TestStore(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Store { return mystore.New() })
//	}
//
// The suite is a table of the contract's sentences, each with a check. A failed subtest
// prints the sentence that was broken and how. [Run] holds what every store must do,
// [RunPersistent] what a store must do that outlives its process, [RunShared] what a store
// must do that several processes may use at once.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/integrationhub/hub/storage"
)

// Run checks the contract of storage.Store. Each check gets a store of its own from open,
// new and empty, and closes it; open reports its own failures by t. A store that has the
// method of storage.Watcher is held to that contract too. The checks write about 100 MiB
// altogether.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, c := range contract() {
		t.Run(c.name, func(t *testing.T) {
			c.report(t, c.try(t.Context(), patience, func() storage.Store { return open(t) }))
		})
	}
}

// RunPersistent checks that what a store has acknowledged is there when it is opened
// again. Open opens the store that lives in the directory dir, new or not; the directory
// is empty at first. A store that does not live in files may use dir as a name.
func RunPersistent(t *testing.T, open func(t *testing.T, dir string) storage.Store) {
	runIn(t, persistence(), open)
}

// RunShared checks that two stores open at the same time on the same dir, see [RunPersistent],
// act as one.
func RunShared(t *testing.T, open func(t *testing.T, dir string) storage.Store) {
	runIn(t, sharing(), open)
}

func runIn(t *testing.T, checks []check, open func(t *testing.T, dir string) storage.Store) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.report(t, c.try(t.Context(), patience, func() storage.Store { return open(t, dir) }))
		})
	}
}

// patience is how long a check may take; a healthy store needs seconds at most.
const patience = 2 * time.Minute

// opener opens a store; what it returns need not be closed.
type opener func() storage.Store

// check is a sentence of the contract and the way to find out whether it holds.
type check struct {
	name     string
	sentence string
	run      func(ctx context.Context, open opener) error
}

// one makes a check of a single store.
func one(run func(ctx context.Context, s storage.Store) error) func(context.Context, opener) error {
	return func(ctx context.Context, open opener) error { return run(ctx, open()) }
}

func contract() []check {
	return slices.Concat(recordChecks(), limitChecks(), applyChecks(), listChecks(), pageChecks(),
		contextChecks(), raceChecks(), watchChecks(), closeChecks())
}

func (c check) report(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("contract: %s.\nbroken: %v", c.sentence, err)
	}
}

// try runs the check and closes the stores it opened. A check that does not end is given
// up, and so are its stores.
func (c check) try(ctx context.Context, within time.Duration, open opener) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var opened []storage.Store
	remember := func() storage.Store {
		s := open()
		opened = append(opened, s)
		return s
	}
	done := make(chan error, 1)
	go func() {
		err := errors.New("the check ended early")
		defer func() { done <- err }() // also when open gives up with t.FailNow
		err = c.run(ctx, remember)
		for _, s := range opened {
			if cerr := s.Close(); cerr != nil && err == nil {
				err = fmt.Errorf("close: %w", cerr)
			}
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select { // a call that heeds ctx ends now
	case err := <-done:
		return err
	case <-time.After(within):
		return fmt.Errorf("a call did not return within %v, nor when its ctx had ended", within)
	}
}
