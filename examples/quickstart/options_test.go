package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"template":{"name":"x","metods":["GET"]},"connector":{"name":"x"},"run":["r"]}`), 0o600))
	empty := filepath.Join(dir, "empty.json")
	require.NoError(t, os.WriteFile(empty, []byte(`{"template":{"name":"x"},"connector":{"name":"x"}}`), 0o600))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no option":            {[]string{"hello"}, `"hello" is no option`},
		"unknown demo":         {[]string{"-demo", "x"}, "must be one of normal, busy, slow, stopped"},
		"demo of another API":  {[]string{"-demo", "slow", "-url", "https://api.example.com"}, "-demo is about the local server"},
		"negative timeout":     {[]string{"-timeout", "-1s"}, "-timeout must not be negative"},
		"secret on the line":   {[]string{"-secret", "hunter2"}, "the value itself does not belong on a command line"},
		"missing definition":   {[]string{"-definition", filepath.Join(dir, "none")}, "-definition: open "},
		"missing payload":      {[]string{"-payload", filepath.Join(dir, "none")}, "-payload: open "},
		"misspelt member":      {[]string{"-definition", broken}, "template.metods          is not a field of this definition (unknown-field)"},
		"nothing to run":       {[]string{"-definition", empty}, `in "run", the name of at least one request`},
		"relative without URL": {[]string{"-definition", "servicenow.json"}, "say with -url what stands before them"},
		"plain http":           {[]string{"-url", "http://api.example.com"}, "-url must be like https://api.example.com"},
		"user in the URL":      {[]string{"-url", "https://me@api.example.com"}, "-url must be like https://api.example.com"},
		"a file as folder":     {[]string{"-dir", file}, "-dir: "},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := quickstart(t, append([]string{"-dir", filepath.Join(dir, "hub")}, tt.args...)...)
			require.Error(t, err)
			assert.Contains(t, out, tt.want)
		})
	}
}
