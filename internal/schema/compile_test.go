package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/schema"
)

func compile(t *testing.T, src string) *schema.Schema {
	t.Helper()
	s, err := schema.Compile([]byte(src), schema.Limits{})
	require.NoError(t, err)
	return s
}

// refusal compiles src and returns why it is refused.
func refusal(t *testing.T, src string, l schema.Limits) *schema.Problem {
	t.Helper()
	_, err := schema.Compile([]byte(src), l)
	var p *schema.Problem
	require.ErrorAs(t, err, &p)
	return p
}

func TestCompileRefuses(t *testing.T) {
	const metaschema = "https://json-schema.org/draft/2020-12/schema"
	for name, c := range map[string]struct{ src, rule, pointer string }{
		"number":                      {`5`, schema.Invalid, ""},
		"array":                       {`[]`, schema.Invalid, ""},
		"unknown type":                {`{"properties":{"a":{"type":"text"}}}`, schema.Invalid, "/properties/a/type"},
		"type of another type":        {`{"type":5}`, schema.Invalid, "/type"},
		"first of several faults":     {`{"minLength":-1,"maxLength":"x","required":"a"}`, schema.Invalid, "/maxLength"},
		"negative length":             {`{"minLength":-1}`, schema.Invalid, "/minLength"},
		"boolean in draft 4":          {`{"$schema":"http://json-schema.org/draft-04/schema#","not":true}`, schema.Invalid, "/not"},
		"draft 3":                     {`{"$schema":"http://json-schema.org/draft-03/schema#"}`, schema.UnknownDraft, "/$schema"},
		"unknown draft":               {`{"$schema":"https://example.com/mine"}`, schema.UnknownDraft, "/$schema"},
		"draft by file":               {`{"$schema":"file:///etc/passwd"}`, schema.UnknownDraft, "/$schema"},
		"draft that is no text":       {`{"$schema":{}}`, schema.UnknownDraft, "/$schema"},
		"vocabulary as draft":         {`{"$schema":"https://json-schema.org/draft/2020-12/meta/core"}`, schema.UnknownDraft, "/$schema"},
		"lookahead":                   {`{"properties":{"a":{"pattern":"(?=x)"}}}`, schema.BadPattern, "/properties/a/pattern"},
		"backreference":               {`{"$schema":"http://json-schema.org/draft-04/schema#","pattern":"(a)\\1"}`, schema.BadPattern, "/pattern"},
		"bad pattern of names":        {`{"patternProperties":{"[":{}}}`, schema.BadPattern, "/patternProperties/["},
		"file":                        {`{"$ref":"file:///etc/passwd"}`, schema.ExternalReference, "/$ref"},
		"relative file":               {`{"$ref":"other.json"}`, schema.ExternalReference, "/$ref"},
		"absolute path":               {`{"items":{"$ref":"/etc/passwd"}}`, schema.ExternalReference, "/items/$ref"},
		"network":                     {`{"properties":{"a":{"$ref":"http://127.0.0.1:1/x"}}}`, schema.ExternalReference, "/properties/a/$ref"},
		"network with an id":          {`{"$id":"http://a.example/b","$ref":"http://127.0.0.1:1/x"}`, schema.ExternalReference, "/$ref"},
		"beside an id":                {`{"$id":"file:///etc/x","$ref":"passwd"}`, schema.ExternalReference, "/$ref"},
		"metaschema":                  {`{"$ref":"` + metaschema + `"}`, schema.ExternalReference, "/$ref"},
		"metaschema, draft 7":         {`{"$ref":"http://json-schema.org/draft-07/schema#/definitions/a"}`, schema.ExternalReference, "/$ref"},
		"metaschema by a detour":      {`{"$id":"https://json-schema.org/draft/x/y","$ref":"../2020-12/schema"}`, schema.ExternalReference, "/$id"},
		"metaschema in capitals":      {`{"$id":"HTTPS://JSON-SCHEMA.ORG/draft/x/y","$ref":"../2020-12/schema"}`, schema.ExternalReference, "/$id"},
		"metaschema without a scheme": {`{"$id":"https://a.example/","$ref":"//json-schema.org/draft/2020-12/schema"}`, schema.ExternalReference, "/$ref"},
		"dangling pointer":            {`{"items":{"$ref":"#/$defs/a"}}`, schema.DanglingReference, "/items/$ref"},
		"dangling anchor":             {`{"items":{"$ref":"#a"}}`, schema.DanglingReference, "/items/$ref"},
		"dangling with an id":         {`{"$id":"https://a.example/","items":{"$ref":"#/$defs/a"}}`, schema.DanglingReference, "/items/$ref"},
		"reference that is no URL":    {`{"$ref":"#%zz"}`, schema.DanglingReference, "/$ref"},
		"reference to no schema":      {`{"$ref":"#/title","title":"x"}`, schema.Invalid, "/title"},
		"unusual letters":             {`{"$ref":"#/%24defs/a","$defs":{"a":{}}}`, schema.UnusualReference, "/$ref"},
		"unusual index":               {`{"$ref":"#/x/00","x":[{}]}`, schema.UnusualReference, "/$ref"},
		"to itself":                   {`{"$ref":"#"}`, schema.EndlessReference, ""},
		"round in circles":            {`{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#"}]}}}`, schema.EndlessReference, ""},
		"round by dynamic references": {`{"$dynamicAnchor":"a","not":{"$dynamicRef":"#a"}}`, schema.EndlessReference, ""},
		"two dynamic anchors":         {`{"$defs":{"a":{"$dynamicAnchor":"n"},"b":{"$dynamicAnchor":"n"}}}`, schema.AmbiguousAnchor, "/$defs/b/$dynamicAnchor"},
		"two recursive anchors":       {`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"$defs":{"a":{"$recursiveAnchor":true}}}`, schema.AmbiguousAnchor, "/$recursiveAnchor"},
		"unsupported vocabulary":      {`{"$vocabulary":{"https://a.example/":true}}`, schema.Invalid, ""},
		"two schemas of one id":       {`{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}`, schema.Invalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := refusal(t, c.src, schema.Limits{})
			assert.Equal(t, c.rule, p.Rule)
			assert.Equal(t, c.pointer, p.Pointer)
		})
	}
}

