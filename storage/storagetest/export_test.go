package storagetest

import (
	"context"
	"io"
	"time"

	"github.com/integrationhub/hub/storage"
)

// BrokenIn runs the contract's check of this name and returns what it found.
func BrokenIn(ctx context.Context, name string, within time.Duration, open func() storage.Store) error {
	for _, c := range contract() {
		if c.name == name {
			return c.try(ctx, within, open)
		}
	}
	return nil
}

// BrokenBetween runs the checks of stores that live in one place, which each check gets from place
// anew, and returns what those found that found something.
func BrokenBetween(ctx context.Context, within time.Duration, place func() func() storage.Store) map[string]error {
	broken := map[string]error{}
	for _, c := range append(persistence(), sharing()...) {
		if err := c.try(ctx, within, place()); err != nil {
			broken[c.name] = err
		}
	}
	return broken
}

// Names returns the names of all checks.
func Names() []string {
	var names []string
	for _, c := range append(append(contract(), persistence()...), sharing()...) {
		names = append(names, c.name)
	}
	return names
}

// BrokenBackup runs the check of backups of this name and returns what it found.
func BrokenBackup(ctx context.Context, name string, within time.Duration, open func() storage.Store, back func(io.Reader) (storage.Store, error)) error {
	for _, c := range backupChecks() {
		if c.name == name {
			return c.with(back).try(ctx, within, open)
		}
	}
	return nil
}
