package bolt_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
	"github.com/integrationhub/hub/storage/storagetest"
)

// restored opens the store that a backup makes.
func restored(t *testing.T, r io.Reader) (storage.Store, error) {
	path := filepath.Join(t.TempDir(), "restored.bolt")
	if err := bolt.Restore(t.Context(), path, r); err != nil {
		entries, dirErr := os.ReadDir(filepath.Dir(path))
		require.NoError(t, dirErr)
		assert.Empty(t, entries, "what a failed call leaves behind")
		return nil, err
	}
	return bolt.Open(t.Context(), path, nil)
}

func TestContractOfBackups(t *testing.T) {
	storagetest.RunBackup(t, func(t *testing.T) storage.Store { return openIn(t, t.TempDir()) }, restored)
}

// A backup leaves nothing beside the file, also when it fails.
func TestBackupLeavesNothingBehind(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	require.NoError(t, s.Apply(t.Context(), storage.Create(thing("a"))))
	require.NoError(t, s.Backup(t.Context(), io.Discard))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Backup(ended, io.Discard), context.Canceled)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestRestoreReplacesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken.bolt")
	require.NoError(t, os.WriteFile(path, []byte("dear"), 0o600))
	err := bolt.Restore(t.Context(), path, bytes.NewReader(nil))
	assert.ErrorContains(t, err, "there is a file of this name")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "dear", string(text))
}

// A damaged backup is refused or harmless; in no case does it end the process.
func TestRestoreOfDamagedBackups(t *testing.T) {
	s := openIn(t, t.TempDir())
	defer s.Close()
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, s.Apply(t.Context(), storage.Create(storage.Record{
			Key: storage.Key{Kind: "k", ID: id}, Name: id, Revision: 1, Data: bytes.Repeat([]byte(id), 3000),
		})))
	}
	var whole bytes.Buffer
	require.NoError(t, s.(storage.Backuper).Backup(t.Context(), &whole))
	page := os.Getpagesize()
	refused := 0
	for at := 0; at < whole.Len(); at += page / 8 {
		damaged := bytes.Clone(whole.Bytes())
		for i := at; i < at+16; i++ {
			damaged[i] ^= 0xff
		}
		r, err := restored(t, bytes.NewReader(damaged))
		if err != nil {
			refused++
			continue
		}
		require.NoError(t, r.Close())
	}
	assert.Positive(t, refused)
}
