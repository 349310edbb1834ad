package keyset_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets/keyset"
)

// newDir returns a directory that only its owner may write to, whatever the umask is.
func newDir(t testing.TB) string {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	return dir
}

// names returns what is in a directory.
func names(t testing.TB, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestCreateAndOpen(t *testing.T) {
	for _, name := range []string{"hub.keyset", "with space", "it's ? 50% #ü"} {
		dir := newDir(t)
		path := filepath.Join(dir, name)
		made, err := keyset.Create(path)
		require.NoError(t, err)
		opened, err := keyset.Open(path)
		require.NoError(t, err)
		assert.True(t, made.Encode().Equal(opened.Encode()))
		assert.Equal(t, []string{name}, names(t, dir), "and nothing else is left")
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(newDir(t))
	_, err := keyset.Create("hub.keyset")
	require.NoError(t, err)
	_, err = keyset.Open("hub.keyset")
	require.NoError(t, err)
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "hub.keyset")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	s, err := keyset.Create(path)
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorContains(t, err, path)
	assert.Nil(t, s)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(kept))
	assert.Equal(t, []string{"hub.keyset"}, names(t, dir))
}

func TestCreateRace(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "hub.keyset")
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() { _, errs[i] = keyset.Create(path) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, fs.ErrExist)
	}
	assert.Equal(t, 1, won)
	assert.Equal(t, []string{"hub.keyset"}, names(t, dir))
	_, err := keyset.Open(path)
	require.NoError(t, err)
}

func TestOpenRefuses(t *testing.T) {
	dir := newDir(t)
	cut := filepath.Join(dir, "cut")
	require.NoError(t, os.WriteFile(cut, []byte(goldenKeyset[:100]), 0o600))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	endless := filepath.Join(dir, "endless")
	require.NoError(t, os.WriteFile(endless, []byte(goldenKeyset), 0o600))
	require.NoError(t, os.Truncate(endless, 1<<30))
	tests := map[string]struct{ path, rule string }{
		"cut":       {cut, "not a keyset"},
		"empty":     {empty, "not a keyset"},
		"endless":   {endless, "more than"},
		"directory": {dir, "not a regular file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := keyset.Open(test.path)
			require.ErrorContains(t, err, test.rule)
			require.ErrorContains(t, err, test.path)
			assert.Nil(t, s)
			require.NotErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

func TestNoFile(t *testing.T) {
	for _, path := range []string{filepath.Join(newDir(t), "none"), filepath.Join(newDir(t), "none", "none")} {
		_, err := keyset.Open(path)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, path)
	}
	_, err := keyset.Create(filepath.Join(newDir(t), "none", "hub.keyset"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestFromEnv(t *testing.T) {
	t.Setenv("TEST_KEYSET", goldenKeyset)
	s, err := keyset.FromEnv("TEST_KEYSET")
	require.NoError(t, err)
	assert.Equal(t, "k_991082bc8d637910", primary(t, s))

	t.Setenv("TEST_KEYSET", "hunter2")
	_, err = keyset.FromEnv("TEST_KEYSET")
	require.ErrorContains(t, err, "TEST_KEYSET")
	assert.NotContains(t, err.Error(), "hunter2")

	for _, value := range []string{"", goldenKeyset} {
		t.Setenv("TEST_KEYSET", value)
		_, err = keyset.FromEnv("TEST_KEYSET_2")
		require.ErrorContains(t, err, `"TEST_KEYSET_2" is not set or empty`)
	}
}
