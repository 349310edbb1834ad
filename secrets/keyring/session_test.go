package keyring_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	system "github.com/zalando/go-keyring"
)

// sessionVariable tells a test binary that it was started by TestOnASecretService.
const sessionVariable = "HUB_KEYRING_SESSION"

func inSession() bool { return os.Getenv(sessionVariable) != "" }

// empty makes the keyring empty: the library's one in memory or, in a session, the real one.
func empty(t *testing.T) {
	t.Helper()
	if !inSession() {
		system.MockInit()
		return
	}
	for _, service := range []string{"hub", "crm"} {
		require.NoError(t, system.DeleteAll(service))
	}
}

// onSession are the tests that run on either keyring.
var onSession = []string{"TestContract", "TestTheKeysetIsFoundAgain", "TestAnItemThatIsNoKeysetIsLeftAlone", "TestFetch"}

// The tests run once more on GNOME's keyring, in a session of D-Bus and a home directory that
// are made for that: nobody's own keyring is touched.
func TestOnASecretService(t *testing.T) {
	if inSession() {
		t.Fatal("a session within a session")
	}
	need(t, "dbus-run-session", "dbus")
	need(t, "gnome-keyring-daemon", "gnome-keyring")
	home := t.TempDir()
	run := filepath.Join(home, "run")
	require.NoError(t, os.Mkdir(run, 0o700))
	const script = `printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec "$@"`
	binary, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "dbus-run-session", "--", "sh", "-c", script, "sh",
		binary, "-test.v", "-test.timeout=2m", "-test.run=^("+strings.Join(onSession, "|")+")$")
	cmd.Env = append(os.Environ(), sessionVariable+"=1", "HOME="+home, "XDG_RUNTIME_DIR="+run,
		"XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, name := range onSession {
		assert.Contains(t, string(out), "--- PASS: "+name+" ")
	}
	files, err := filepath.Glob(filepath.Join(home, "keyrings", "*.keyring"))
	require.NoError(t, err)
	assert.NotEmpty(t, files, "the items went to the session's own keyring")
}

// need installs a program that is missing, one at a time on a machine.
func need(t *testing.T, program string, packages ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	lock := filepath.Join(os.TempDir(), "hub-dbtest.lock")
	out, err := exec.CommandContext(t.Context(), "flock", append([]string{lock, "../../.ci/need", program}, packages...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
