package vault_test

import (
	"testing"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/secretstest"
)

func TestKVContract(t *testing.T) {
	secretstest.RunVault(t, func(t *testing.T) secrets.Vault { return newServer(t).keyValue(t) })
}

func TestTransitContract(t *testing.T) {
	secretstest.RunKeeper(t, func(t *testing.T) secrets.Keeper { return newServer(t).keeper(t) })
}
