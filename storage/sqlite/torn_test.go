//go:build unix

package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage/sqlite"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// A machine that loses its power may leave any part of the journal behind that was not
// synced: a beginning of it, with a sector that was not written, or with garbage after it.
// What was acknowledged before is there, and of the rest each write is whole or not there.
func TestTornJournal(t *testing.T) {
	const writes = 12
	path := newPath(t)
	s := open(t, path, nil)
	ends := []int{0} // size of the journal after each write
	for n := range int64(writes) {
		_, err := fill(t.Context(), s, n, n+1)
		require.NoError(t, err)
		ends = append(ends, len(read(t, path+"-wal")))
	}
	database, journal := read(t, path), read(t, path+"-wal")
	require.Less(t, ends[writes-1], ends[writes], "the journal grew with each write: the database is still that of before")

	opened := 0
	for cut := ends[1]; cut <= len(journal); cut += sector * 97 {
		synced := int64(0) // writes whose part of the journal lies below the cut
		for synced < writes && ends[synced+1] <= cut {
			synced++
		}
		rest := len(journal) - cut
		for name, torn := range map[string][]byte{
			"nothing after it":   journal[:cut],
			"zeros after it":     append(bytes.Clone(journal[:cut]), make([]byte, rest)...),
			"garbage after it":   append(bytes.Clone(journal[:cut]), bytes.Repeat([]byte{0xa5}, rest)...),
			"a sector left out":  without(journal, cut),
			"sectors in reverse": append(bytes.Clone(journal[:cut]), reversed(journal[cut:])...),
		} {
			requireWholeAfter(t, name, database, torn, synced)
			opened++
		}
	}
	assert.Greater(t, opened, 100)
}

// without returns the journal as it is when the sector at cut was never written.
func without(journal []byte, cut int) []byte {
	torn := bytes.Clone(journal)
	clear(torn[cut:min(cut+sector, len(torn))])
	return torn
}

// reversed returns the sectors of b, the last first.
func reversed(b []byte) (out []byte) {
	for len(b) > 0 {
		at := (len(b) - 1) / sector * sector
		out = append(out, b[at:]...)
		b = b[:at]
	}
	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// requireWholeAfter opens a database with a journal and demands at least these writes.
func requireWholeAfter(t *testing.T, name string, database, journal []byte, least int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "torn.db")
	require.NoError(t, os.WriteFile(path, database, 0o600))
	require.NoError(t, os.WriteFile(path+"-wal", journal, 0o600))
	s, err := sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err, name)
	counter, err := s.Get(t.Context(), record("counter").Key)
	require.NoError(t, err, name)
	assert.GreaterOrEqual(t, counter.Revision, least, name)
	assert.NoError(t, whole(t.Context(), s, counter.Revision), name)
	_, err = fill(t.Context(), s, counter.Revision, counter.Revision+1)
	assert.NoError(t, err, name)
	require.NoError(t, s.Close())
	requireIntact(t, path)
}
