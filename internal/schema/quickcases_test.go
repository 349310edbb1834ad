package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/schema"
)

// quickCases are judged by the quick way. It does not know arrays and objects that are listed, nor huge numbers.
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
	{`{"type":["integer","null"]}`, []string{`null`, `-0`, `12`, `1.0`, `1e2`, `1.50e1`, `0e5`}, []string{`1e30`}, []string{`0.0000000000000001e-15`, `1.5`, `"1"`, `1e-1`}},
	{`{"type":"number"}`, []string{`1`, `-1.5`, `1e9`}, nil, []string{`"1"`}},
	{`{"enum":["a",1,null,true,[2],"\\u0061"]}`, []string{`"a"`, `1`, `1.0`, `1e0`, `null`, `true`, `"\u0061"`, `"\\u0061"`}, []string{`[2]`},
		[]string{`"b"`, `false`, `2`, `[1]`, `"\u0062"`}},
	{`{"const":0}`, []string{`0`, `-0.0`, `0e18`}, []string{`0e19`}, []string{`1e-30`, `1`}},
	{`{"const":0.84}`, []string{`0.84`, `84e-2`}, nil, []string{`184467440737095517`, `0.8400000000000000001`}},
	{`{"const":"\\u0062"}`, []string{`"\\u0062"`, `"\u005cu0062"`}, nil, []string{`"\u0062"`}},
	{`{"not":{"const":{}}}`, []string{`[]`, `null`, `1`}, []string{`{"a":1}`}, []string{`{}`}},
	{`{"const":{}}`, nil, []string{`{}`}, []string{`[]`}},
	{`{"enum":[1],"const":1}`, []string{`1`}, nil, []string{`2`}},
	{`{"enum":[1,2],"const":2}`, []string{`2`}, nil, []string{`1`, `3`}},
	{`{"minLength":2,"maxLength":3}`, []string{`"ab"`, `"äöü"`, `"😀😀"`, `"\ud83d\ude00\n"`, `"\u00e4\u00f6x"`, `7`}, nil,
		[]string{`"a"`, `"\u0061"`, `"😀"`, `"\ud83d\ude00"`, `"abcd"`, `"\n\n\n\n"`}},
	{`{"pattern":"^a+$"}`, []string{`"aa"`, `1`, `"\u0061a"`}, nil, []string{`""`, `"ab"`, `"a\n"`}},
	{`{"pattern":"^.u0061$"}`, nil, nil, []string{`"\u0061"`}},
	{`{"minimum":1.5,"maximum":100}`, []string{`1.5`, `1.50`, `99.999`, `100`, `"0"`, `1e2`, `2500e-2`}, nil, []string{`1.4999`, `100.000001`, `-2`, `1e3`}},
	{`{"exclusiveMinimum":0,"exclusiveMaximum":1}`, []string{`0.5`, `0.00000000000000001`}, nil, []string{`0`, `-0`, `1`, `1.0`, `0.0`}},
	{`{"minimum":999999999999999999}`, []string{`999999999999999999`}, []string{`1000000000000000000`, `100e17`}, []string{`0.5`, `0.000000001`, `184467440.73709551616`}},
	{`{"minimum":1e30}`, nil, []string{`1e31`}, []string{`1`}},
	{`{"multipleOf":0.01}`, []string{`129.95`, `3`, `0`, `1e1`, `1E-2`}, nil, []string{`0.001`, `3.141`}},
	{`{"multipleOf":0.03}`, []string{`0.3`}, nil, []string{`184467440737095517`, `0.1`}},
	{`{"multipleOf":3}`, []string{`9`, `-9.0`}, nil, []string{`10`, `9.5`}},
	{`{"$schema":"http://json-schema.org/draft-04/schema#","maximum":3,"exclusiveMaximum":true}`, []string{`2.9`}, nil, []string{`3`}},
	{`{"minItems":1,"maxItems":2,"items":{"type":"string"}}`, []string{`["a"]`, `["a","b"]`, `{}`}, nil, []string{`[]`, `["a","b","c"]`, `[1]`, `["a",null]`}},
	{`{"items":{"items":{"type":"null"}}}`, []string{`[[null],[],[null,null]]`}, nil, []string{`[[null],[1]]`}},
	{`{"uniqueItems":true}`, []string{`[]`, `[[1]]`, `["a","b",1,true,false,null]`, `[1,2,1.5,1e1]`, `[[],{}]`}, []string{`["a","\u0062"]`, `[[1],[2]]`, `[{},[1]]`, `[1,1e30]`},
		[]string{`["a","a"]`, `["a","\u0061"]`, `[1,1.0]`, `[1,1e0]`, `[null,null]`, `[[1],[1]]`, `[{},{}]`}},
	{`{"required":["a","b"]}`, []string{`{"a":1,"b":2}`, `{"b":1,"x":0,"a":2}`, `[]`, `{"\u0061":1,"b":2}`}, nil, []string{`{}`, `{"a":1}`, `{"b":1,"c":2}`}},
	{`{"required":["z"],"additionalProperties":false}`, []string{`1`}, nil, []string{`{}`, `{"z":1}`}},
	{`{"properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}`, []string{`{"a":"","b":1}`, `{}`}, nil, []string{`{"a":1}`, `{"b":""}`, `{"\u0061":1}`}},
	{`{"properties":{"a":{}},"additionalProperties":false}`, []string{`{"a":[{"b":1}]}`, `{}`, `{"\u0061":1}`}, nil, []string{`{"b":1}`, `{"a":1,"b":1}`}},
	{`{"properties":{"customerName":{"type":"string"}},"required":["customerName"],"additionalProperties":false}`, []string{`{"customerName":""}`}, nil,
		[]string{`{"customerNumber":1}`, `{"customerN":""}`, `{"customerName":1}`, `{"customerName":"","customer":""}`}},
	{`{"minProperties":1,"maxProperties":2}`, []string{`{"a":1}`, `{"a":{"b":1},"b":2}`}, nil, []string{`{}`, `{"a":1,"b":2,"c":3}`}},
	{manyMembers, []string{`{"p0":1,"p19":2}`, `{"p19":1,"p0":2,"p7":3}`}, nil, []string{`{"p0":1}`, `{"p0":"","p19":1}`, `{"p0":1,"p19":1,"p20":1}`}},
	{`{"allOf":[{"type":"string"},{"minLength":2}]}`, []string{`"ab"`}, nil, []string{`"a"`, `12`}},
	{`{"anyOf":[{"type":"integer"},{"minLength":2}]}`, []string{`7`, `"ab"`, `true`}, nil, []string{`"a"`}},
	{`{"anyOf":[{"not":{}},{"type":"integer"}]}`, []string{`7`}, nil, []string{`"a"`}},
	{`{"$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"},"v":{"type":"integer"}}}},"$ref":"#/$defs/n"}`,
		[]string{`{"v":1,"next":{"v":2,"next":{}}}`}, nil, []string{`{"v":1,"next":{"v":2,"next":{"v":""}}}`}},
	{`{"format":"date-time"}`, []string{`"2026-03-01T09:30:00Z"`, `"2026-12-28T23:59:59.123+14:00"`, `"2024-02-29T00:00:00Z"`, `"2016-12-31T23:59:60Z"`, `1`, `"2026-03-01\u005409:30:00Z"`}, nil,
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

	// What is valid if something is not must be beyond doubt in both ways.
	{`{"if":{"type":"string"},"then":false}`, []string{`1`}, nil, []string{`"a"`}},
	{`{"if":{"type":"string"},"else":false}`, []string{`"a"`}, nil, []string{`1`}},
	{`{"if":{"pattern":"^a$"},"then":{"maxLength":0},"else":{"minLength":2}}`, []string{`"bb"`, `"\u0062b"`}, nil, []string{`"a"`, `"b"`, `"\u0061"`}},
	{`{"then":false,"else":false}`, []string{`1`}, nil, nil},
	{`{"not":{"type":"string"}}`, []string{`1`}, nil, []string{`"a"`}},
	{`{"if":{"const":[1]},"then":{"maxItems":0},"else":{"maxItems":1}}`, []string{`"a"`}, []string{`[]`, `[2]`}, []string{`[1]`, `[1,2]`}},
	{`{"not":{"pattern":"^a$"}}`, []string{`"b"`, `"\u0062"`}, nil, []string{`"a"`, `"\u0061"`, `1`}},
	{`{"not":{"not":{"const":[1]}}}`, nil, []string{`[1]`}, []string{`[2]`, `1`}},
	{`{"not":{"not":{"pattern":"^a$"}}}`, []string{`"a"`, `"\u0061"`}, nil, []string{`"b"`, `"\u0062"`}},
	{`{"not":{"enum":["a",[1],{"a":1},1e30]}}`, []string{`"b"`, `true`, `"\u0062"`}, []string{`[2]`, `1`, `{"a":2}`}, []string{`"a"`, `[1]`, `"\u0061"`}},
	{`{"not":{"required":["a"]}}`, []string{`{}`, `{"b":1}`, `{"\u0062":1}`}, nil, []string{`{"a":1}`, `{"\u0061":1}`, `1`}},
	{`{"not":{"uniqueItems":true}}`, []string{`["a","a"]`, `[1,1.0]`, `[{},{}]`}, []string{`[[1],[1]]`, `["a","\u0061"]`}, []string{`["a","b"]`, `["a","\u0062"]`}},
	{`{"not":{"minimum":2}}`, []string{`1`}, []string{`1e-30`}, []string{`2`, `3e30`}},
	{`{"not":{"multipleOf":3}}`, []string{`1`}, []string{`1e-30`}, []string{`3`, `3e30`}},
	{`{"not":{"type":"integer"}}`, []string{`1.5`}, []string{`1e-30`}, []string{`1.0`, `1e30`}},
	{`{"not":{"unevaluatedProperties":false}}`, nil, []string{`{"a":1}`}, []string{`{}`}},
	{`{"not":{"maxLength":1}}`, []string{`"aa"`, `"\u0061\u0062"`}, nil, []string{`"a"`, `"\u0061"`, `"\ud83d\ude00"`}},
	{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, []string{`1`, `2.5`}, nil, []string{`2`, `1.5`}},
	{`{"oneOf":[{"const":[1]},{"const":[2]}]}`, nil, []string{`[1]`, `[2]`}, []string{`[3]`, `1`}},
	{`{"oneOf":[{"const":[1]},{"const":1}]}`, []string{`1`}, []string{`[1]`}, []string{`[3]`, `2`}},
	{`{"oneOf":[{"pattern":"^a$"},{"pattern":"^b$"}]}`, []string{`"a"`, `"\u0061"`}, nil, []string{`"c"`, `1`, `"\u0063"`}},
	{`{"oneOf":[true,{"const":[1]},true]}`, nil, nil, []string{`[1]`, `[2]`, `1`}},
	{`{"oneOf":[true,{"const":[1]}]}`, []string{`"a"`}, []string{`[2]`}, []string{`[1]`}},
	{`{"oneOf":[{"properties":{"kind":{"const":"a"}},"required":["kind"]},{"properties":{"kind":{"const":"b"}},"required":["kind","b"]}]}`,
		[]string{`{"kind":"a"}`, `{"b":1,"kind":"b"}`}, nil, []string{`{"kind":"b"}`, `{"kind":"c"}`, `{}`, `1`}},
	{`{"anyOf":[{"const":[1]},{"const":[2]},{"const":2}]}`, []string{`2`}, []string{`[1]`, `[2]`}, []string{`[3]`, `1`}},
	{`{"anyOf":[{"pattern":"^a$"},{"pattern":"^b$"}]}`, []string{`"a"`, `"b"`, `"\u0061"`}, nil, []string{`"c"`, `"\u0063"`}},
	{`{"not":{"anyOf":[{"const":[1]},{"const":1}]}}`, []string{`"b"`, `2`}, []string{`[2]`}, []string{`[1]`, `1`}},
	{`{"not":{"oneOf":[{"enum":[[1],2]},{"enum":[[1],1,2]}]}}`, []string{`2`, `3`}, []string{`[1]`, `[2]`}, []string{`1`}},
	{`{"contains":{"const":1}}`, []string{`[1]`, `["a",1,1]`, `{}`}, nil, []string{`[]`, `[2]`}},
	{`{"contains":{"enum":["a",[1]]},"minContains":2,"maxContains":3}`, []string{`["a","b","\u0061"]`}, []string{`["a",[1]]`}, []string{`["a"]`, `["a","a","a","a"]`, `["a",[2]]`, `["a","a","a",[1]]`}},
	{`{"not":{"contains":{"enum":["a",[1]]}}}`, []string{`["b"]`, `[]`}, []string{`[[2]]`}, []string{`["a"]`, `[[1]]`, `1`}},
	{`{"contains":{"const":"a"},"minContains":0}`, []string{`[]`, `["\u0061"]`}, nil, nil},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","contains":{"const":1},"minContains":2}`, []string{`[1]`}, nil, []string{`[2]`}},
	{`{"prefixItems":[{"type":"string"}]}`, []string{`["a"]`, `["a",1]`, `[]`}, nil, []string{`[1]`}},
	{`{"prefixItems":[{}],"items":false}`, []string{`[1]`, `[]`}, nil, []string{`[1,2]`}},
	{`{"prefixItems":[{"items":{"const":1}},{}],"items":{"type":"string"}}`, []string{`[[1,1],2,"a","b"]`}, nil, []string{`[[1,2]]`, `[[],2,3]`, `[[],2,"a",3]`}},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":false}`, []string{`[1]`}, nil, []string{`[1,2]`}},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":{"type":"string"}}`, []string{`[1]`, `[1,"a"]`}, nil, []string{`[1,2]`}},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","items":{},"additionalItems":false}`, []string{`[1,2]`}, nil, nil},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","additionalItems":false}`, []string{`[1,2]`}, nil, nil},
	{`{"patternProperties":{"^a":{"type":"integer"},"b$":{"minimum":2}}}`, []string{`{"a":1,"b":2,"c":"","ab":3}`, `{"\u0063":1}`}, nil, []string{`{"a":""}`, `{"b":1}`, `{"ab":1}`, `{"\u0061":""}`}},
	{`{"properties":{"ab":{"type":"integer"}},"patternProperties":{"^a":{"minimum":2}},"additionalProperties":false}`, []string{`{"ab":2,"ac":"x"}`}, nil, []string{`{"ab":1}`, `{"ab":2.5}`, `{"b":1}`}},
	{`{"patternProperties":{"^a":{}},"additionalProperties":{"type":"string"}}`, []string{`{"a":1,"b":""}`}, nil, []string{`{"b":1}`}},
	{`{"propertyNames":{"maxLength":1,"enum":["a","bb","é"]}}`, []string{`{"a":1}`, `{"é":1}`, `{}`, `{"\u0061":1}`, `{"\u00e9":1}`}, nil, []string{`{"\u0062b":1}`, `{"bb":1}`, `{"c":1}`}},
	{`{"propertyNames":false}`, []string{`{}`, `1`}, nil, []string{`{"a":1}`}},
	{`{"dependentRequired":{"a":["b","c"]}}`, []string{`{"b":1}`, `{"c":1,"b":2,"a":3}`}, nil, []string{`{"a":1}`, `{"a":1,"b":1}`}},
	{`{"dependentSchemas":{"a":{"required":["b"]},"c":false}}`, []string{`{"b":1}`, `{"b":1,"a":1}`}, nil, []string{`{"a":1}`, `{"c":1}`}},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":["b"],"c":{"maxProperties":1}}}`, []string{`{"b":1}`, `{"c":1}`}, nil, []string{`{"a":1}`, `{"c":1,"d":1}`}},

	// Keywords that are left to the validator.
	{`{"unevaluatedItems":false}`, nil, []string{`[]`}, []string{`[1]`}},
	{`{"unevaluatedProperties":false}`, nil, []string{`{}`}, []string{`{"a":1}`}},
	{`{"$dynamicRef":"#x","$defs":{"d":{"$dynamicAnchor":"x","type":"string"}}}`, nil, []string{`"a"`}, []string{`1`}},
	{`{"$schema":"https://json-schema.org/draft/2019-09/schema","properties":{"a":{"$recursiveRef":"#"}},"additionalProperties":false}`, nil,
		[]string{`{"a":{}}`}, []string{`{"a":{"b":1}}`}},
	{`{"regexProperties":true}`, nil, []string{`{"a":1}`}, []string{`{"(":1}`}},
	{manyRequired(65), nil, []string{`{` + manyMade(65) + `}`}, []string{`{` + manyMade(64) + `}`}},
	{manyRequired(64), []string{`{` + manyMade(64) + `}`}, nil, []string{`{` + manyMade(63) + `}`}},
}

