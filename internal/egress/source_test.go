package egress_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// waysOut are the names that make connections, by package. A name that ends in * is a
// prefix; "*" forbids importing the package.
var waysOut = map[string][]string{
	"net":        {"Dial*", "Lookup*", "Dialer", "Resolver", "DefaultResolver"},
	"net/http":   {"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "ProxyFromEnvironment", "Client", "Transport"},
	"net/rpc":    {"*"},
	"net/smtp":   {"*"},
	"crypto/tls": {"Dial*"},

	"github.com/hashicorp/go-cleanhttp":     {"*"},
	"github.com/hashicorp/go-retryablehttp": {"Get", "Head", "Post", "PostForm"},
	"golang.org/x/net/http2":                {"*"},
	"golang.org/x/net/proxy":                {"*"},
	"golang.org/x/net/websocket":            {"*"},
}

// findWaysOut returns what in a file could make connections. A pointer type such as
// *http.Client is a reference to one that somebody else made, and allowed.
func findWaysOut(file *ast.File) []string {
	var found []string
	imported := map[string]string{} // local name → path
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil || waysOut[name] == nil {
			continue
		}
		local := path.Base(strings.ReplaceAll(name, "go-", ""))
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." || waysOut[name][0] == "*" {
			found = append(found, "import "+name)
		}
		imported[local] = name
	}
	pointedAt := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if star, ok := n.(*ast.StarExpr); ok {
			pointedAt[star.X] = true
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || pointedAt[sel] {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && forbidden(waysOut[imported[id.Name]], sel.Sel.Name) {
			found = append(found, id.Name+"."+sel.Sel.Name)
		}
		return true
	})
	return found
}

func forbidden(names []string, name string) bool {
	for _, n := range names {
		prefix, isPrefix := strings.CutSuffix(n, "*")
		if n == name || isPrefix && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func TestFindWaysOut(t *testing.T) {
	for source, want := range map[string][]string{
		`import "net/http"; var _, _ = http.Get("x")`:                                {"http.Get"},
		`import "net/http"; var c = http.DefaultClient`:                              {"http.DefaultClient"},
		`import "net/http"; var c = &http.Client{}`:                                  {"http.Client"},
		`import "net/http"; var c http.Client`:                                       {"http.Client"},
		`import "net/http"; var c = new(http.Client)`:                                {"http.Client"},
		`import "net/http"; type c struct{ http.Client }`:                            {"http.Client"},
		`import h "net/http"; var c = h.Transport{}`:                                 {"h.Transport"},
		`import "net/http"; var c = http.DefaultTransport.(*http.Transport).Clone()`: {"http.DefaultTransport"},
		`import "net/http"; func f(c *http.Client) http.RoundTripper { return nil }`: nil,
		`import "net/http"; func f(r *http.Request) { r.Header.Get("x") }`:           nil,
		`import . "net/http"; var _, _ = Get("x")`:                                   {"import net/http"},
		`import "net"; var _, _ = net.DialTimeout("tcp", "x", 1)`:                    {"net.DialTimeout"},
		`import "net"; var d = net.Dialer{}`:                                         {"net.Dialer"},
		`import "net"; var _, _ = net.LookupHost("x")`:                               {"net.LookupHost"},
		`import "net"; var _ = net.ParseIP("x")`:                                     nil,
		`import "crypto/tls"; var _, _ = tls.DialWithDialer(nil, "", "", nil)`:       {"tls.DialWithDialer"},
		`import "net/smtp"; var _ = smtp.SendMail`:                                   {"import net/smtp", "smtp.SendMail"},
		`import "github.com/hashicorp/go-retryablehttp"; var _ = retryablehttp.Get`:  {"retryablehttp.Get"},
		`import "github.com/hashicorp/go-cleanhttp"; var _ = 1`:                      {"import github.com/hashicorp/go-cleanhttp"},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+source, 0)
		require.NoError(t, err)
		assert.Equal(t, want, findWaysOut(file), source)
	}
}

// root is the module's directory.
const root = "../.."

// TestNoOtherWayOut reads the sources of the whole module. Other modules below it (those
// with their own go.mod), programs, test kits and measurements go their own ways.
func TestNoOtherWayOut(t *testing.T) {
	require.FileExists(t, filepath.Join(root, "go.mod"))
	files := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(name), root+"/")
		if d.IsDir() {
			return skipDir(name, rel)
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		files++
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), rel, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		assert.Empty(t, findWaysOut(file), "%s goes round internal/egress", rel)
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, files, 10)
}

func skipDir(name, rel string) error {
	switch rel {
	case root:
		return nil
	case "internal/egress", "internal/toxics", "examples", "hubtest", "bench":
		return fs.SkipDir
	}
	if base := path.Base(rel); base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}
