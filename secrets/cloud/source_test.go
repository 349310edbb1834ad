package cloud_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/cloud"
)

func TestFetch(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"plain": "value", "empty": "", "object": `{"token":"t0ken","number":1,"nothing":""}`, "large": strings.Repeat("x", secrets.MaxValue+1),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, decoder := range []string{"string", "bytes"} {
		s, err := cloud.NewSource("file://" + dir + "/{}?decoder=" + decoder)
		require.NoError(t, err)
		for locator, want := range map[string]string{"plain": "value", "object#token": "t0ken"} {
			v, err := s.Fetch(t.Context(), locator)
			require.NoError(t, err, locator)
			assert.Equal(t, want, v.Reveal())
		}
		for locator, want := range map[string]error{
			"missing": secrets.ErrNotFound, "empty": secrets.ErrNotFound, "object#other": secrets.ErrNotFound, "object#nothing": secrets.ErrNotFound,
			"object#number": secrets.ErrInvalid, "plain#token": secrets.ErrInvalid, "large": secrets.ErrInvalid, "../x": secrets.ErrInvalid, "": secrets.ErrInvalid,
		} {
			v, err := s.Fetch(t.Context(), locator)
			require.ErrorIs(t, err, want, locator)
			assert.True(t, v.IsZero())
			assert.NotContains(t, err.Error(), "t0ken")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Fetch(ended, "plain")
		require.ErrorIs(t, err, context.Canceled)
	}
	s, err := cloud.NewSource("file://" + dir + "/{}?decoder=jsonmap")
	require.NoError(t, err)
	_, err = s.Fetch(t.Context(), "object")
	require.ErrorIs(t, err, secrets.ErrInvalid)
}

func TestTemplates(t *testing.T) {
	for _, good := range []string{
		"awssecretsmanager://{}?region=eu-central-1&decoder=string", "gcpsecretmanager://projects/p/secrets/{}?decoder=string", "file:///run/{}",
	} {
		_, err := cloud.NewSource(good)
		assert.NoError(t, err, good)
	}
	for _, bad := range []string{"", "file:///run/x", "file:///{}/{}", "file:///x?a={}", "file:///x#{}", "file:///{}#x", "other://{}", "{}", "file://%zz/{}"} {
		_, err := cloud.NewSource(bad)
		assert.ErrorIs(t, err, secrets.ErrInvalid, bad)
	}
}
