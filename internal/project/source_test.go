package project_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	maxFileLines = 400
	maxFuncLines = 60
)

// long names what may be longer than the rule says, and why: files by path, functions as
// path and name.
var long = map[string]string{}

// forbidden is what no checked-in text contains. The patterns are written so that they do
// not match themselves.
var forbidden = map[string]*regexp.Regexp{
	"path of somebody's machine": regexp.MustCompile(`(?:^|[^\w.*/-])/(?:home|root|work|Users)/\w`),
	"unfinished work":            regexp.MustCompile(`\b(?:TO[D]O|FIX[M]E|HA[C]K)\b`),
	"linter switched off":        regexp.MustCompile(`//\s?(?:no[l]int|lint:ign[o]re)`),
	"conflict marker":            regexp.MustCompile(`(?m)^(?:<{7}|>{7}) `),
}

func TestNothingForbiddenIsCheckedIn(t *testing.T) {
	for _, path := range tracked(t, "") {
		text := read(t, path)
		for what, pattern := range forbidden {
			for _, at := range pattern.FindAllStringIndex(text, -1) {
				line := 1 + strings.Count(text[:at[0]], "\n")
				t.Errorf("%s:%d: %s: %q", path, line, what, text[at[0]:at[1]])
			}
		}
	}
}

// source is a parsed Go file.
type source struct {
	path  string
	file  *ast.File
	fset  *token.FileSet
	lines int
}

// test reports whether the file takes part in tests only.
func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) position(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

func (s source) length(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

// sources parses the Go files that people wrote.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	for _, path := range tracked(t, ".go") {
		text := read(t, path)
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		require.NoError(t, err)
		if !ast.IsGenerated(file) {
			out = append(out, source{path, file, fset, strings.Count(text, "\n")})
		}
	}
	return out
}

func TestNothingIsTooLong(t *testing.T) {
	used := make(map[string]bool)
	check := func(key, where string, length, limit int) {
		if length <= limit {
			return
		}
		used[key] = true
		assert.Contains(t, long, key, "%s has %d lines, more than %d", where, length, limit)
	}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		check(s.path, s.path, s.lines, maxFileLines)
		for _, decl := range s.file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				check(s.path+" "+fn.Name.Name, s.position(fn)+" "+fn.Name.Name, s.length(fn), maxFuncLines)
			}
		}
	}
	for key := range long {
		assert.True(t, used[key], "%s needs no exception any more", key)
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	documented := make(map[string]bool)
	for _, s := range sources(t) {
		if !s.test() {
			dir := filepath.Dir(s.path)
			documented[dir] = documented[dir] || s.file.Doc != nil
		}
	}
	for dir, ok := range documented {
		assert.True(t, ok, "package %s has no comment", dir)
	}
}

func TestEveryExportedSymbolIsDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || s.file.Name.Name == "main" {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment", s.position(name), name.Name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that have no comment. A comment
// above a group of constants or variables serves all of them.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Doc == nil && decl.Name.IsExported() && exportedReceiver(decl) {
			return []*ast.Ident{decl.Name}
		}
	case *ast.GenDecl:
		var out []*ast.Ident
		for _, spec := range decl.Specs {
			out = append(out, undocumentedSpec(decl, spec)...)
		}
		return out
	}
	return nil
}

func undocumentedSpec(decl *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	var names []*ast.Ident
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if decl.Doc == nil && spec.Doc == nil {
			names = []*ast.Ident{spec.Name}
		}
	case *ast.ValueSpec:
		if decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
			names = spec.Names
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n *ast.Ident) bool { return !n.IsExported() })
}

// exportedReceiver reports whether fn is no method, or one of an exported type.
func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	exported := true
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && exported {
			exported = id.IsExported()
			return false
		}
		return true
	})
	return exported
}
