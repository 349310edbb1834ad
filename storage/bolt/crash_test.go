//go:build unix

package bolt_test

import (
	"context"
	"os/exec"
	"testing"

	"github.com/integrationhub/hub/internal/crashtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
)

// A writer is killed at random moments, again and again. No write that it acknowledged may be
// missing, none may be there in part, and every opening succeeds.
func TestKilledWriter(t *testing.T) {
	crashtest.Run(t, crashtest.Subject{
		Place:  newPath,
		Writer: func(t *testing.T, path string) *exec.Cmd { return child(t, writerPath, path) },
		Open: func(t *testing.T, path string) (storage.Store, error) {
			return bolt.Open(t.Context(), path, nil)
		},
	})
}

func writeUntilKilled(ctx context.Context, path string) error {
	s, err := bolt.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	return crashtest.Write(ctx, s)
}
