package cloud_test

import (
	"crypto/rand"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/cloud"
)

// local returns the URL of a fresh key that needs no service.
func local() string {
	key := make([]byte, 32)
	rand.Read(key)
	return "base64key://" + base64.URLEncoding.EncodeToString(key)
}

func open(t testing.TB, primary cloud.Key, older ...cloud.Key) *cloud.Keeper {
	t.Helper()
	k, err := cloud.Open(t.Context(), primary, older...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

func TestAKeeperOpensWithOlderKeys(t *testing.T) {
	old, fresh := cloud.Key{ID: "old", URL: local()}, cloud.Key{ID: "fresh", URL: local()}
	box, err := open(t, old).Seal(t.Context(), "old", []byte("text"), []byte("aad"))
	require.NoError(t, err)
	both := open(t, fresh, old)
	id, err := both.KeyID(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "fresh", id)
	text, err := both.Open(t.Context(), "old", box, []byte("aad"))
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
	_, err = both.Open(t.Context(), "fresh", box, []byte("aad"))
	require.ErrorIs(t, err, secrets.ErrSealBroken)
	_, err = open(t, fresh).Open(t.Context(), "old", box, []byte("aad"))
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
	_, err = open(t, cloud.Key{ID: "old", URL: local()}).Open(t.Context(), "old", box, []byte("aad"))
	require.Error(t, err, "another key under the same id")
}

func TestKeysThatCannotBeOpened(t *testing.T) {
	good := cloud.Key{ID: "good", URL: local()}
	for name, key := range map[string]cloud.Key{
		"no id": {URL: local()}, "an id with a space": {ID: "a b", URL: local()}, "the same id": {ID: "good", URL: local()},
		"no URL": {ID: "x"}, "an unknown scheme": {ID: "x", URL: "other://canary"}, "no key": {ID: "x", URL: "base64key://canary"},
	} {
		_, err := cloud.Open(t.Context(), good, key)
		require.ErrorIs(t, err, secrets.ErrInvalid, name)
		assert.NotContains(t, err.Error(), "canary", name)
	}
}

// The services' URLs are known; without credentials that is all that can be shown here.
func TestTheServicesAreKnown(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, url := range []string{"awskms://alias/hub?region=eu-central-1", "azurekeyvault://hub.vault.azure.net/keys/k"} {
		open(t, cloud.Key{ID: "k", URL: url})
	}
}
