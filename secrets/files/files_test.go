package files_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/files"
)

var usual = secrets.Ref{Tenant: "acme", Connector: "crm", Name: "apiKey"}

func get(t testing.TB, v *files.Vault, ref secrets.Ref) string {
	t.Helper()
	value, err := v.Get(t.Context(), ref)
	require.NoError(t, err)
	return value.Reveal()
}

// mount lays out a Secret as the kubelet does: the files are links into ..data, which is a
// link to a folder of its own time.
func mount(t testing.TB, dir, time string, values map[string]string) {
	t.Helper()
	for name, value := range values {
		write(t, dir, filepath.Join("..", filepath.Base(dir), ".."+time, name), value)
		if err := os.Symlink("..data/"+name, filepath.Join(dir, name)); err != nil {
			require.ErrorIs(t, err, os.ErrExist)
		}
	}
	require.NoError(t, os.Symlink(".."+time, filepath.Join(dir, "..data_tmp")))
	require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
}

func TestASecretOfKubernetesIsReadAndReadAgain(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "acme", "crm")
	require.NoError(t, os.MkdirAll(secret, 0o700))
	mount(t, secret, "2026_03_01", map[string]string{"apiKey": "first", "other.key": "x"})
	v := open(t, dir, nil)
	assert.Equal(t, "first", get(t, v, usual))
	refs, err := v.List(t.Context(), "acme", "crm")
	require.NoError(t, err)
	other := usual
	other.Name = "other.key"
	assert.Equal(t, []secrets.Ref{usual, other}, refs, "neither ..data nor the folders behind it")

	mount(t, secret, "2026_03_02", map[string]string{"apiKey": "second", "other.key": "x"})
	require.NoError(t, os.RemoveAll(filepath.Join(secret, "..2026_03_01")))
	assert.Equal(t, "second", get(t, v, usual))
}

func TestNothingOutsideOfTheDirectoryIsRead(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("not yours"), 0o600))
	dir := t.TempDir()
	folder := filepath.Join(dir, "acme", "crm")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	relative, err := filepath.Rel(folder, outside)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(outside, filepath.Join(folder, "absolute")))
	require.NoError(t, os.Symlink(relative, filepath.Join(folder, "relative")))
	require.NoError(t, os.Symlink(filepath.Dir(outside), filepath.Join(dir, "folder")))
	v := open(t, dir, nil)
	for _, name := range []string{"absolute", "relative"} {
		value, err := v.Get(t.Context(), secrets.Ref{Tenant: "acme", Connector: "crm", Name: name})
		require.Error(t, err, name)
		assert.True(t, value.IsZero())
	}
	for _, locator := range []string{"../outside", "acme/crm/absolute", "folder/outside", "/etc/passwd", "acme/../../outside"} {
		value, err := v.Fetch(t.Context(), locator)
		require.Error(t, err, locator)
		assert.True(t, value.IsZero())
	}
	refs, err := v.List(t.Context(), "acme", "crm")
	require.NoError(t, err)
	assert.Empty(t, refs)
}

func TestWhatIsNoSecret(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, nil)
	write(t, dir, "acme/crm/loose", "x")
	require.NoError(t, os.Chmod(filepath.Join(dir, "acme/crm/loose"), 0o602))
	write(t, dir, "acme/crm/large", strings.Repeat("x", secrets.MaxValue+1))
	write(t, dir, "acme/crm/empty", "")
	write(t, dir, "acme/crm/folder/file", "x")
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "acme/crm/pipe"), 0o600))
	for name, want := range map[string]error{
		"loose": secrets.ErrInvalid, "large": secrets.ErrInvalid, "folder": secrets.ErrInvalid, "pipe": secrets.ErrInvalid,
		"empty": secrets.ErrNotFound, "missing": secrets.ErrNotFound, strings.Repeat("%", 255): secrets.ErrNotFound,
	} {
		_, err := v.Get(t.Context(), secrets.Ref{Tenant: "acme", Connector: "crm", Name: name})
		assert.ErrorIs(t, err, want, name)
	}
	_, err := v.Get(t.Context(), secrets.Ref{Tenant: "acme", Connector: strings.Repeat("%", 255), Name: "x"})
	require.ErrorIs(t, err, secrets.ErrNotFound)
	_, err = v.Fetch(t.Context(), "acme/crm/large/below")
	require.ErrorIs(t, err, secrets.ErrNotFound)
}

