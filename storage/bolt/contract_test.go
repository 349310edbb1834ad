package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
	"github.com/integrationhub/hub/storage/storagetest"
)

func openIn(t *testing.T, dir string) storage.Store {
	s, err := bolt.Open(t.Context(), filepath.Join(dir, "hub.bolt"), nil)
	require.NoError(t, err)
	return s
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return openIn(t, t.TempDir()) })
}

func TestContractAcrossOpenings(t *testing.T) { storagetest.RunPersistent(t, openIn) }
