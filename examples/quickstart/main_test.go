package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// asProgram makes the test binary be the program itself, for the tests that need a process.
const asProgram = "QUICKSTART_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// program returns the program as a process of its own.
func program(t *testing.T, args ...string) (cmd *exec.Cmd, out, complaints *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, complaints = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, complaints
	return cmd, out, complaints
}

func TestExitStatus(t *testing.T) {
	dir := t.TempDir()
	cmd, out, complaints := program(t, "-dir", dir)
	require.NoError(t, cmd.Run(), complaints)
	assert.Contains(t, out.String(), "OnSuccess")
	assert.Empty(t, complaints.String())

	cmd, _, complaints = program(t, "-dir", dir, "-payload", "wrong-payload.json")
	var failed *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &failed)
	assert.Equal(t, 1, failed.ExitCode())
	assert.Contains(t, complaints.String(), "payload/urgency")

	cmd, _, _ = program(t, "-help")
	assert.NoError(t, cmd.Run(), "asking for help is no failure")
}

func TestInterruptEndsACall(t *testing.T) {
	cmd, _, complaints := program(t, "-dir", t.TempDir(), "-demo", demoSlow)
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "header:Authorization") {
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	for lines.Scan() {
	}
	var failed *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &failed)
	assert.Equal(t, 1, failed.ExitCode())
	assert.Contains(t, complaints.String(), "canceled")
}
