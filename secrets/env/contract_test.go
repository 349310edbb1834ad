package env_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/env"
	"github.com/integrationhub/hub/secrets/secretstest"
)

func TestContract(t *testing.T) {
	seeded := secrets.Ref{Tenant: "acme", Connector: "crm-eu", Name: "clientSecret", Generation: 3, Binding: "https://api.example.com"}
	value := secrets.New("s3cr3t = \t%x ü")
	secretstest.RunReadOnlyVault(t, func(t *testing.T) secrets.Vault {
		v := open(t, nil)
		t.Setenv(v.Variable(seeded.Tenant, seeded.Connector, seeded.Name), value.Reveal())
		return v
	}, seeded, value, secretstest.LacksBinding, secretstest.LacksGenerations)
}

func open(t testing.TB, opts *env.Options) *env.Vault {
	v, err := env.New(opts)
	require.NoError(t, err)
	return v
}
