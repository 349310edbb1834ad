package project_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// root is the repository's folder, seen from this one.
const root = "../.."

// module is the path of the root module, and the start of every other one's.
const module = "github.com/integrationhub/hub"

var update = flag.Bool("update", false, "rewrite dependencies.txt and api/ instead of comparing them")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a command in a folder of the repository and returns what it printed. The go
// command uses the workspace, and builds without cgo, unless env says otherwise.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	work, err := filepath.Abs(filepath.Join(root, "go.work"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = filepath.Join(root, dir)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK="+work), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s %s: %s", name, strings.Join(args, " "), &stderr)
	return stdout.String()
}

// lines splits a command's output.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// modules returns the folder of every module of the workspace, the root's first.
func modules(t *testing.T) []string {
	t.Helper()
	return lines(run(t, ".", nil, ".ci/modules"))
}

// tracked returns the files that are checked in, as far as the working tree has them, whose
// path ends as given.
func tracked(t *testing.T, suffix string) []string {
	t.Helper()
	var out []string
	for _, path := range lines(run(t, ".", nil, "git", "ls-files")) {
		info, err := os.Lstat(filepath.Join(root, path))
		if err == nil && info.Mode().IsRegular() && strings.HasSuffix(path, suffix) {
			out = append(out, path)
		}
	}
	require.NotEmpty(t, out)
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(text)
}

// compare compares a checked-in text with what it should be, or rewrites it.
func compare(t *testing.T, path, want string) {
	t.Helper()
	full := filepath.Join(root, path)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(want), 0o644))
		return
	}
	got, err := os.ReadFile(full)
	require.NoError(t, err, "if the change is meant: make api")
	if string(got) != want {
		t.Errorf("%s differs; if the change is meant: make api\n%s", path, strings.Join(changed(string(got), want), "\n"))
	}
}

// changed returns the lines that went, with a minus, and those that came, with a plus. It
// returns none if only their order is another one.
func changed(before, after string) []string {
	was, is := lines(before), lines(after)
	var out []string
	for _, line := range was {
		if !slices.Contains(is, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			out = append(out, "+ "+line)
		}
	}
	return out
}
