package sealed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/secrets/secretstest"
	"github.com/integrationhub/hub/storage/memory"
)

func TestContract(t *testing.T) {
	secretstest.RunVault(t, func(t *testing.T) secrets.Vault {
		return sealed.New(newStore(t), newKeyset(t))
	})
}

func newStore(t testing.TB) *memory.Store {
	store := memory.New()
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func newKeyset(t testing.TB) *keyset.Keyset {
	keys, err := keyset.Generate()
	require.NoError(t, err)
	return keys
}
