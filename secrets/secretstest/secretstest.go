// Package secretstest turns the contracts of secrets.Vault and secrets.Keeper into tests,
// for everybody who writes one:
//
//	func TestContract(t *testing.T) {
//		secretstest.RunVault(t, func(t *testing.T) secrets.Vault { return openMine(t) })
//	}
//
// Each check is a subtest named after it and reports the sentence of the contract that does
// not hold. No check is left out in silence: what an implementation does not do is declared
// as a [Lack].
package secretstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/integrationhub/hub/secrets"
)

// Lack is something that a vault need not do, and that the one under test does not do.
type Lack string

const (
	// LacksBinding: the vault disregards Ref.Binding.
	LacksBinding Lack = "binding"
	// LacksGenerations: the vault disregards Ref.Generation.
	LacksGenerations Lack = "generations"
)

// RunVault tests a vault that can be written. Open is called once for each check, with the
// subtest's t, and returns an empty vault; t.Cleanup may close it.
func RunVault(t *testing.T, open func(t *testing.T) secrets.Vault, lacks ...Lack) {
	t.Helper()
	run(t, vaultChecks(lacks), open)
}

// RunReadOnlyVault tests a vault that other software fills. Open is called once for each
// check and returns a vault that holds value under seeded; and no other secret of that
// connector.
func RunReadOnlyVault(t *testing.T, open func(t *testing.T) secrets.Vault, seeded secrets.Ref, value secrets.Value, lacks ...Lack) {
	t.Helper()
	run(t, readOnlyChecks(seeded, value, lacks), open)
}

// RunKeeper tests a keeper. Open is called once for each check and returns a keeper that has
// at least one key.
func RunKeeper(t *testing.T, open func(t *testing.T) secrets.Keeper) {
	t.Helper()
	run(t, keeperChecks, open)
}

// check is one sentence of a contract and what shows that it holds.
type check[T any] struct {
	name     string
	sentence string
	run      func(ctx context.Context, subject T) error
}

func run[T any](t *testing.T, checks []check[T], open func(t *testing.T) T) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), open(t)); err != nil {
				t.Errorf("%s\nbut: %v", c.sentence, err)
			}
		})
	}
}

func without[T any](checks []check[T], lacks []Lack, lack Lack, names ...string) []check[T] {
	if !slices.Contains(lacks, lack) {
		return checks
	}
	return slices.DeleteFunc(slices.Clone(checks), func(c check[T]) bool { return slices.Contains(names, c.name) })
}

// want returns an error unless got wraps target.
func want(what string, got, target error) error {
	if errors.Is(got, target) {
		return nil
	}
	return fmt.Errorf("%s gave error %v, which does not wrap %q", what, got, target)
}

// quiet returns an error if the text of err holds the canary.
func quiet(what string, err error, canary string) error {
	if err != nil && strings.Contains(err.Error(), canary) {
		return fmt.Errorf("the error of %s repeats what must stay secret", what)
	}
	return nil
}

// ended returns a context that was cancelled and one whose deadline has passed, each with
// the error it must give.
func ended(ctx context.Context) map[error]context.Context {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	late, cancel := context.WithTimeout(ctx, 0)
	cancel()
	return map[error]context.Context{context.Canceled: cancelled, context.DeadlineExceeded: late}
}
