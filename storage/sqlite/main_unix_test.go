//go:build unix

package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childRole names, in a process that a test started, what the process is for.
const childRole = "HUB_TEST_CHILD"

// roles are what a child process can be: a function of the database's path.
var roles = map[string]func(ctx context.Context, path string) error{
	"writer":     writeUntilKilled,
	"opener":     openAndWrite,
	"small disk": fillSmallDisk,
}

func TestMain(m *testing.M) {
	role := os.Getenv(childRole)
	if role == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := roles[role](context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns the command that runs this test binary in a role.
func child(t *testing.T, role, path string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, path)
	cmd.Env = append(os.Environ(), childRole+"="+role)
	return cmd
}
