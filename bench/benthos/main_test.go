package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/bench/internal/client"
	"github.com/integrationhub/hub/bench/internal/job"
	"github.com/integrationhub/hub/bench/internal/process"
	"github.com/integrationhub/hub/bench/internal/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The program, built without the race detector, does the whole work.
func TestTheWholeWork(t *testing.T) {
	program := filepath.Join(t.TempDir(), "benthos")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	server, err := upstream.Start(0)
	require.NoError(t, err)
	defer server.Close()
	child, err := process.Start(exec.CommandContext(t.Context(), program))
	require.NoError(t, err)
	at := server.Addresses()
	var s client.Sample
	require.NoError(t, child.Ask(client.Question{Target: job.Target{Origin: at.Plain}}, &s))
	require.NoError(t, child.Ask(client.Question{Target: job.Target{Origin: at.TLS, CA: at.CA}}, &s))
	require.NoError(t, child.Close())

	counts := server.Counts()
	require.Zero(t, counts.Bad, counts.First)
	require.EqualValues(t, 2*job.Variants, counts.Good, "a wrong payload was sent, or a right one was not")
}
