package histories_test

import (
	"path/filepath"
	"testing"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
	"github.com/integrationhub/hub/storage/sqlite"
)

// Stores in files on a disk that fills up while they write.
func TestFullDisk(t *testing.T) {
	const size = 8 << 20
	for name, open := range map[string]func(t *testing.T, path string) (storage.Store, error){
		"SQLite": func(t *testing.T, path string) (storage.Store, error) { return sqlite.Open(t.Context(), path, nil) },
		"bolt":   func(t *testing.T, path string) (storage.Store, error) { return bolt.Open(t.Context(), path, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := dbtest.NewDisk(t, size)
			dbtest.FullDisk(t, disk, func() (storage.Store, error) { return open(t, filepath.Join(disk.Dir(), "hub")) })
		})
	}
}
