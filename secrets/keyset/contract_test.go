package keyset_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/secretstest"
)

func TestContract(t *testing.T) {
	secretstest.RunKeeper(t, func(t *testing.T) secrets.Keeper { return generate(t) })
}

func generate(t testing.TB) *keyset.Keyset {
	s, err := keyset.Generate()
	require.NoError(t, err)
	return s
}

func TestFileContract(t *testing.T) {
	secretstest.RunKeeper(t, func(t *testing.T) secrets.Keeper {
		_, f, _ := openFile(t)
		return f
	})
}
