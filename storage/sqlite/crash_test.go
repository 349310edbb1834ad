//go:build unix

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/crashtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

// A writer is killed at random moments, again and again. No write that it acknowledged may be
// missing, none may be there in part, and every opening succeeds.
func TestKilledWriter(t *testing.T) {
	crashtest.Run(t, crashtest.Subject{
		Place:  func(t *testing.T) string { return filepath.Join(t.TempDir(), "hub.db") },
		Writer: func(t *testing.T, path string) *exec.Cmd { return child(t, "writer", path) },
		Open: func(t *testing.T, path string) (storage.Store, error) {
			requireIntact(t, path)
			return sqlite.Open(t.Context(), path, nil)
		},
	})
}

func writeUntilKilled(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	return crashtest.Write(ctx, s)
}

// requireIntact lets SQLite itself check the file, unless the writer died before it made one:
// SQLite would make it here, for others to read.
func requireIntact(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return
	}
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	var verdict string
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
	require.Equal(t, "ok", verdict)
}
