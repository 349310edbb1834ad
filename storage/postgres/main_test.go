package postgres_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/storage/postgres"
)

// childRole names, in a process that a test started, what the process is for.
const childRole = "HUB_TEST_CHILD"

// childDSN names where a child finds the database; arguments would show the password.
const childDSN = "HUB_TEST_DSN"

// roles are what a child process can be.
var roles = map[string]func(context.Context, *postgres.Store) error{
	"counter": countUp,
	"watcher": printChanges,
}

func TestMain(m *testing.M) {
	role := os.Getenv(childRole)
	if role == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := runChild(context.Background(), role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runChild(ctx context.Context, role string) error {
	s, err := postgres.Open(ctx, os.Getenv(childDSN), nil)
	if err != nil {
		return err
	}
	defer s.Close()
	return roles[role](ctx, s)
}

// child returns the command that runs this test binary in a role.
func child(t *testing.T, role, dsn string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childRole+"="+role, childDSN+"="+dsn)
	cmd.Stderr = os.Stderr
	return cmd
}
