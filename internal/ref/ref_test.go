package ref_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/ref"
)

func text(s string) ref.Segment  { return ref.Segment{Kind: ref.Literal, Text: s} }
func named(s string) ref.Segment { return ref.Segment{Kind: ref.Named, Text: s} }
func value(s string) ref.Segment { return ref.Segment{Kind: ref.Payload, Text: s} }

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []ref.Segment
	}{
		"empty":                        {"", nil},
		"text":                         {"plain", []ref.Segment{text("plain")}},
		"name":                         {"[[api-key]]", []ref.Segment{named("api-key")}},
		"name between texts":           {"a [[b]] c", []ref.Segment{text("a "), named("b"), text(" c")}},
		"spaces inside":                {"[[  b ]]{{ a.b  }}", []ref.Segment{named("b"), value("a.b")}},
		"auth":                         {"[[@auth.a.b]]", []ref.Segment{{Kind: ref.Auth, Text: "a.b"}}},
		"payload":                      {"{{a.0.b}}", []ref.Segment{value("a.0.b")}},
		"as string":                    {"{{a as string}}", []ref.Segment{{Kind: ref.Payload, Text: "a", AsString: true}}},
		"default":                      {`{{a ?? "x"}}`, []ref.Segment{{Kind: ref.Payload, Text: "a", Default: `"x"`}}},
		"default without spaces":       {`{{a ??10}}`, []ref.Segment{{Kind: ref.Payload, Text: "a", Default: "10"}}},
		"both":                         {`{{a as string ?? "x"}}`, []ref.Segment{{Kind: ref.Payload, Text: "a", AsString: true, Default: `"x"`}}},
		"default of brackets":          {`{{a ?? {"b":{"c":["}}"]}}}}`, []ref.Segment{{Kind: ref.Payload, Text: "a", Default: `{"b":{"c":["}}"]}}`}}},
		"default with quotes":          {`{{a ?? "\"}}"}}`, []ref.Segment{{Kind: ref.Payload, Text: "a", Default: `"\"}}"`}}},
		"default null":                 {`{{a ?? null}}`, []ref.Segment{{Kind: ref.Payload, Text: "a", Default: "null"}}},
		"a space in a path":            {`{{first\ name}}`, []ref.Segment{value(`first\ name`)}},
		"member named as":              {`{{as as string}}`, []ref.Segment{{Kind: ref.Payload, Text: "as", AsString: true}}},
		"closing brackets are text":    {"a]] }}", []ref.Segment{text("a]] }}")}},
		"single brackets are text":     {"[a] {b}", []ref.Segment{text("[a] {b}")}},
		"escaped":                      {`\[[a]] \{{b}}`, []ref.Segment{text("[[a]] {{b}}")}},
		"two backslashes":              {`\\[[a]]`, []ref.Segment{text(`\`), named("a")}},
		"three backslashes":            {`\\\[[a]]`, []ref.Segment{text(`\[[a]]`)}},
		"backslashes elsewhere":        {`C:\\dir\[x]\`, []ref.Segment{text(`C:\\dir\[x]\`)}},
		"the last two of a run open":   {"[[[a]]] {{{b}}}", []ref.Segment{text("["), named("a"), text("] {"), value("b"), text("}")}},
		"adjacent":                     {"[[a]][[b]]{{c}}", []ref.Segment{named("a"), named("b"), value("c")}},
		"brackets in brackets of text": {`{"a":{{b}}}`, []ref.Segment{text(`{"a":`), value("b"), text("}")}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ref.Parse(c.in)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in, rule string
		offset   int
	}{
		"no name":              {"a [[]]", "bad-name", 2},
		"digit first":          {"[[1a]]", "bad-name", 0},
		"dot in name":          {"[[a.b]]", "unclosed", 0},
		"unclosed name":        {"[[a", "unclosed", 0},
		"half closed":          {"[[a] ]", "unclosed", 0},
		"long name":            {"[[" + strings.Repeat("a", 256) + "]]", "bad-name", 0},
		"other at":             {"[[@other.a]]", "bad-name", 0},
		"auth without path":    {"[[@auth.]]", "bad-path", 0},
		"unclosed auth":        {"[[@auth.a", "unclosed", 0},
		"empty payload":        {"xx{{ }}", "bad-path", 2},
		"unclosed payload":     {"{{a", "bad-option", 0},
		"modifier":             {"{{a.@reverse}}", "bad-path", 0},
		"query":                {"{{a.#(b==1)}}", "bad-path", 0},
		"default in front":     {`{{a ?? "x" as string}}`, "bad-option", 0},
		"other type":           {"{{a as number}}", "bad-option", 0},
		"a word":               {"{{a b}}", "bad-option", 0},
		"bare default":         {"{{a ?? x}}", "bad-default", 0},
		"lone surrogate":       {`{{a ?? "\ud800"}}`, "bad-default", 0},
		"same member twice":    {`{{a ?? {"b":1,"b":2}}}`, "bad-default", 0},
		"no default":           {"{{a ?? }}", "bad-default", 0},
		"unclosed default":     {`{{a ?? "x}}`, "bad-default", 0},
		"nested":               {"{{a.{{b}}}}", "bad-path", 0},
		"nested name":          {"[[a[[b]]]]", "unclosed", 0},
		"trailing backslash":   {`{{a\`, "bad-path", 0},
		"function":             {"{{upper(a)}}", "bad-path", 0},
		"too long a path":      {"{{" + strings.Repeat("a", 257) + "}}", "bad-path", 0},
		"two references, last": {"[[a]] [[", "bad-name", 6},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ref.Parse(c.in)
			var s *ref.SyntaxError
			require.ErrorAs(t, err, &s)
			assert.Equal(t, c.rule, s.Rule)
			assert.Equal(t, c.offset, s.Offset)
			assert.NotEmpty(t, s.Error())
		})
	}
}

func TestParseNamed(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []ref.Segment
	}{
		"name":               {"a [[b]]", []ref.Segment{text("a "), named("b")}},
		"payload is text":    {`{{a}} \{{b}} {{`, []ref.Segment{text(`{{a}} \{{b}} {{`)}},
		"auth is text":       {"[[@auth.a]]", []ref.Segment{text("[[@auth.a]]")}},
		"broken is text":     {`[[1,2],[3]] [[ \\[[x [[a`, []ref.Segment{text(`[[1,2],[3]] [[ \\[[x [[a`)}},
		"escaped":            {`\[[a]]`, []ref.Segment{text("[[a]]")}},
		"escaped backslash":  {`\\[[a]]`, []ref.Segment{text(`\`), named("a")}},
		"inside a broken":    {"[[ x [[a]]", []ref.Segment{text("[[ x "), named("a")}},
		"braces and a name":  {"{{[[a]]}}", []ref.Segment{text("{{"), named("a"), text("}}")}},
		"run of brackets":    {"[[[a]]", []ref.Segment{text("["), named("a")}},
		"escaped, not one":   {`\[[1]]`, []ref.Segment{text(`\[[1]]`)}},
		"nothing but spaces": {"[[   ]]", []ref.Segment{text("[[   ]]")}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, ref.ParseNamed(c.in))
		})
	}
}

func TestStringLeavesTheDefaultOut(t *testing.T) {
	segments, err := ref.Parse(`{{a.b as string ?? "secret"}}`)
	require.NoError(t, err)
	assert.Equal(t, "{{a.b as string}}", segments[0].String())
	assert.Equal(t, "[[n]]", named("n").String())
	assert.Equal(t, "[[@auth.x]]", ref.Segment{Kind: ref.Auth, Text: "x"}.String())
}

func TestValidName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "_": true, "A-b_9": true, strings.Repeat("a", 255): true,
		"": false, "9a": false, "-a": false, "a b": false, "é": false, strings.Repeat("a", 256): false,
	} {
		assert.Equal(t, ok, ref.ValidName(name), "%q", name)
	}
}

// Whatever is read is written so that the same is read again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a [[b]] c", `{{a.b as string ?? "x"}}`, `\[[a]] \\[[b]]`, "[[[a]]]", "{{{b}}}", `\{{\[[\\`,
		`{{a ?? {"b":"}}"}}}`, "[[@auth.a.b]]{{c}}", `[\[[`, `\[[[[[a]]`, `{{a ?? }`, "[[[[[[", `[\\[[a]]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		segments, err := ref.Parse(s)
		if err != nil {
			var syntax *ref.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Less(t, syntax.Offset, len(s))
			return
		}
		for i, seg := range segments {
			if i > 0 {
				require.True(t, seg.Reference() || segments[i-1].Reference(), "two literals in a row")
			}
			one, err := ref.Parse(ref.Format([]ref.Segment{seg}))
			require.NoError(t, err)
			require.Equal(t, []ref.Segment{seg}, one)
		}
		again, err := ref.Parse(ref.Format(segments))
		require.NoError(t, err)
		require.Equal(t, segments, again)
	})
}

// Any text can be written as a literal, before and behind any reference.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"", `\`, "[", `\[`, "[[", `\\[[`, "{", "[[[", "{{a}}", `[\[[`} {
		f.Add(s)
	}
	refs := []ref.Segment{named("n"), value("v"), {Kind: ref.Auth, Text: "a"}}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" {
			return
		}
		for _, r := range refs {
			want := []ref.Segment{r, text(s), r, text(s)}
			got, err := ref.Parse(ref.Format(want))
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// In a program's text, what is no reference stays byte for byte.
func FuzzParseNamed(f *testing.F) {
	for _, s := range []string{"[[a]]", `\[[a]]`, "[[1]]", "{{a}}", "[[[[a]] [["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		segments := ref.ParseNamed(s)
		if len(segments) == 1 && !segments[0].Reference() && !strings.Contains(s, `\`) {
			require.Equal(t, s, segments[0].Text)
		}
		for _, seg := range segments {
			require.Contains(t, []ref.Kind{ref.Literal, ref.Named}, seg.Kind)
		}
	})
}
