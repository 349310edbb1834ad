package project_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Go code in the documents is part of a file that is built: the lines of a block stand
// together in it, whatever their indentation. So it cannot go stale unseen.
func TestGoCodeInDocumentsIsBuilt(t *testing.T) {
	var built []string
	for _, path := range tracked(t, ".go") {
		built = append(built, flatten(read(t, path)))
	}
	for path, text := range documents(t) {
		for _, block := range fenced(text, "go") {
			code := flatten(block)
			found := slices.ContainsFunc(built, func(file string) bool { return strings.Contains(file, code) })
			assert.True(t, found, "%s: no Go file has this code:\n%s", path, block)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Links within the repository lead somewhere.
func TestLinksInDocumentsLead(t *testing.T) {
	for path, text := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(match[1], "#")
			if target == "" || strings.Contains(target, ":") {
				continue
			}
			_, err := os.Stat(filepath.Join(root, filepath.Dir(path), target))
			assert.NoError(t, err, "%s: %s", path, match[1])
		}
	}
}

var namedTest = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")

// A test that a document names as a proof exists; so does a method of such a name.
func TestTestsNamedInDocumentsExist(t *testing.T) {
	var code strings.Builder
	for _, path := range tracked(t, ".go") {
		code.WriteString(read(t, path))
	}
	for path, text := range documents(t) {
		for _, match := range namedTest.FindAllStringSubmatch(text, -1) {
			found := strings.Contains(code.String(), "\nfunc "+match[1]+"(") || strings.Contains(code.String(), ") "+match[1]+"(")
			assert.True(t, found, "%s: there is no %s", path, match[1])
		}
	}
}

func TestFenced(t *testing.T) {
	const text = "a\n```go\nx := 1\n```\n```sh\nls\n```\n```go\n\ty()\n```\n"
	assert.Equal(t, []string{"x := 1\n", "\ty()\n"}, fenced(text, "go"))
	assert.Equal(t, []string{"ls\n"}, fenced(text, "sh"))
}

// documents returns the text of the Markdown files by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, path := range tracked(t, "") {
		if strings.HasSuffix(path, ".md") {
			out[path] = read(t, path)
		}
	}
	return out
}

// fenced returns the code blocks of a language.
func fenced(text, language string) []string {
	var out []string
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case strings.TrimSpace(line) == "```"+language && !inside:
			inside = true
			out = append(out, "")
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			out[len(out)-1] += line
		}
	}
	return out
}

// flatten leaves out indentation and empty lines.
func flatten(code string) string {
	var out []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return "\n" + strings.Join(out, "\n") + "\n"
}
