package secretstest

import (
	"context"

	"github.com/integrationhub/hub/secrets"
)

// The names of the checks that fail, for tests of the checks themselves.

func FailedVault(ctx context.Context, open func() secrets.Vault, lacks ...Lack) []string {
	return failed(ctx, vaultChecks(lacks), open)
}

func FailedReadOnly(ctx context.Context, open func() secrets.Vault, seeded secrets.Ref, value secrets.Value, lacks ...Lack) []string {
	return failed(ctx, readOnlyChecks(seeded, value, lacks), open)
}

func FailedKeeper(ctx context.Context, open func() secrets.Keeper) []string {
	return failed(ctx, keeperChecks, open)
}

func failed[T any](ctx context.Context, checks []check[T], open func() T) (names []string) {
	for _, c := range checks {
		if c.run(ctx, open()) != nil {
			names = append(names, c.name)
		}
	}
	return names
}