func TestCompileRefusesWhatIsNoPayloadEither(t *testing.T) {
	for rule, src := range map[string]string{
		payload.Syntax:           `{]`,
		payload.Empty:            ``,
		payload.TooLarge:         `{"title":"` + strings.Repeat("x", 32<<10) + `"}`,
		payload.TooDeep:          strings.Repeat(`{"not":`, 33) + `{}` + strings.Repeat(`}`, 33),
		payload.DuplicateMember:  `{"type":"string","type":"number"}`,
		payload.ExponentTooLarge: `{"minimum":1e1000000}`,
		payload.NumberTooLong:    `{"multipleOf":0.` + strings.Repeat("0", 99) + `1}`,
	} {
		_, err := schema.Compile([]byte(src), schema.Limits{})
		var p *payload.Problem
		require.ErrorAs(t, err, &p)
		assert.Equal(t, rule, p.Rule)
	}
}

// A schema next to a file that it names: nothing is read, whatever the spelling.
func TestCompileReadsNoFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "other.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"type":"string"}`), 0o600))
	t.Chdir(dir)
	for _, src := range []string{
		`{"$ref":"other.json"}`, `{"$ref":"./other.json#"}`, `{"$ref":"` + file + `"}`, `{"$ref":"file://` + file + `"}`,
		`{"$id":"file://` + dir + `/x.json","$ref":"other.json"}`, `{"$id":"other.json","$ref":"file://` + file + `"}`,
		`{"$id":"hub:///","$ref":"file:other.json"}`, `{"$schema":"file://` + file + `"}`,
	} {
		p := refusal(t, src, schema.Limits{})
		assert.Contains(t, []string{schema.ExternalReference, schema.UnknownDraft}, p.Rule, src)
	}
}

func TestCompileLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"items":`, n) + `{}` + strings.Repeat(`}`, n) }
	flat := func(n int) string { return `{"anyOf":[` + strings.Repeat(`{},`, n) + `true]}` }
	chain := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"$ref":"#/$defs/0","$defs":{`)
		for i := range n - 2 {
			fmt.Fprintf(&b, `"%d":{"$ref":"#/$defs/%d"},`, i, i+1)
		}
		fmt.Fprintf(&b, `"%d":{}}}`, n-2)
		return b.String()
	}
	for name, c := range map[string]struct {
		limits     schema.Limits
		fits, over string
		want       schema.Problem
	}{
		"schemas":             {schema.Limits{Schemas: 10}, flat(8), flat(9), schema.Problem{Rule: schema.TooManySchemas, Limit: 10, Pointer: "/anyOf/9"}},
		"schemas, by default": {schema.Limits{}, flat(998), flat(999), schema.Problem{Rule: schema.TooManySchemas, Limit: 1000, Pointer: "/anyOf/999"}},
		"pattern":             {schema.Limits{Pattern: 100}, `{"pattern":"a{99}"}`, `{"pattern":"ab{98}c{9}"}`, schema.Problem{Rule: schema.PatternTooLarge, Limit: 100, Pointer: "/pattern"}},
		"patterns together":   {schema.Limits{Pattern: 4}, `{"pattern":"aa","items":{"pattern":"aa"}}`, `{"pattern":"aa","items":{"pattern":"aaa"}}`, schema.Problem{Rule: schema.PatternTooLarge, Limit: 4, Pointer: "/pattern"}},
		"chain":               {schema.Limits{}, chain(32), chain(33), schema.Problem{Rule: schema.ChainTooLong, Limit: 32}},
		"cost":                {schema.Limits{Cost: 50}, flat(10), flat(30), schema.Problem{Rule: schema.TooCostly, Limit: 50}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := schema.Compile([]byte(c.fits), c.limits)
			require.NoError(t, err)
			assert.Equal(t, &c.want, refusal(t, c.over, c.limits))
		})
	}
	t.Run("depth", func(t *testing.T) {
		compile(t, deep(31))
		_, err := schema.Compile([]byte(deep(32)), schema.Limits{})
		require.EqualError(t, err, `json: too-deep at "`+strings.Repeat("/items", 32)+`" (byte 288, limit 32)`)
	})
}

func TestProblemText(t *testing.T) {
	assert.EqualError(t, refusal(t, `{"properties":{"\u001b[31m":{"$ref":"#x"}}}`, schema.Limits{}), `schema: dangling-reference at "/properties/\x1b[31m/$ref"`)
	assert.EqualError(t, refusal(t, `{"not":{}}`, schema.Limits{Schemas: 1}), `schema: too-many-schemas at "/not" (limit 1)`)
}
