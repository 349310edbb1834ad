package schema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/schema"
)

// quickCases are judged by the quick way: valid ones beyond doubt, or not.
var quickCases = []struct {
	schema  string
	quick   []string // valid beyond doubt
	asked   []string // valid, but the validator is asked
	refused []string // not valid
}{
	{`{}`, []string{`1`, `"\u0061"`, `{"\u0061":[]}`}, nil, nil},
	{`true`, []string{`null`}, nil, nil},
	{`false`, nil, nil, []string{`null`, `{}`}},
	{`{"type":"boolean"}`, []string{`true`, `false`}, nil, []string{`null`, `0`, `"true"`}},
	{`{"type":["integer","null"]}`, []string{`null`, `-0`, `12`}, []string{`1.0`, `1e2`}, []string{`1.5`, `"1"`, `1e-1`}},
	{`{"type":"number"}`, []string{`1`, `-1.5`, `1e9`}, nil, []string{`"1"`}},
	{`{"enum":["a",1,null,true,[2],"\\u0061"]}`, []string{`"a"`, `1`, `1.0`, `null`, `true`}, []string{`"\u0061"`, `1e0`, `[2]`, `"\\u0061"`},
		[]string{`"b"`, `false`, `2`, `[1]`, `"\u0062"`}},
	{`{"const":"\\u0062"}`, nil, []string{`"\\u0062"`}, []string{`"\u0062"`}},
	{`{"const":{}}`, nil, []string{`{}`}, []string{`[]`}},
	{`{"enum":[1],"const":1}`, []string{`1`}, nil, []string{`2`}},
	{`{"enum":[1,2],"const":2}`, []string{`2`}, nil, []string{`1`, `3`}},
	{`{"minLength":2,"maxLength":3}`, []string{`"ab"`, `"äöü"`, `"😀😀"`, `"\ud83d\ude00\n"`, `"\u00e4\u00f6x"`, `7`}, nil,
		[]string{`"a"`, `"\u0061"`, `"😀"`, `"\ud83d\ude00"`, `"abcd"`, `"\n\n\n\n"`}},
	{`{"pattern":"^a+$"}`, []string{`"aa"`, `1`}, []string{`"\u0061"`}, []string{`""`, `"ab"`, `"a\n"`}},
	{`{"pattern":"^.u0061$"}`, nil, nil, []string{`"\u0061"`}},
	{`{"minimum":1.5,"maximum":100}`, []string{`1.5`, `1.50`, `99.999`, `100`, `"0"`}, []string{`1e2`}, []string{`1.4999`, `100.000001`, `-2`, `1e3`}},
	{`{"exclusiveMinimum":0,"exclusiveMaximum":1}`, []string{`0.5`, `0.00000000000000001`}, nil, []string{`0`, `-0`, `1`, `1.0`, `0.0`}},
	{`{"minimum":999999999999999999}`, []string{`999999999999999999`}, []string{`1000000000000000000`}, []string{`0.5`, `0.000000001`, `184467440.73709551616`}},
	{`{"minimum":1e30}`, nil, []string{`1e31`}, []string{`1`}},
	{`{"multipleOf":0.01}`, []string{`129.95`, `3`, `0`}, []string{`1e1`}, []string{`0.001`, `3.141`}},
	{`{"multipleOf":3}`, []string{`9`, `-9.0`}, nil, []string{`10`, `9.5`}},
	{`{"$schema":"http://json-schema.org/draft-04/schema#","maximum":3,"exclusiveMaximum":true}`, []string{`2.9`}, nil, []string{`3`}},
	{`{"minItems":1,"maxItems":2,"items":{"type":"string"}}`, []string{`["a"]`, `["a","b"]`, `{}`}, nil, []string{`[]`, `["a","b","c"]`, `[1]`, `["a",null]`}},
	{`{"items":{"items":{"type":"null"}}}`, []string{`[[null],[],[null,null]]`}, nil, []string{`[[null],[1]]`}},
	{`{"uniqueItems":true}`, []string{`[]`, `[[1]]`, `["a","b",1,true,false,null]`, `[1,2,1.5]`}, []string{`["a","\u0062"]`, `[[1],[2]]`, `[{},[1]]`, `[1,1e1]`},
		[]string{`["a","a"]`, `["a","\u0061"]`, `[1,1.0]`, `[1,1e0]`, `[null,null]`, `[[1],[1]]`, `[{},{}]`}},
	{`{"required":["a","b"]}`, []string{`{"a":1,"b":2}`, `{"b":1,"x":0,"a":2}`, `[]`}, []string{`{"\u0061":1,"b":2}`}, []string{`{}`, `{"a":1}`, `{"b":1,"c":2}`}},
	{`{"required":["z"],"additionalProperties":false}`, []string{`1`}, nil, []string{`{}`, `{"z":1}`}},
	{`{"properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}`, []string{`{"a":"","b":1}`, `{}`}, nil, []string{`{"a":1}`, `{"b":""}`, `{"\u0061":1}`}},
	{`{"properties":{"a":{}},"additionalProperties":false}`, []string{`{"a":[{"b":1}]}`, `{}`}, []string{`{"\u0061":1}`}, []string{`{"b":1}`, `{"a":1,"b":1}`}},
	{`{"minProperties":1,"maxProperties":2}`, []string{`{"a":1}`, `{"a":{"b":1},"b":2}`}, nil, []string{`{}`, `{"a":1,"b":2,"c":3}`}},
	{manyMembers, []string{`{"p0":1,"p19":2}`, `{"p19":1,"p0":2,"p7":3}`}, nil, []string{`{"p0":1}`, `{"p0":"","p19":1}`, `{"p0":1,"p19":1,"p20":1}`}},
	{`{"allOf":[{"type":"string"},{"minLength":2}]}`, []string{`"ab"`}, nil, []string{`"a"`, `12`}},
	{`{"anyOf":[{"type":"integer"},{"minLength":2}]}`, []string{`7`, `"ab"`, `true`}, nil, []string{`"a"`}},
	{`{"anyOf":[{"not":{}},{"type":"integer"}]}`, []string{`7`}, nil, []string{`"a"`}},
	{`{"$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"},"v":{"type":"integer"}}}},"$ref":"#/$defs/n"}`,
		[]string{`{"v":1,"next":{"v":2,"next":{}}}`}, nil, []string{`{"v":1,"next":{"v":2,"next":{"v":""}}}`}},
	{`{"format":"date-time"}`, []string{`"2026-03-01T09:30:00Z"`, `"2026-12-28T23:59:59.123+14:00"`, `"2024-02-29T00:00:00Z"`, `"2016-12-31T23:59:60Z"`, `1`}, []string{`"2026-03-01\u005409:30:00Z"`},
		[]string{`"2026-02-30T00:00:00Z"`, `"2026-02-29T00:00:00Z"`, `"2026-00-01T00:00:00Z"`, `"2026-13-01T00:00:00Z"`, `"2026-01-00T00:00:00Z"`, `"2026-01-01T24:00:00Z"`,
			`"2026-01-01T00:60:00Z"`, `"2026-01-01T00:00:61Z"`, `"2026-01-01T00:00:60Z"`, `"2026-01-01 00:00:00Z"`, `"2026-01-01T00:00:00"`, `"2026-01-01T00:00:00.Z"`,
			`"2026-01-01T00:00:00+24:00"`, `"2026-01-01T00:00:00+01:60"`, `"2026-01-01T00:00:00Zx"`, `"2026-01-01T00:00:00+0100"`, `"+026-01-01T00:00:00Z"`, `""`}},
	{`{"format":"date"}`, []string{`"2026-02-28"`, `"2026-01-31"`}, nil, []string{`"2026-02-30"`, `"2026-2-28"`, `"2026-02-28Z"`, `"20260228"`}},
	{`{"format":"email"}`, []string{`"a.b+c@example.com"`, `"a@b"`, `"x_1@a-b.c"`}, nil,
		[]string{`"a"`, `"@a"`, `"a@"`, `".a@b"`, `"a.@b"`, `"a..b@c"`, `"a@b..c"`, `"a@-b"`, `"a@b-.c"`, `"a@b_c"`, `"a@b@c"`, `"` + strings.Repeat("x", 65) + `@b"`,
			`"a@` + strings.Repeat("y", 64) + `"`, `"a@` + strings.Repeat("y.", 130) + `y"`}},
	{`{"format":"hostname"}`, []string{`"example.com"`, `"a"`, `"a.b."`}, nil, []string{`""`, `"-a"`, `"a-.b"`, `"a..b"`, `"a_b"`, `"` + strings.Repeat("y", 64) + `"`}},
	{`{"format":"uuid"}`, []string{`"0b9a3f4e-0000-4000-8000-00000000000F"`}, nil,
		[]string{`"0b9a3f4e-0000-4000-8000-00000000000G"`, `"0b9a3f4e00004000800000000000000000000"`, `"0b9a3f4e-0000-4000-8000-0000000000000"`, `"0b9a3f4e-0000-4000-8000_000000000000"`}},
	{`{"format":"ipv4"}`, []string{`"127.0.0.1"`}, nil, []string{`"127.0.0.256"`}},
	{`{"format":"uri"}`, []string{`"https://example.com/a?b"`}, nil, []string{`"/a"`}},
	{`{"format":"unknown"}`, []string{`""`}, nil, nil},

	// Keywords that are left to the validator.
	{`{"if":{"type":"string"},"then":false}`, nil, []string{`1`}, []string{`"a"`}},
	{`{"if":{"type":"string"},"else":false}`, nil, []string{`"a"`}, []string{`1`}},
	{`{"not":{"type":"string"}}`, nil, []string{`1`}, []string{`"a"`}},
	{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, nil, []string{`1`}, []string{`2`}},
	{`{"contains":{"const":1}}`, nil, []string{`[1]`}, []string{`[]`}},
	{`{"prefixItems":[{"type":"string"}]}`, nil, []string{`["a"]`}, []string{`[1]`}},
	{`{"prefixItems":[{}],"items":false}`, nil, []string{`[1]`}, []string{`[1,2]`}},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":false}`, nil, []string{`[1]`}, []string{`[1,2]`}},
	{`{"unevaluatedItems":false}`, nil, []string{`[]`}, []string{`[1]`}},
	{`{"unevaluatedProperties":false}`, nil, []string{`{}`}, []string{`{"a":1}`}},
	{`{"patternProperties":{"^a":{"type":"integer"}}}`, nil, []string{`{"a":1}`}, []string{`{"a":""}`}},
	{`{"propertyNames":{"maxLength":1}}`, nil, []string{`{"a":1}`}, []string{`{"ab":1}`}},
	{`{"dependentRequired":{"a":["b"]}}`, nil, []string{`{"b":1}`}, []string{`{"a":1}`}},
	{`{"dependentSchemas":{"a":{"required":["b"]}}}`, nil, []string{`{"b":1}`}, []string{`{"a":1}`}},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":["b"]}}`, nil, []string{`{"b":1}`}, []string{`{"a":1}`}},
	{`{"$dynamicRef":"#x","$defs":{"d":{"$dynamicAnchor":"x","type":"string"}}}`, nil, []string{`"a"`}, []string{`1`}},
	{`{"$schema":"https://json-schema.org/draft/2019-09/schema","properties":{"a":{"$recursiveRef":"#"}},"additionalProperties":false}`, nil,
		[]string{`{"a":{}}`}, []string{`{"a":{"b":1}}`}},
}

// manyMembers has more names than are compared one by one.
var manyMembers = `{"required":["p19","p0"],"additionalProperties":false,"properties":{"p0":{"type":"integer"}` +
	func() (list string) {
		for i := range 19 {
			list += `,"p` + string("0123456789"[(i+1)/10])[:(i+1)/10] + string("0123456789"[(i+1)%10]) + `":{}`
		}
		return list
	}() + `}}`

func TestQuickCases(t *testing.T) {
	for _, c := range quickCases {
		s, err := schema.Compile([]byte(c.schema), schema.Limits{})
		require.NoError(t, err, c.schema)
		judge := func(list []string, quick, valid bool) {
			for _, data := range list {
				q, err := schema.Quick(s, []byte(data))
				require.NoError(t, err, data)
				assert.Equal(t, quick, q, "the quick way, %s of %s", data, c.schema)
				assert.Equal(t, valid, schema.Ask(s, []byte(data)) == nil, "the validator, %s of %s", data, c.schema)
				assert.Equal(t, valid, s.Validate([]byte(data)) == nil, "both, %s of %s", data, c.schema)
			}
		}
		judge(c.quick, true, true)
		judge(c.asked, false, true)
		judge(c.refused, false, false)
	}
}
