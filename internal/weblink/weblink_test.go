package weblink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/internal/weblink"
)

func TestNext(t *testing.T) {
	for name, tt := range map[string]struct {
		lines []string
		want  string // empty: none
	}{
		"none":                 {nil, ""},
		"GitHub's":             {[]string{`<https://api.example.com/r?page=1>; rel="prev", <https://api.example.com/r?page=3>; rel="next", <https://api.example.com/r?page=9>; rel="last"`}, "https://api.example.com/r?page=3"},
		"a line each":          {[]string{`</a>; rel=prev`, `</b>; rel=next`}, "/b"},
		"relative":             {[]string{`<?page=2>; rel=next`}, "?page=2"},
		"several relations":    {[]string{`</b>; rel="last NEXT"`}, "/b"},
		"capitals":             {[]string{`</b>; REL=Next`}, "/b"},
		"the first rel counts": {[]string{`</b>; rel=prev; rel=next`}, ""},
		"another name":         {[]string{`</b>; xrel=next`}, ""},
		"another relation":     {[]string{`</b>; rel=nextish`}, ""},
		"about something else": {[]string{`</b>; rel=next; anchor="/c", </d>; rel=next`}, "/d"},
		"anchor first":         {[]string{`</b>; anchor="#x"; rel=next`}, ""},
		"commas in the target": {[]string{`</b?x=1,2;3>; rel=next`}, "/b?x=1,2;3"},
		"commas in a title":    {[]string{`</a>; title="one, <two>; rel=next"; rel=prev, </b>; rel="next"`}, "/b"},
		"escapes":              {[]string{`</a>; title="\"\\"; rel="\next"`}, "/a"},
		"blanks":               {[]string{"\t<  /b  > \t; \trel = \"next\" ,"}, "/b"},
		"empty parameters":     {[]string{`</b>; crossorigin; ; rel=next`}, "/b"},
		"empty links":          {[]string{`, ,</b>;rel=next`}, "/b"},
		"the first of two":     {[]string{`</a>; rel=next, </b>; rel=next`}, "/a"},
		"empty target":         {[]string{`<>; rel=next`}, ""},
		"no brackets":          {[]string{`/b; rel=next`}, ""},
		"not closed":           {[]string{`</b; rel=next`}, ""},
		"quote not closed":     {[]string{`</b>; title="x; rel=next`}, ""},
		"garbage behind":       {[]string{`</b> x; rel=next`}, ""},
		"garbage, next line":   {[]string{`</a> x; rel=next`, `</b>; rel=next`}, "/b"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := weblink.Next(tt.lines)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.want != "" || name == "empty target", ok)
		})
	}
}

// FuzzNext holds that it ends, and returns what stands in the line.
func FuzzNext(f *testing.F) {
	f.Add(`<a>; rel="next", <b>; rel=prev; anchor="x"`)
	f.Add(`<a>;;;="\`)
	f.Fuzz(func(t *testing.T, line string) {
		if got, ok := weblink.Next([]string{line}); ok && !strings.Contains(line, "<") || !strings.Contains(line, got) {
			t.Fatalf("%q", got)
		}
	})
}
