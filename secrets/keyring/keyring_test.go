package keyring_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	system "github.com/zalando/go-keyring"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyring"
	"github.com/integrationhub/hub/secrets/secretstest"
)

// These tests run on the library's keyring in memory, and on a real one: TestOnASecretService.
func TestContract(t *testing.T) {
	secretstest.RunKeeper(t, func(t *testing.T) secrets.Keeper {
		empty(t)
		k, err := keyring.OpenOrCreate(t.Context(), "hub", "keys", true)
		require.NoError(t, err)
		return k
	})
}

func TestTheKeysetIsFoundAgain(t *testing.T) {
	empty(t)
	_, err := keyring.OpenOrCreate(t.Context(), "hub", "keys", false)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
	first, err := keyring.OpenOrCreate(t.Context(), "hub", "keys", true)
	require.NoError(t, err)
	id, err := first.KeyID(t.Context())
	require.NoError(t, err)
	box, err := first.Seal(t.Context(), id, []byte("text"), nil)
	require.NoError(t, err)
	for _, create := range []bool{true, false} {
		again, err := keyring.OpenOrCreate(t.Context(), "hub", "keys", create)
		require.NoError(t, err)
		text, err := again.Open(t.Context(), id, box, nil)
		require.NoError(t, err)
		assert.Equal(t, "text", string(text))
	}
	other, err := keyring.OpenOrCreate(t.Context(), "hub", "other", true)
	require.NoError(t, err)
	_, err = other.Open(t.Context(), id, box, nil)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
}

func TestAnItemThatIsNoKeysetIsLeftAlone(t *testing.T) {
	empty(t)
	require.NoError(t, system.Set("hub", "keys", "canary"))
	_, err := keyring.OpenOrCreate(t.Context(), "hub", "keys", true)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "canary")
	text, err := system.Get("hub", "keys")
	require.NoError(t, err)
	assert.Equal(t, "canary", text)
}

func TestFetch(t *testing.T) {
	empty(t)
	require.NoError(t, system.Set("crm", "ada@example.com", "value"))
	require.NoError(t, system.Set("crm", "a/b", "deeper"))
	require.NoError(t, system.Set("crm", "empty", ""))
	var s keyring.Source
	for locator, want := range map[string]string{"crm/ada@example.com": "value", "crm/a/b": "deeper"} {
		v, err := s.Fetch(t.Context(), locator)
		require.NoError(t, err)
		assert.Equal(t, want, v.Reveal())
	}
	for locator, want := range map[string]error{
		"crm/other": secrets.ErrNotFound, "other/ada@example.com": secrets.ErrNotFound, "crm/empty": secrets.ErrNotFound,
		"crm": secrets.ErrInvalid, "": secrets.ErrInvalid, "crm/a#b": secrets.ErrInvalid, "crm/../x": secrets.ErrInvalid,
	} {
		_, err := s.Fetch(t.Context(), locator)
		assert.ErrorIs(t, err, want, locator)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Fetch(ended, "crm/ada@example.com")
	require.ErrorIs(t, err, context.Canceled)
}

func TestAKeyringThatIsNotThere(t *testing.T) {
	system.MockInitWithError(errors.New("canary: dbus-launch not found"))
	_, err := keyring.OpenOrCreate(t.Context(), "hub", "keys", true)
	require.EqualError(t, err, "keyring: the keyring of this system is not there, or is locked")
	_, err = keyring.Source{}.Fetch(t.Context(), "crm/a")
	require.Error(t, err)
	assert.NotErrorIs(t, err, secrets.ErrNotFound, "an outage is no answer")
	for _, pair := range [][2]string{{"", "keys"}, {"hub", ""}} {
		_, err := keyring.OpenOrCreate(t.Context(), pair[0], pair[1], true)
		require.ErrorIs(t, err, secrets.ErrInvalid)
	}
}
