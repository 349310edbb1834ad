//go:build unix

package bolt_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// A machine that loses its power while a write is under way leaves some of its sectors
// behind, and the pages that lead to them only once all of the others are on the disk. The
// store opens, with what was acknowledged, and the write is whole or not there.
func TestTornWrite(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 10 {
		before := read(t, path)
		_, err := fill(t.Context(), s, n, n+1)
		require.NoError(t, err)
		if n == 0 {
			continue
		}
		after := read(t, path)
		leading := 2 * os.Getpagesize() // the bytes of the two pages that lead to all others
		for range 10 {
			data := bytes.Clone(after)
			copy(data, before[:leading])
			for at := leading; at < len(before); at += sector {
				if random.IntN(2) == 0 {
					copy(data[at:at+sector], before[at:])
				}
			}
			requireWhole(t, data, n, n)

			head := bytes.Clone(after)
			cut := random.IntN(leading)
			copy(head[cut:leading], before[cut:leading])
			requireWhole(t, head, n, n+1)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// requireWhole opens a file and demands that it holds least to most writes, and takes more.
func requireWhole(t *testing.T, file []byte, least, most int) {
	t.Helper()
	path := newPath(t)
	require.NoError(t, os.WriteFile(path, file, 0o600))
	s := open(t, path)
	counter, err := s.Get(t.Context(), storage.Key{Kind: "thing", ID: "counter"})
	require.NoError(t, err)
	n := int(counter.Revision)
	assert.True(t, least <= n && n <= most, "%d writes, at least %d and at most %d", n, least, most)
	require.NoError(t, whole(t.Context(), s, n))
	_, err = fill(t.Context(), s, n, n+1)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
