package cloud_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/cloud"
	"github.com/integrationhub/hub/secrets/secretstest"
)

// given returns a variable of the environment, or else a default that needs no service.
func given(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// TestContract proves the contract on the key at HUB_TEST_KMS_URL, or on a local one.
func TestContract(t *testing.T) {
	url := given("HUB_TEST_KMS_URL", local())
	secretstest.RunKeeper(t, func(t *testing.T) secrets.Keeper { return open(t, cloud.Key{ID: "key-1", URL: url}) })
}

// TestFetchFromAService reads the secret HUB_TEST_SECRET_NAME, whose value is "value", from the
// secret manager at HUB_TEST_SECRET_URL, or one from a file.
func TestFetchFromAService(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/plain", []byte("value"), 0o600))
	s, err := cloud.NewSource(given("HUB_TEST_SECRET_URL", "file://"+dir+"/{}?decoder=string"))
	require.NoError(t, err)
	v, err := s.Fetch(t.Context(), given("HUB_TEST_SECRET_NAME", "plain"))
	require.NoError(t, err)
	assert.Equal(t, "value", v.Reveal())
	_, err = s.Fetch(t.Context(), "hub-test-there-is-no-such-secret")
	require.ErrorIs(t, err, secrets.ErrNotFound)
}
