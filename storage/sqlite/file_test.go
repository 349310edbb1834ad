//go:build unix

package sqlite_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

// Not even a process that forgets its umask leaves a file that others can read.
func TestFilesAreTheirOwnersAlone(t *testing.T) {
	path := newPath(t)
	defer syscall.Umask(syscall.Umask(0))
	s := open(t, path, nil)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
	for _, ending := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + ending)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "mode of the file %q", ending)
	}
}

func TestLooseFilesRefused(t *testing.T) {
	for _, ending := range []string{"", "-wal", "-shm", "-journal"} {
		for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o620, 0o601} {
			path := newPath(t)
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, os.WriteFile(path+ending, nil, 0o600))
			require.NoError(t, os.Chmod(path+ending, mode))
			_, err := sqlite.Open(t.Context(), path, nil)
			assert.ErrorContains(t, err, "run chmod 600 on it", "mode %o of the file %q", mode, ending)
			require.NoError(t, os.Chmod(path+ending, 0o600))
		}
	}
}

func TestLinkLeadsToTheRealFile(t *testing.T) {
	path, link := newPath(t), newPath(t)
	require.NoError(t, open(t, path, nil).Apply(t.Context(), storage.Create(record("a"))))
	require.NoError(t, os.Symlink(path, link))
	_, err := open(t, link, nil).Get(t.Context(), record("a").Key)
	assert.NoError(t, err)
	assert.NoFileExists(t, link+"-wal")

	require.NoError(t, os.Chmod(path+"-wal", 0o644))
	_, err = sqlite.Open(t.Context(), link, nil)
	assert.ErrorContains(t, err, "run chmod 600 on it", "the files beside the real one count")
}

func TestPathsRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, make([]byte, 9000), 0o600))
	require.NoError(t, os.WriteFile(text, []byte("this is no database, and long enough to tell by its first page"), 0o600))
	dangling := filepath.Join(dir, "dangling")
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), dangling))
	for name, c := range map[string]struct{ path, want string }{
		"no directory":   {filepath.Join(dir, "none", "hub.db"), "the directory does not exist"},
		"a directory":    {dir, "is not a regular file"},
		"not a database": {text, "file is not a database"},
		"dangling link":  {dangling, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlite.Open(t.Context(), c.path, nil)
			assert.ErrorContains(t, err, c.want)
		})
	}
	content, err := os.ReadFile(text)
	require.NoError(t, err)
	assert.Contains(t, string(content), "this is no database", "what is not a database is left alone")
}

// nobody is a user id that owns nothing.
const nobody = 65534

// openAndWrite is a child that, unlike root, must heed permissions.
func openAndWrite(ctx context.Context, path string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			return err
		}
	}
	s, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Apply(ctx, storage.Create(record("b")))
}

// give makes the file nobody's if this is root, who can.
func give(t *testing.T, path string, mode fs.FileMode) {
	require.NoError(t, os.Chmod(path, mode))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(path, nobody, -1))
	}
}

// newDir returns a directory that nobody can reach too.
func newDir(t *testing.T) string {
	temp := t.TempDir()
	for _, above := range []string{temp, filepath.Dir(temp)} {
		require.NoError(t, os.Chmod(above, 0o755))
	}
	dir := filepath.Join(temp, "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

func TestPermissionsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		file, dir fs.FileMode
		want      string // empty: it works
	}{
		"all there":           {0o600, 0o700, ""},
		"read-only file":      {0o400, 0o700, "the file must be readable and writable: permission denied"},
		"write-only file":     {0o200, 0o700, "the file must be readable and writable: permission denied"},
		"read-only directory": {0o600, 0o500, "the directory must be writable"},
		"closed directory":    {0o600, 0o000, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			path := filepath.Join(dir, "hub.db")
			s, err := sqlite.Open(t.Context(), path, nil)
			require.NoError(t, err)
			require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
			require.NoError(t, s.Close())
			give(t, path, c.file)
			give(t, dir, c.dir)

			out, err := child(t, "opener", path).CombinedOutput()
			if c.want == "" {
				assert.NoError(t, err, string(out))
			} else {
				assert.Error(t, err)
				assert.Contains(t, string(out), c.want)
			}

			require.NoError(t, os.Chmod(dir, 0o700))
			require.NoError(t, os.Chmod(path, 0o600))
			_, err = open(t, path, nil).Get(t.Context(), record("a").Key)
			assert.NoError(t, err, "the file is unharmed")
		})
	}
}

func TestNewFileInReadOnlyDirectory(t *testing.T) {
	dir := newDir(t)
	give(t, dir, 0o500)
	out, err := child(t, "opener", filepath.Join(dir, "hub.db")).CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "create the file: permission denied")
	require.NoError(t, os.Chmod(dir, 0o700))
}
