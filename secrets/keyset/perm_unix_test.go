//go:build unix

package keyset_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets/keyset"
)

func TestCreatedFileIsPrivate(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		dir := newDir(t)
		old := syscall.Umask(umask)
		path := filepath.Join(dir, "hub.keyset")
		_, err := keyset.Create(path)
		syscall.Umask(old)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "umask %03o", umask)
	}
}

func TestLooseFileIsRefused(t *testing.T) {
	path := filepath.Join(newDir(t), "it's a keyset")
	_, err := keyset.Create(path)
	require.NoError(t, err)
	for bit := range 6 {
		mode := fs.FileMode(0o600 | 1<<bit)
		require.NoError(t, os.Chmod(path, mode))
		_, err := keyset.Open(path)
		require.ErrorContains(t, err, fmt.Sprintf("mode %04o", mode))
		require.ErrorContains(t, err, "chmod 600 ")
	}
	for _, mode := range []fs.FileMode{0o400, 0o600, 0o700} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := keyset.Open(path)
		require.NoError(t, err, "mode %04o", mode)
	}
}

// TestTheFixWorks runs the command that the error names.
func TestTheFixWorks(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "it's $HOME `a` keyset")
	_, err := keyset.Create(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, os.Chmod(dir, 0o777))
	for range 2 {
		_, err = keyset.Open(path)
		require.Error(t, err)
		require.NoError(t, exec.Command("sh", "-c", command(t, err)).Run())
	}
	_, err = keyset.Open(path)
	require.NoError(t, err)
}

// command returns the command in the text of err.
func command(t testing.TB, err error) string {
	_, after, ok := strings.Cut(err.Error(), ": run ")
	require.True(t, ok, err)
	before, _, _ := strings.Cut(after, ", or use another")
	return before
}

func TestLooseDirectoryIsRefused(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "hub.keyset")
	_, err := keyset.Create(path)
	require.NoError(t, err)
	for _, mode := range []fs.FileMode{0o777, 0o777 | fs.ModeSticky, 0o702} {
		require.NoError(t, os.Chmod(dir, mode))
		_, err := keyset.Open(path)
		require.ErrorContains(t, err, "chmod o-w")
		_, err = keyset.Create(filepath.Join(dir, "other.keyset"))
		require.ErrorContains(t, err, "chmod o-w")
	}
	require.NoError(t, os.Chmod(dir, 0o755))
	_, err = keyset.Open(path)
	require.NoError(t, err)
	assert.Equal(t, []string{"hub.keyset"}, names(t, dir))
}

func TestLinks(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "hub.keyset")
	_, err := keyset.Create(path)
	require.NoError(t, err)
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(path, link))
	_, err = keyset.Open(link)
	require.NoError(t, err, "a link is followed")
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = keyset.Open(link)
	require.ErrorContains(t, err, "chmod 600", "and what it names is checked")

	dangling := filepath.Join(dir, "dangling")
	require.NoError(t, os.Symlink(filepath.Join(dir, "none"), dangling))
	_, err = keyset.Create(dangling)
	require.ErrorIs(t, err, fs.ErrExist, "a link is never written through")
}

func TestPipeDoesNotBlock(t *testing.T) {
	path := filepath.Join(newDir(t), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err := keyset.Open(path)
	require.ErrorContains(t, err, "not a regular file")
}