func TestValuesOfTheLargestSize(t *testing.T) {
	dir := t.TempDir()
	large := strings.Repeat("x", secrets.MaxValue)
	write(t, dir, "acme/crm/apiKey", large)
	assert.Equal(t, large, get(t, open(t, dir, nil), usual))
	write(t, dir, "acme/crm/apiKey", large+"\r\n")
	assert.Equal(t, large, get(t, open(t, dir, &files.Options{TrimNewline: true}), usual))
}

func TestTrimNewline(t *testing.T) {
	dir := t.TempDir()
	trimming, plain := open(t, dir, &files.Options{TrimNewline: true}), open(t, dir, nil)
	for text, want := range map[string]string{"a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "a": "a", "\na": "\na", "a\r": "a\r"} {
		write(t, dir, "acme/crm/apiKey", text)
		assert.Equal(t, want, get(t, trimming, usual), "%q", text)
		assert.Equal(t, text, get(t, plain, usual))
	}
	write(t, dir, "acme/crm/apiKey", "\n")
	_, err := trimming.Get(t.Context(), usual)
	assert.ErrorIs(t, err, secrets.ErrNotFound)
}

func TestFetch(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, nil)
	write(t, dir, "kv/acme/crm.token", "value")
	value, err := v.Fetch(t.Context(), "kv/acme/crm.token")
	require.NoError(t, err)
	assert.Equal(t, "value", value.Reveal())
	for locator, want := range map[string]error{
		"kv/acme/other": secrets.ErrNotFound, "kv/acme/crm.token#field": secrets.ErrInvalid,
		"kv//acme": secrets.ErrInvalid, "": secrets.ErrInvalid, "kv/acme": secrets.ErrInvalid,
	} {
		_, err := v.Fetch(t.Context(), locator)
		assert.ErrorIs(t, err, want, locator)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = v.Fetch(ended, "kv/acme/crm.token")
	assert.ErrorIs(t, err, context.Canceled)
}

// What reads while others write gets one of the values whole.
func TestAFileThatIsWrittenMeanwhile(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, nil)
	values := []string{strings.Repeat("a", 50_000), strings.Repeat("b", 50_000)}
	write(t, dir, "acme/crm/apiKey", values[0])
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			f, err := os.OpenFile(filepath.Join(dir, "tmp"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return
			}
			_, _ = f.WriteString(values[i%2])
			_ = f.Close()
			_ = os.Rename(f.Name(), filepath.Join(dir, "acme/crm/apiKey"))
		}
	}()
	for range 100 {
		value, err := v.Get(t.Context(), usual)
		if err == nil {
			assert.Contains(t, values, value.Reveal())
		}
	}
	<-done
	assert.Contains(t, values, get(t, v, usual))
}

func TestNewWantsADirectory(t *testing.T) {
	_, err := files.New(filepath.Join(t.TempDir(), "missing"), nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzPath(f *testing.F) {
	f.Add("acme", "crm", "key", "beta", "crm", "key")
	f.Add("", "a", "b", "@", "a", "b")
	f.Add("A", "a", "..", "%41", "a", ".")
	f.Add("a/b", "c", "d", "a", "b/c", "d")
	f.Fuzz(func(t *testing.T, tenant, connector, name, tenant2, connector2, name2 string) {
		if connector == "" || name == "" || connector2 == "" || name2 == "" {
			return
		}
		v := &files.Vault{}
		one, other := v.Path(tenant, connector, name), v.Path(tenant2, connector2, name2)
		equal := tenant == tenant2 && connector == connector2 && name == name2
		assert.Equal(t, equal, one == other)
		if tenant != tenant2 || connector != connector2 {
			assert.False(t, strings.EqualFold(filepath.Dir(one), filepath.Dir(other)))
		}
		assert.True(t, filepath.IsLocal(one))
		assert.Equal(t, 2, strings.Count(one, "/"))
		assert.Equal(t, filepath.Clean(one), one)
	})
}
