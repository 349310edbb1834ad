package path_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
)

func TestCheck(t *testing.T) {
	both := []path.Mode{path.Payload, path.Result}
	for name, c := range map[string]struct {
		path  string
		modes []path.Mode // those that admit it
		rule  string      // of the others
	}{
		"name":                     {"a", both, ""},
		"names and positions":      {"a.0.b-c", both, ""},
		"unicode":                  {"straße.日本", both, ""},
		"length":                   {"a.#", both, ""},
		"each":                     {"a.#.b", both, ""},
		"escaped dot":              {`a\.b`, both, ""},
		"escaped at":               {`\@type`, both, ""},
		"escaped bracket":          {`\[a`, both, ""},
		"escaped star":             {`a\*`, both, ""},
		"at inside":                {"a@b", both, ""},
		"space inside":             {"first name", both, ""},
		"longest":                  {strings.Repeat("a", 256), both, ""},
		"most components":          {strings.Repeat("a.", 31) + "a", both, ""},
		"wildcard":                 {"a.b*.c", both[1:], "wildcard"},
		"question mark":            {"a.b?", both[1:], "wildcard"},
		"star at the end as well":  {"*b*", both[1:], "wildcard"},
		"pipe":                     {"a|b", both[1:], "pipe"},
		"query":                    {"a.#(b==1).c", both[1:], "query"},
		"query for all":            {`a.#(b=="x y")#.c`, both[1:], "query"},
		"query for existence":      {"a.#(b)", both[1:], "query"},
		"query of scalars":         {`a.#(>="m")#`, both[1:], "query"},
		"query with pattern":       {`a.#(b%"x*")`, both[1:], "query"},
		"query with not pattern":   {`a.#(b!%"*x*")`, both[1:], "query"},
		"query in query":           {`a.#(b.#(c=="d"))#`, both[1:], "query"},
		"query in query, compared": {`a.#(b.#(c=="d").e==1)#`, both[1:], "query"},
		"query with tilde":         {"a.#(b==~true)", both[1:], "query"},
		"query, parenthesis in it": {`a.#(b==")")`, both[1:], "query"},
		"modifier":                 {"a.@keys", both[1:], "modifier"},
		"modifier after pipe":      {"a|@values", both[1:], "pipe"},
		"modifier first":           {"@this.a", both[1:], "modifier"},
		"several modifiers":        {"a.@flatten.@ugly|@tostr", both[1:], "modifier"},

		"empty":                       {"", nil, "empty"},
		"too long":                    {strings.Repeat("a", 257), nil, "too-long"},
		"too many components":         {strings.Repeat("a.", 32) + "a", nil, "too-many-components"},
		"empty component":             {"a..b", nil, "empty-component"},
		"dot at the end":              {"a.", nil, "empty-component"},
		"dot at the start":            {".a", nil, "empty-component"},
		"lines":                       {"..a", nil, "line-mode"},
		"control":                     {"a\x00b", nil, "control-character"},
		"backslash at the end":        {`a\`, nil, "bad-escape"},
		"escaped control":             {"a\\\n", nil, "bad-escape"},
		"multipath of an object":      {"{a,b}", nil, "multipath"},
		"multipath of an array":       {"a.[b,c]", nil, "multipath"},
		"brackets for a position":     {"a[0]", nil, "multipath"},
		"literal":                     {`!"a"`, nil, "literal"},
		"literal later":               {`a.!true`, nil, "literal"},
		"parentheses":                 {"a(b)", nil, "query"},
		"hash inside":                 {"a#b", nil, "query"},
		"hash and more":               {"a.#b", nil, "query"},
		"escaped dot, then modifier":  {`0\.@dig`, nil, "bad-escape"},
		"escaped bar, then modifier":  {`0\|@dig`, nil, "bad-escape"},
		"escaped dot, then multipath": {`0\.[a`, nil, "bad-escape"},
		"unknown modifier":            {"a.@own", nil, "modifier"},
		"at alone":                    {"a.@", nil, "modifier"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range both {
				err := path.Check(c.path, mode)
				if slices.Contains(c.modes, mode) {
					assert.NoError(t, err)
					continue
				}
				var e *path.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, c.rule, e.Rule)
				assert.LessOrEqual(t, e.Offset, len(c.path))
			}
		})
	}
}

// What makes a result path expensive, or hides something expensive, is refused with its rule.
func TestCheckRefusesExpensiveResults(t *testing.T) {
	for p, rule := range map[string]string{
		"*a*b":                     "wildcard",
		`*a\*b`:                    "wildcard", // a star that gjson takes for one although it is escaped
		"**":                       "",
		"***":                      "wildcard",
		`a.#(b%"*x*y")`:            "wildcard",
		"a.@tostr|@tostr":          "modifier",
		"a.@flatten:{\"deep\":1}":  "modifier",
		"a.@pretty":                "modifier",
		"a.@dig:b":                 "modifier",
		"a.@group":                 "modifier",
		"a.@fromstr":               "modifier",
		"a.@valid":                 "modifier",
		"a.@join":                  "modifier",
		"a.@reverse":               "modifier",
		"a.#(@dig:b)":              "modifier",
		"a.#(b.@keys)":             "modifier",
		"a.#(@this.b==1)":          "modifier",
		`a.#(b.#(@this=="c"))`:     "modifier",
		"a.#[b==1]":                "query",
		"a.#(b==1":                 "query",
		"a.#(b==[1])":              "query",
		`a.#(b=="c)`:               "query",
		"a.#(b===1)":               "query",
		"a.#(":                     "query",
		"a.#(b==1)x":               "query",
		"a.#(b==1)#x":              "query",
		"a.#(b==\"\x01\")":         "control-character",
		strings.Repeat("#(a.", 40): "too-many-components",
	} {
		err := path.Check(p, path.Result)
		if rule == "" {
			assert.NoError(t, err, p)
			continue
		}
		var e *path.Error
		if assert.ErrorAs(t, err, &e, p) {
			assert.Equal(t, rule, e.Rule, p)
		}
	}
}

func TestGet(t *testing.T) {
	doc := []byte(`{"a":{"b.c":[{"@type":"x","n":1},{"n":12345678901234567890}]},"s":"plain","items":[{"id":1},{"id":2}]}`)
	for p, want := range map[string]string{
		`a.b\.c.0.\@type`:   `"x"`,
		`a.b\.c.1.n`:        "12345678901234567890",
		`a.b\.c.#`:          "2",
		"items.#.id":        "[1,2]",
		"items.#(id==2).id": "2",
		"items.9":           "",
		"s.x":               "",
	} {
		require.NoError(t, path.Check(p, path.Result))
		assert.Equal(t, want, path.Get(doc, p).Raw, p)
	}
	assert.False(t, path.Get(nil, "a").Exists())
}

// gjson reads the text of strings as if it were structure; nothing of that comes out unless it is JSON.
func TestGetStaysOutOfStrings(t *testing.T) {
	for doc, p := range map[string]string{
		`"[1]"`:              "0",
		` "{\"a\":1}"`:       "a",
		`["[truex]"]`:        "#.0",
		`{"a":"[1\"]"}`:      "a|0",
		`["[1\",2]"]`:        "#(%\"*\").0",
		`{"a":"[{\"b\":x}"}`: "a|0.b",
	} {
		require.NoError(t, path.Check(p, path.Result), p)
		r := path.Get([]byte(doc), p)
		assert.True(t, !r.Exists() || json.Valid([]byte(r.Raw)), "%s %s: %s", doc, p, r.Raw)
	}
	assert.False(t, path.Get([]byte(`"[1]"`), "0").Exists())
	assert.Equal(t, `"[1]"`, path.Get([]byte(`"[1]"`), "@this").Raw)
	assert.False(t, path.Get([]byte(`["[truex]"]`), "#.0").Exists())
}

func TestGetCopiesNothing(t *testing.T) {
	doc := []byte(`{"s":"plain"}`)
	s := path.Get(doc, "s").Str
	assert.Same(t, &doc[6], unsafe.StringData(s))
}

// gjson and a walk over the decoded document find the same for plain paths.
func FuzzGet(f *testing.F) {
	f.Add(`{"a":{"b":[1,"x",null]}}`, "a.b.1")
	f.Add(`[[1],{"k":{"":2}}]`, "1.k")
	f.Add(`{"a.b":1,"a":{"b":2}}`, `a\.b`)
	f.Add(`{"a":1e5,"b":"\u00e9"}`, "b")
	f.Fuzz(func(t *testing.T, doc, p string) {
		if path.Check(p, path.Payload) != nil || strings.Contains(p, "#") || !json.Valid([]byte(doc)) || hasTwins(doc) {
			return
		}
		got := path.Get([]byte(doc), p)
		want, ok := walk(doc, components(p))
		require.Equal(t, ok, got.Exists())
		if ok {
			require.JSONEq(t, string(want), got.Raw)
		}
	})
}

// Whatever passes Check reads any document without harm.
func FuzzCheck(f *testing.F) {
	const doc = `{"a":[{"b":"x","c":[1,2,[3]]},{"b":"y"},7,"s",null],"d":{"e":true,"@f":"g"}}`
	for _, s := range []string{"a.#(b==\"x\")#.c", "a.@keys", `a\.@dig`, "d|e", "*.*", "a.#.b", "#(#(#(", `\`, "a.#(b%\"*\")"} {
		f.Add(doc, s)
	}
	f.Add(`["[truex]","{\"a\":1\"}"]`, "#.0")
	f.Fuzz(func(t *testing.T, doc, s string) {
		if path.Check(s, path.Result) == nil && json.Valid([]byte(doc)) && !payloadRefuses(doc) {
			if r := path.Get([]byte(doc), s); r.Exists() {
				require.True(t, json.Valid([]byte(r.Raw)), "%q", r.Raw)
			}
		}
		if path.Check(s, path.Payload) == nil {
			require.NoError(t, path.Check(s, path.Result), "what a payload path holds a result path may hold")
		}
	})
}

// components cuts a plain path and takes the backslashes out.
func components(p string) []string {
	out := []string{""}
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '.':
			out = append(out, "")
			continue
		}
		out[len(out)-1] += string(p[i])
	}
	return out
}

func walk(doc string, names []string) (json.RawMessage, bool) {
	at := json.RawMessage(doc)
	for _, name := range names {
		var object map[string]json.RawMessage
		var array []json.RawMessage
		if json.Unmarshal(at, &object) == nil && object != nil {
			next, ok := object[name]
			if !ok {
				return nil, false
			}
			at = next
			continue
		}
		i, err := strconv.ParseUint(name, 10, 32)
		if json.Unmarshal(at, &array) != nil || err != nil || i >= uint64(len(array)) {
			return nil, false
		}
		at = array[i]
	}
	return at, true
}

// hasTwins reports whether doc holds what payloads are checked for before: duplicate names, and
// text that decoding changes.
func hasTwins(doc string) bool {
	return strings.Contains(doc, "\ufffd") || strings.Contains(doc, `\u`) || payloadRefuses(doc)
}

func payloadRefuses(doc string) bool { return payload.Check([]byte(doc), payload.Limits{}) != nil }
