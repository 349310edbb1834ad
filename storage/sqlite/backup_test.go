package sqlite_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/sqlite"
	"github.com/integrationhub/hub/storage/storagetest"
)

func TestContractOfBackups(t *testing.T) {
	storagetest.RunBackup(t,
		func(t *testing.T) storage.Store { return openIn(t, t.TempDir()) },
		func(t *testing.T, r io.Reader) (storage.Store, error) {
			path := filepath.Join(t.TempDir(), "restored.db")
			if err := sqlite.Restore(t.Context(), path, r, nil); err != nil {
				assertEmptyDir(t, filepath.Dir(path))
				return nil, err
			}
			return sqlite.Open(t.Context(), path, nil)
		})
}

func assertEmptyDir(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "what a failed call leaves behind")
}

func TestRestoreReplacesNothing(t *testing.T) {
	s := openIn(t, t.TempDir())
	defer s.Close()
	var backup bytes.Buffer
	require.NoError(t, s.(storage.Backuper).Backup(t.Context(), &backup))
	path := filepath.Join(t.TempDir(), "taken.db")
	require.NoError(t, os.WriteFile(path, []byte("dear"), 0o600))
	err := sqlite.Restore(t.Context(), path, &backup, nil)
	assert.ErrorContains(t, err, "there is a file of this name")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "dear", string(text))
}

// Nothing of a backup stays beside the database, and a backup is its owner's alone.
func TestBackupLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	require.NoError(t, s.Apply(t.Context(), storage.Create(storage.Record{Key: storage.Key{Kind: "k", ID: "i"}, Revision: 1})))
	modes := &looking{dir: dir, t: t}
	require.NoError(t, s.(storage.Backuper).Backup(t.Context(), modes))
	require.NoError(t, s.Close())
	assert.True(t, modes.looked)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// looking is a writer that looks at the files of a directory.
type looking struct {
	dir    string
	t      *testing.T
	looked bool
}

func (l *looking) Write(p []byte) (int, error) {
	entries, err := os.ReadDir(l.dir)
	require.NoError(l.t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(l.t, err)
		assert.Zero(l.t, info.Mode().Perm()&0o077, e.Name())
	}
	l.looked = true
	return len(p), nil
}

func TestCopyToAndFromMemory(t *testing.T) {
	src, dst := memory.New(), openIn(t, t.TempDir())
	defer dst.Close()
	for _, id := range []string{"a", "b\xff", "c "} {
		require.NoError(t, src.Apply(t.Context(), storage.Create(record(id))))
	}
	sum, err := storage.Copy(t.Context(), dst, src, nil)
	require.NoError(t, err)
	back := memory.New()
	again, err := storage.Copy(t.Context(), back, dst, nil)
	require.NoError(t, err)
	assert.Equal(t, sum, again)
}
