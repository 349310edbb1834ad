package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "100%.db", "a%20b.db", "what?mode=memory", "hash#tag.db", ":memory:", "semi;colon&x=1", "ünï.db"} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), name)
			s, err := sqlite.Open(ctx, path, nil)
			require.NoError(t, err)
			require.NoError(t, s.Apply(ctx, storage.Create(storage.Record{Key: storage.Key{Kind: "k", ID: "i"}, Revision: 1})))
			assert.FileExists(t, path+"-wal")
			require.NoError(t, s.Close())
			assert.FileExists(t, path)
			assert.NoFileExists(t, path+"-wal")
		})
	}
}
