package memory_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/storagetest"
)

func TestContractOfBackups(t *testing.T) {
	storagetest.RunBackup(t,
		func(*testing.T) storage.Store { return memory.New() },
		func(t *testing.T, r io.Reader) (storage.Store, error) { return memory.Restore(t.Context(), r) })
}

// backup returns the backup of a store with one record.
func backup(t testing.TB) []byte {
	s := memory.New()
	require.NoError(t, s.Apply(t.Context(), storage.Create(storage.Record{
		Key: storage.Key{Tenant: "t", Kind: "k", ID: "i"}, Name: "n", Revision: 1,
		Labels: []storage.Label{{Key: "a", Value: "b"}}, Data: []byte("data"),
	})))
	var out bytes.Buffer
	require.NoError(t, s.Backup(t.Context(), &out))
	return out.Bytes()
}

func TestRestoreRefusesEveryFlippedBit(t *testing.T) {
	whole := backup(t)
	for i := range whole {
		for bit := range 8 {
			changed := bytes.Clone(whole)
			changed[i] ^= 1 << bit
			_, err := memory.Restore(t.Context(), bytes.NewReader(changed))
			assert.Error(t, err, "bit %d of byte %d", bit, i)
		}
	}
}

// Whatever is read, it is a backup or an error.
func FuzzRestore(f *testing.F) {
	f.Add(backup(f))
	f.Add([]byte("hub memory backup 1\n\x00\x00\x00\x00"))
	f.Add([]byte("hub memory backup 1\n\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := memory.Restore(context.Background(), bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		require.NoError(t, s.Backup(context.Background(), &again))
		require.NoError(t, s.Close())
	})
}
