package schema_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/schema"
)

// joined calls part for 0 … n-1 and puts commas between.
func joined(n int, part func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = part(i)
	}
	return strings.Join(parts, ",")
}

func repeated(n int, part string) string { return joined(n, func(int) string { return part }) }

// fill repeats part until the schema is as large as a schema may be.
func fill(before string, part func(i int) string, after string) string {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; ; i++ {
		next := part(i)
		if i > 0 {
			next = "," + next
		}
		if b.Len()+len(next)+len(after) > 32<<10 {
			return b.String() + after
		}
		b.WriteString(next)
	}
}

const recursive = `{"$ref":"#"}`

// bombs are schemas that cost much, with a payload that lets them.
var bombs = map[string]struct{ schema, payload string }{
	"doubling references": {
		`{"$ref":"#/$defs/0","$defs":{` + joined(44, func(i int) string {
			return fmt.Sprintf(`"%d":{"allOf":[{"$ref":"#/$defs/%d"},{"$ref":"#/$defs/%d"}]}`, i, i+1, i+1)
		}) + `,"44":{}}}`, `{}`},
	"doubling, few but wide": {
		`{"$ref":"#/$defs/0","$defs":{` + joined(7, func(i int) string {
			return fmt.Sprintf(`"%d":{"anyOf":[%s]}`, i, repeated(100, fmt.Sprintf(`{"$ref":"#/$defs/%d"}`, i+1)))
		}) + `,"7":{}}}`, `{}`},
	"doubling by not, if, dependentSchemas": {
		`{"$ref":"#/$defs/0","$defs":{` + joined(15, func(i int) string {
			ref := fmt.Sprintf(`{"$ref":"#/$defs/%d"}`, i+1)
			return fmt.Sprintf(`"%d":{"not":%s,"if":%s,"then":%s,"else":%s,"dependentSchemas":{"a":%s}}`, i, ref, ref, ref, ref, ref)
		}) + `,"15":{"type":"number"}}}`, `{"a":1}`},
	"doubling with depth, items":       {`{"allOf":[{"items":` + recursive + `},{"items":` + recursive + `}]}`, strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	"doubling with depth, members":     {`{"properties":{"a":` + recursive + `},"patternProperties":{"":` + recursive + `}}`, strings.Repeat(`{"a":`, 63) + "1" + strings.Repeat("}", 63)},
	"doubling with depth, contains":    {`{"items":` + recursive + `,"contains":` + recursive + `}`, strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	"doubling with depth, unevaluated": {`{"unevaluatedItems":` + recursive + `,"contains":{"not":` + recursive + `}}`, strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	"doubling with depth, dynamic": {
		`{"$dynamicAnchor":"n","allOf":[{"additionalProperties":{"$dynamicRef":"#n"}},{"additionalProperties":{"$dynamicRef":"#n"}}]}`,
		strings.Repeat(`{"a":`, 63) + "1" + strings.Repeat("}", 63)},
	"doubling with depth, recursive": {
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"allOf":[{"items":{"$recursiveRef":"#"}},{"items":{"$recursiveRef":"#"}}]}`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	"doubling with depth, tuple in draft 4": {
		`{"$schema":"http://json-schema.org/draft-04/schema#","anyOf":[{"items":[` + recursive + `]},{"items":` + recursive + `}]}`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	"growing slowly with depth": {
		`{"allOf":[{"items":` + recursive + `},{"items":{"$ref":"#/$defs/a"}}],"$defs":{"a":{"allOf":[{"items":{"$ref":"#/$defs/a"}},{"items":{"$ref":"#/$defs/b"}}]},"b":{"items":{"$ref":"#/$defs/b"}}}}`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	"huge repetition":      {`{"pattern":"((a{0,30}){0,30}b)*c"}`, `"` + strings.Repeat("a", 1000) + `"`},
	"repetitions in a row": {fill(`{"pattern":"`, func(int) string { return "(a?){999}" }, `"}`), `"` + strings.Repeat("a", 1000) + `"`},
	"many repetitions":     {fill(`{"anyOf":[`, func(int) string { return `{"pattern":"a{900}"}` }, `]}`), `"` + strings.Repeat("a", 1000) + `"`},
	"many patterns":        {fill(`{"patternProperties":{`, func(i int) string { return fmt.Sprintf(`"(x%d?){0,90}":{}`, i) }, `}}`), `{` + joined(500, func(i int) string { return fmt.Sprintf(`"x%d":1`, i) }) + `}`},
	"large classes":        {fill(`{"pattern":"`, func(int) string { return `\\pL` }, `"}`), `"ä"`},
	"deep groups":          {`{"pattern":"` + strings.Repeat("(", 900) + strings.Repeat(")*", 900) + `"}`, `"aaaaaaaa"`},
	"large enum":           {fill(`{"items":{"enum":[`, func(i int) string { return fmt.Sprint(i) }, `]}}`), `[` + repeated(1000, "-1") + `]`},
	"large enum of text":   {`{"items":{"enum":["` + strings.Repeat("x", 30000) + `"]}}`, `[` + repeated(10000, "1") + `]`},
	"large const":          {fill(`{"items":{"const":[`, func(int) string { return "1e400" }, `,2]}}`), `[[` + repeated(4000, "1e400") + `]]`},
	"large numbers":        {`{"items":{"type":"integer","minimum":1e400,"maximum":1e-400,"multipleOf":7e-400}}`, `[` + repeated(2000, "1e400") + `]`},
	"unique items": {`{"uniqueItems":true}`, `[` + joined(3000, func(i int) string {
		// All of one hash: the validator's does not see where a string ends.
		parts := make([]string, 13)
		for bit := range parts {
			parts[bit] = `a\u0003`
			if i>>bit&1 == 1 {
				parts[bit] = `a","`
			}
		}
		return `["` + strings.Join(parts, "") + `"]`
	}) + `]`},
	"wide alternatives":         {fill(`{"items":{"oneOf":[`, func(i int) string { return fmt.Sprintf(`{"minimum":%d}`, i) }, `]}}`), `[` + repeated(5000, "1") + `]`},
	"many schemas":              {fill(`{"properties":{`, func(i int) string { return fmt.Sprintf(`"%d":true`, i) }, `}}`), `{}`},
	"as many schemas as may be": {`{"properties":{` + joined(998, func(i int) string { return fmt.Sprintf(`"%d":{}`, i) }) + `}}`, `{"1":1}`},
	"many references":           {`{"$defs":{"a":{}},"anyOf":[` + repeated(990, `{"$ref":"#/$defs/a"}`) + `]}`, `{}`},
	"many anchors":              {`{"properties":{` + joined(400, func(i int) string { return fmt.Sprintf(`"%d":{"$anchor":"a%d","items":{"$ref":"#a%d"}}`, i, i, 399-i) }) + `}}`, `{"1":[[[]]]}`},
	"many dynamic anchors": {`{"properties":{` + joined(400, func(i int) string {
		return fmt.Sprintf(`"%d":{"$dynamicAnchor":"a%d","items":{"$dynamicRef":"#a%d"}}`, i, i, 399-i)
	}) + `}}`, `{"1":[[[]]]}`},
	"many ids":                   {`{"$id":"https://a.example/","properties":{` + joined(400, func(i int) string { return fmt.Sprintf(`"%d":{"$id":"%d","items":{"$ref":"%d"}}`, i, i, 399-i) }) + `}}`, `{"1":[[[]]]}`},
	"unusual references":         {`{"anyOf":[` + joined(300, func(i int) string { return fmt.Sprintf(`{"$ref":"#/%%24defs/%%6%d"}`, i%10) }) + `],"$defs":{"a":{"anyOf":[` + repeated(300, "{}") + `]}}}`, `{}`},
	"references into data":       {`{"x":[` + repeated(400, `{"y":{}}`) + `],"anyOf":[` + joined(190, func(i int) string { return fmt.Sprintf(`{"$ref":"#/x/%d/y"}`, i) }) + `]}`, `{}`},
	"long names, deep":           {`{"patternProperties":{"a|` + strings.Repeat("x", 9000) + `":` + recursive + `},"items":` + recursive + `,"minimum":2}`, strings.Repeat(`{"a":`, 60) + "[" + repeated(10000, "1") + "]" + strings.Repeat("}", 60)},
	"long failing locations":     {`{"additionalProperties":` + recursive + `,"items":` + recursive + `,"minimum":2}`, `{"` + strings.Repeat("x", 200_000) + `":[` + repeated(100_000, "1") + `]}`},
	"wide objects, many visits":  {`{"allOf":[` + repeated(900, `{"maxProperties":1}`) + `]}`, `{` + joined(20_000, func(i int) string { return fmt.Sprintf(`"%d":1`, i) }) + `}`},
	"many members required":      {fill(`{"items":{"required":[`, func(i int) string { return fmt.Sprintf(`"%d"`, i) }, `]}}`), `[` + repeated(2000, "{}") + `]`},
	"long text, many visits":     {`{"allOf":[` + repeated(900, `{"maxLength":1}`) + `]}`, `"` + strings.Repeat("x", 1_000_000) + `"`},
	"a payload's own expression": {`{"format":"regex"}`, `"` + strings.Repeat("(a{999})", 100_000) + `"`},
	"a duration without end":     {`{"format":"duration"}`, `"P` + strings.Repeat("1Y", 500_000) + `"`},
	"a period without end":       {`{"format":"period"}`, `"2020-01-01T00:00:00Z/P` + strings.Repeat("1Y", 500_000) + `"`},
	"every element fails":        {`{"items":{"type":"string"}}`, `[` + repeated(100_000, "1") + `]`},
}

// refusedWhenSaved are the bombs that Compile has to tell from harmless schemas by their cost alone.
var refusedWhenSaved = map[string]string{
	"doubling references":                   schema.ChainTooLong,
	"doubling, few but wide":                schema.TooCostly,
	"doubling by not, if, dependentSchemas": schema.TooCostly,
	"doubling with depth, items":            schema.TooCostly,
	"doubling with depth, members":          schema.TooCostly,
	"doubling with depth, contains":         schema.TooCostly,
	"doubling with depth, unevaluated":      schema.TooCostly,
	"doubling with depth, dynamic":          schema.TooCostly,
	"doubling with depth, recursive":        schema.TooCostly,
	"doubling with depth, tuple in draft 4": schema.TooCostly,
	"repetitions in a row":                  schema.PatternTooLarge,
	"many repetitions":                      schema.PatternTooLarge,
	"many patterns":                         schema.PatternTooLarge,
	"large classes":                         schema.PatternTooLarge,
	"large enum":                            schema.TooCostly,
	"large const":                           schema.TooCostly,
	"wide alternatives":                     schema.TooManySchemas,
	"many schemas":                          schema.TooManySchemas,
	"unusual references":                    schema.UnusualReference,
}

// refusedWhenUsed are the bombs that need a payload of their own, and are refused with it.
var refusedWhenUsed = []string{
	"unique items", "large enum of text", "long names, deep", "long failing locations", "wide objects, many visits",
	"long text, many visits", "many members required", "a payload's own expression",
}

// Every bomb is refused when it is saved, or when the payload comes, or goes off with a small bang: one
// that does not would keep this test from ending.
func TestBombs(t *testing.T) {
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			s, err := schema.Compile([]byte(bomb.schema), schema.Limits{})
			if rule, ok := refusedWhenSaved[name]; ok {
				require.ErrorContains(t, err, rule)
			}
			if err != nil {
				return
			}
			err = s.Validate([]byte(bomb.payload))
			if slices.Contains(refusedWhenUsed, name) {
				require.ErrorContains(t, err, schema.TooCostly)
			}
		})
	}
}

// What the quick way reads counts, however few values it reads: it gives up, and the validator judges.
func TestTheQuickWayGivesUpOnLongTexts(t *testing.T) {
	texts := func(text string) string {
		return "[" + joined(64, func(i int) string { return fmt.Sprintf(`"%s%02d"`, text[:len(text)/64], i) }) + "]"
	}
	for _, c := range []struct {
		keyword string
		data    func(text string) string
	}{
		{`"uniqueItems":true`, texts},
		{`"minLength":1`, func(text string) string { return `"` + text + `"` }},
		{`"patternProperties":{"^b":true}`, func(text string) string { return `{"` + text + `":1}` }},
	} {
		s, err := schema.Compile([]byte(`{"$defs":{"u":{`+c.keyword+`},"m":{"allOf":[`+repeated(3, `{"$ref":"#/$defs/u"}`)+`]}},"allOf":[`+
			repeated(400, `{"$ref":"#/$defs/m"}`)+`]}`), schema.Limits{})
		require.NoError(t, err)
		for length, want := range map[int]schema.Verdict{100: schema.Yes, 1_000_000: schema.Unknown} {
			quick, err := schema.Quick(s, []byte(c.data(strings.Repeat("x", length))))
			require.NoError(t, err)
			require.Equal(t, want, quick, "%s, %d bytes", c.keyword, length)
		}
	}
}

// BenchmarkBombs measures the worst that is left.
func BenchmarkBombs(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(bombs)) {
		bomb := bombs[name]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if s, err := schema.Compile([]byte(bomb.schema), schema.Limits{}); err == nil {
					_ = s.Validate([]byte(bomb.payload))
				}
			}
		})
	}
}
