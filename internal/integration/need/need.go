// Package need makes sure that tests find the programs of others that they run.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Command makes sure that a command is there; if it is not, the script that CI uses installs
// the packages that bring it.
func Command(t testing.TB, command string, packages ...string) {
	t.Helper()
	if _, err := exec.LookPath(command); err == nil {
		return
	}
	out, err := exec.Command(script(t), append([]string{command}, packages...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// script finds .ci/need in one of the folders above the test.
func script(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		path := filepath.Join(dir, ".ci", "need")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no folder above the test holds .ci/need")
		dir = filepath.Dir(dir)
	}
}