// manyMembers has more names than are compared one by one.
var manyMembers = `{"required":["p19","p0"],"additionalProperties":false,"properties":{"p0":{"type":"integer"}` +
	func() (list string) {
		for i := range 19 {
			list += `,"p` + string("0123456789"[(i+1)/10])[:(i+1)/10] + string("0123456789"[(i+1)%10]) + `":{}`
		}
		return list
	}() + `}}`

func manyRequired(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"n%d"`, i)
	}
	return `{"required":[` + strings.Join(list, ",") + `]}`
}

func manyMade(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"n%d":%d`, i, i)
	}
	return strings.Join(list, ",")
}

func TestQuickCases(t *testing.T) {
	for _, c := range quickCases {
		s, err := schema.Compile([]byte(c.schema), schema.Limits{})
		require.NoError(t, err, c.schema)
		judge := func(list []string, quick, valid bool) {
			for _, data := range list {
				q, err := schema.Quick(s, []byte(data))
				require.NoError(t, err, data)
				assert.Equal(t, quick, q == schema.Yes, "the quick way, %s of %s", data, c.schema)
				assert.False(t, valid && q == schema.No, "the quick way, %s of %s", data, c.schema)
				assert.Equal(t, valid, schema.Ask(s, []byte(data)) == nil, "the validator, %s of %s", data, c.schema)
				assert.Equal(t, valid, s.Validate([]byte(data)) == nil, "both, %s of %s", data, c.schema)
			}
		}
		judge(c.quick, true, true)
		judge(c.asked, false, true)
		judge(c.refused, false, false)
	}
}
