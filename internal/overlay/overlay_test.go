package overlay_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/internal/overlay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module makes the current folder a module of one program, which prints "safe".
func module(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("GOWORK", "off")
	require.NoError(t, os.WriteFile("go.mod", []byte("module example.com/program\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile("main.go", []byte("package main\n\nfunc main() { print(\"safe\") }\n"), 0o600))
}

func TestAProgramIsBuiltWithTheChangeAndTheSourceStays(t *testing.T) {
	module(t)
	program, err := overlay.Change{File: "main.go", Edits: [][2]string{{"safe", "broken"}}}.Build(t.Context(), t.TempDir(), ".")
	require.NoError(t, err)
	out, err := exec.Command(program).CombinedOutput()
	require.NoError(t, err)
	assert.Equal(t, "broken", string(out))
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	assert.Contains(t, string(text), "safe")
}

// A program that fails has shown what it was run for; one that cannot be run has not.
func TestAProgramThatFailsHasRun(t *testing.T) {
	module(t)
	require.NoError(t, os.WriteFile("main.go", []byte("package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(os.Args[1]); os.Exit(0) }\n"), 0o600))
	out, err := overlay.Change{File: "main.go", Edits: [][2]string{{"Exit(0)", "Exit(3)"}}}.Run(t.Context(), ".", "a row")
	require.NoError(t, err)
	assert.Equal(t, "a row", string(out))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = overlay.Change{File: "main.go"}.Run(ctx, ".")
	assert.Error(t, err)
}

// A defence that has moved, or is no longer there, must not look like one that holds nothing.
func TestWhatCannotBeTakenOutIsAnError(t *testing.T) {
	module(t)
	for name, c := range map[string]overlay.Change{
		"a text that is not there":       {File: "main.go", Edits: [][2]string{{"absent", ""}}},
		"a text that is there twice":     {File: "main.go", Edits: [][2]string{{"main", ""}}},
		"a file that is not there":       {File: filepath.Join("absent", "main.go")},
		"a change that is no program":    {File: "main.go", Edits: [][2]string{{"safe", "\""}}},
		"a second text that has changed": {File: "main.go", Edits: [][2]string{{"safe", "broken"}, {"safe", ""}}},
	} {
		_, err := c.Build(t.Context(), t.TempDir(), ".")
		assert.Error(t, err, name)
	}
}
