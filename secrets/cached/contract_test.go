package cached_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/cached"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/secrets/secretstest"
	"github.com/integrationhub/hub/storage/memory"
)

func TestContract(t *testing.T) {
	secretstest.RunVault(t, func(t *testing.T) secrets.Vault {
		keeper, err := keyset.Generate()
		require.NoError(t, err)
		store := memory.New()
		v, err := cached.NewVault(sealed.New(store, keeper), nil)
		require.NoError(t, err)
		t.Cleanup(func() {
			v.Close()
			require.NoError(t, store.Close())
		})
		return v
	})
}
