package project_test

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the public packages export is what api/ says, one file per package. A change of it
// is seen in review, as a change of these files.
func TestAPI(t *testing.T) {
	public := publicPackages(t)
	exports := exportData(t, public)
	load := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	var want []string
	for _, path := range public {
		pkg, err := load.Import(path)
		require.NoError(t, err)
		file := apiFile(path)
		want = append(want, file)
		compare(t, file, strings.Join(describe(pkg), "\n")+"\n")
	}
	for _, file := range apiFiles(t) {
		if !slices.Contains(want, file) && *update {
			require.NoError(t, os.Remove(filepath.Join(root, file)))
		} else {
			assert.Contains(t, want, file, "the package is gone; if that is meant: make api")
		}
	}
}

// exportData returns where the compiler left what it knows of the packages and of all that
// they import.
func exportData(t *testing.T, packages []string) map[string]string {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, packages...)
	out := make(map[string]string)
	for _, line := range lines(run(t, ".", nil, "go", args...)) {
		path, file, _ := strings.Cut(line, " ")
		out[path] = file
	}
	return out
}

// publicPackages returns the import paths of what users can import, sorted.
func publicPackages(t *testing.T) []string {
	t.Helper()
	args := []string{"list", "-f", "{{.Name}} {{.ImportPath}}"}
	for _, dir := range modules(t) {
		args = append(args, "./"+filepath.Join(dir, "..."))
	}
	var out []string
	for _, line := range lines(run(t, ".", nil, "go", args...)) {
		name, path, _ := strings.Cut(line, " ")
		if name != "main" && !slices.Contains(strings.Split(path, "/"), "internal") {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// apiFile is the file of a package: api/hub.txt for the root, api/storage/memory.txt.
func apiFile(path string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	if name == "" {
		name = "hub"
	}
	return "api/" + name + ".txt"
}

func apiFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "api"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		out = append(out, filepath.ToSlash(rel))
		return err
	}))
	return out
}

// describe lists a package's exported API, one line per symbol, field and method, sorted by
// name within each kind.
func describe(pkg *types.Package) []string {
	out := []string{"package " + pkg.Name()}
	scope := pkg.Scope()
	for _, name := range scope.Names() { // sorted
		if obj := scope.Lookup(name); obj.Exported() {
			out = append(out, describeObject(obj)...)
		}
	}
	return out
}

func describeObject(obj types.Object) []string {
	qualify := qualifier(obj.Pkg())
	switch obj := obj.(type) {
	case *types.Const:
		return []string{types.ObjectString(obj, qualify) + " = " + obj.Val().ExactString()}
	case *types.TypeName:
		return describeType(obj, qualify)
	default: // *types.Var, *types.Func
		return []string{types.ObjectString(obj, qualify)}
	}
}

// qualifier writes the types of other packages as source code does.
func qualifier(own *types.Package) types.Qualifier {
	return func(p *types.Package) string {
		if p == own {
			return ""
		}
		return p.Name()
	}
}

func describeType(obj *types.TypeName, qualify types.Qualifier) []string {
	named, ok := obj.Type().(*types.Named)
	if obj.IsAlias() || !ok {
		return []string{types.ObjectString(obj, qualify)}
	}
	head := "type " + obj.Name() + typeParams(named, qualify)
	var out []string
	switch under := named.Underlying().(type) {
	case *types.Struct:
		out = append(append(out, head+" struct"), describeFields(obj.Name(), under, qualify)...)
	case *types.Interface:
		return append(append(out, head+" interface"), describeInterface(obj.Name(), under, qualify)...)
	default:
		out = append(out, head+" "+types.TypeString(under, qualify))
	}
	return append(out, describeMethods(named, qualify)...)
}

func typeParams(named *types.Named, qualify types.Qualifier) string {
	var out []string
	for p := range named.TypeParams().TypeParams() {
		out = append(out, p.Obj().Name()+" "+types.TypeString(p.Constraint(), qualify))
	}
	if out == nil {
		return ""
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// describeFields lists exported fields in their order, with their tags: these are the names
// in JSON. That there are others matters too: such a struct cannot be compared or converted
// at will.
func describeFields(name string, s *types.Struct, qualify types.Qualifier) []string {
	var out []string
	hidden := false
	for i := range s.NumFields() {
		field := s.Field(i)
		if !field.Exported() {
			hidden = true
			continue
		}
		line := fmt.Sprintf("field %s.%s %s", name, field.Name(), types.TypeString(field.Type(), qualify))
		if field.Embedded() {
			line += " (embedded)"
		}
		if s.Tag(i) != "" {
			line += " " + strconv.Quote(s.Tag(i))
		}
		out = append(out, line)
	}
	if hidden {
		out = append(out, fmt.Sprintf("field %s has unexported ones", name))
	}
	return out
}

func describeInterface(name string, i *types.Interface, qualify types.Qualifier) []string {
	var out []string
	for method := range i.Methods() {
		signature := strings.TrimPrefix(types.TypeString(method.Type(), qualify), "func")
		out = append(out, fmt.Sprintf("method %s.%s%s", name, method.Name(), signature))
	}
	if !i.IsMethodSet() {
		out = append(out, fmt.Sprintf("union %s %s", name, types.TypeString(i, qualify)))
	}
	return out
}

// describeMethods lists exported methods, promoted ones included.
func describeMethods(named *types.Named, qualify types.Qualifier) []string {
	var out []string
	values := types.NewMethodSet(named)
	for selection := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		method := selection.Obj()
		if !method.Exported() {
			continue
		}
		receiver := "*" + named.Obj().Name()
		if values.Lookup(method.Pkg(), method.Name()) != nil {
			receiver = named.Obj().Name()
		}
		signature := strings.TrimPrefix(types.TypeString(selection.Type(), qualify), "func")
		out = append(out, fmt.Sprintf("func (%s) %s%s", receiver, method.Name(), signature))
	}
	slices.Sort(out)
	return out
}
