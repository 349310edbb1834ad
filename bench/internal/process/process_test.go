package process_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/bench/internal/process"
)

// The test's program is the child, too.
func TestMain(m *testing.M) {
	if os.Getenv("PROCESS_TEST_CHILD") == "" {
		goleak.VerifyTestMain(m)
	}
	err := process.Serve(os.Stdin, os.Stdout, func(n int) (any, error) {
		switch {
		case n < 0:
			return nil, errors.New("negative")
		case n == 0:
			os.Exit(0)
		case n == 1:
			return func() {}, nil
		}
		return n * n, nil
	})
	if err != nil {
		os.Exit(3)
	}
	os.Exit(0)
}

func child(t *testing.T) *process.Process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PROCESS_TEST_CHILD=1")
	p, err := process.Start(cmd)
	require.NoError(t, err)
	return p
}

func TestQuestionsAreAnswered(t *testing.T) {
	p := child(t)
	var got int
	require.NoError(t, p.Ask(7, &got))
	assert.Equal(t, 49, got)
	assert.EqualError(t, p.Ask(-1, &got), "negative")
	assert.ErrorContains(t, p.Ask(1, &got), "unsupported type")
	require.NoError(t, p.Ask(3, &got), "an error is an answer, too")
	assert.Equal(t, 9, got)
	require.NoError(t, p.Close())
}

func TestAChildThatEnds(t *testing.T) {
	p := child(t)
	var got int
	assert.ErrorContains(t, p.Ask(0, &got), "has ended")
	assert.NoError(t, p.Close())

	p = child(t)
	assert.Error(t, p.Ask("no number", &got))
	assert.Error(t, p.Close(), "it ends with a status")
}

func TestNoSuchProgram(t *testing.T) {
	_, err := process.Start(exec.CommandContext(t.Context(), "/nowhere/program"))
	assert.Error(t, err)
}
