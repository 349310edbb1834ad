package project_test

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Every package that has tests looks for goroutines that they left behind.
func TestEveryPackageLooksForLeaks(t *testing.T) {
	looks := make(map[string]bool)
	for _, s := range sources(t) {
		if !s.test() {
			continue
		}
		dir := filepath.Dir(s.path)
		looks[dir] = looks[dir] || calls(s.file, "goleak", "VerifyTestMain")
	}
	for dir, ok := range looks {
		assert.True(t, ok, "%s: no TestMain calls goleak.VerifyTestMain", dir)
	}
}

// A test that is skipped proves nothing, wherever it is skipped.
func TestNoTestIsSkipped(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test() {
			continue
		}
		for _, receiver := range []string{"t", "b", "f", "tb"} {
			for _, method := range []string{"Skip", "Skipf", "SkipNow"} {
				assert.False(t, calls(s.file, receiver, method), "%s: %s.%s", s.path, receiver, method)
			}
		}
	}
}

// Every fuzz target is found by the script that runs them.
func TestEveryFuzzTargetIsRun(t *testing.T) {
	var want []string
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && s.test() && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") && fn.Type.Params.NumFields() == 1 {
				want = append(want, filepath.Dir(s.path)+" "+fn.Name.Name)
			}
		}
	}
	assert.Subset(t, lines(run(t, ".", nil, ".ci/fuzz", "list")), want)
}

// Every program is run: by a test beside it, by the script of CI, or as a command of the
// README.
func TestEveryProgramIsRun(t *testing.T) {
	programs, tested := make(map[string]bool), make(map[string]bool)
	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		programs[dir] = programs[dir] || s.file.Name.Name == "main" && !s.test()
		tested[dir] = tested[dir] || s.test()
	}
	var elsewhere []string
	for _, path := range tracked(t, "") {
		if path == ".ci/run" || path == "README.md" {
			elsewhere = append(elsewhere, strings.Fields(read(t, path))...)
		}
	}
	for dir, program := range programs {
		if !program || tested[dir] {
			continue
		}
		named := slices.ContainsFunc(elsewhere, func(word string) bool {
			return strings.TrimPrefix(word, "./") == dir
		})
		assert.True(t, named, "%s: nothing runs it", dir)
	}
}

// calls reports whether the file calls x.method, for the plain name x.
func calls(file *ast.File, x, method string) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == method {
				id, ok := sel.X.(*ast.Ident)
				found = found || ok && id.Name == x
			}
		}
		return true
	})
	return found
}
