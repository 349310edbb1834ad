package project_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The modules that the packages of the core link, tests apart, are those of
// dependencies.txt. Every one of them is a decision.
func TestDependencies(t *testing.T) {
	const format = `{{with .Module}}{{.Path}}{{end}}`
	out := lines(run(t, ".", []string{"GOWORK=off"}, "go", "list", "-deps", "-f", format, "./..."))
	slices.Sort(out)
	out = slices.DeleteFunc(slices.Compact(out), func(path string) bool { return path == module })
	compare(t, "dependencies.txt", strings.Join(append(out, ""), "\n"))
}

// Leaves, and what is internal, do not know the hub.
func TestNothingBelowImportsTheRoot(t *testing.T) {
	allowed := []string{module + "/hubtest", module + "/examples", module + "/bench", module + "/queues", module + "/telemetry", module + "/internal/integration", module + "/internal/proof", module + "/internal/survival"}
	for _, dir := range modules(t) {
		const format = `{{.ImportPath}} {{join .Imports " "}}`
		for _, line := range lines(run(t, dir, nil, "go", "list", "-f", format, "./...")) {
			imports := strings.Fields(line)
			importer := imports[0]
			if slices.ContainsFunc(allowed, func(a string) bool { return importer == a || strings.HasPrefix(importer, a+"/") }) {
				continue
			}
			assert.NotContains(t, imports[1:], module, "%s imports the root package", importer)
		}
	}
}

// modFile is what go mod edit -json tells of a go.mod.
type modFile struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
	Replace []struct {
		Old struct{ Path string }
		New struct{ Path, Version string }
	}
}

func readMod(t *testing.T, dir string) modFile {
	t.Helper()
	var mod modFile
	text := run(t, dir, []string{"GOWORK=off"}, "go", "mod", "edit", "-json")
	require.NoError(t, json.Unmarshal([]byte(text), &mod))
	return mod
}

// Every module is in the workspace, except the tools, which must not decide about the
// versions of others.
func TestWorkspaceIsComplete(t *testing.T) {
	var want []string
	for _, path := range tracked(t, "go.mod") {
		if dir := filepath.Dir(path); dir != "tools" {
			want = append(want, dir)
		}
	}
	assert.ElementsMatch(t, want, modules(t))
}

func TestModuleFiles(t *testing.T) {
	core := readMod(t, ".")
	require.Equal(t, module, core.Module.Path)
	assert.Empty(t, core.Replace, "the core is used as it is published")
	versions := make(map[string]string)
	for _, r := range core.Require {
		versions[r.Path] = r.Version
	}
	for _, dir := range modules(t) {
		t.Run(dir, func(t *testing.T) {
			mod := readMod(t, dir)
			if dir != "." {
				assert.Equal(t, module+"/"+dir, mod.Module.Path)
			}
			assert.Equal(t, core.Go, mod.Go, "go directive")
			checkReplacements(t, dir, mod)
			for _, r := range mod.Require {
				if want, shared := versions[r.Path]; shared {
					assert.Equal(t, want, r.Version, "%s: the core has another version", r.Path)
				}
			}
		})
	}
	assert.Equal(t, core.Go, readMod(t, "tools").Go, "go directive of tools")
}

// checkReplacements: what a module requires of this repository it finds by a relative path,
// and nothing else is replaced.
func checkReplacements(t *testing.T, dir string, mod modFile) {
	t.Helper()
	replaced := make(map[string]bool)
	for _, r := range mod.Replace {
		replaced[r.Old.Path] = true
		assert.Truef(t, strings.HasPrefix(r.New.Path, "./") || strings.HasPrefix(r.New.Path, "../"),
			"%s is replaced by %s, which is no relative path", r.Old.Path, r.New.Path)
		target := readMod(t, filepath.Join(dir, r.New.Path))
		assert.Equal(t, r.Old.Path, target.Module.Path, "the replacement is another module")
	}
	for _, r := range mod.Require {
		ours := r.Path == module || strings.HasPrefix(r.Path, module+"/")
		assert.Equal(t, ours, replaced[r.Path], "%s: replaced, if and only if it is ours", r.Path)
	}
}
