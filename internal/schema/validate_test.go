package schema_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/schema"
)

var drafts = map[string]string{
	"4":       "http://json-schema.org/draft-04/schema#",
	"6":       "http://json-schema.org/draft-06/schema#",
	"7":       "http://json-schema.org/draft-07/schema#",
	"2019-09": "https://json-schema.org/draft/2019-09/schema",
	"2020-12": "https://json-schema.org/draft/2020-12/schema",
	"none":    "",
}

const (
	allDrafts = "4 6 7 2019-09 2020-12 none"
	from6     = "6 7 2019-09 2020-12 none"
	from7     = "7 2019-09 2020-12 none"
	from2019  = "2019-09 2020-12 none"
	from2020  = "2020-12 none"
	to2019    = "4 6 7 2019-09"
)

// canary stands for what a caller confides to a payload. It is a text, so schemas of numbers use canaryNumber.
const (
	canary       = `CANARY~7316`
	canaryNumber = `7316731673167316`
)

// keywords is one case of failure for each keyword that can fail.
var keywords = []struct {
	drafts, schema, good, bad, want string
}{
	{allDrafts, `{"type":"integer"}`, `9007199254740993`, `"` + canary + `"`, `"" breaks type "\"integer\""`},
	{allDrafts, `{"type":["null","boolean"]}`, `null`, canaryNumber, `"" breaks type "[\"null\",\"boolean\"]"`},
	{allDrafts, `{"enum":["a",2]}`, `2.0`, `"` + canary + `"`, `"" breaks enum "[\"a\",2]"`},
	{from6, `{"const":{"a":1}}`, `{"a":1.0}`, `{"a":"` + canary + `"}`, `"" breaks const "{\"a\":1}"`},
	{from6, `{"const":9007199254740993}`, `9007199254740993`, `9007199254740992`, `"" breaks const "9007199254740993"`},
	{allDrafts, `{"minimum":10}`, `10`, `-` + canaryNumber, `"" breaks minimum "10"`},
	{allDrafts, `{"maximum":10}`, `10`, canaryNumber, `"" breaks maximum "10"`},
	{from6, `{"exclusiveMinimum":10}`, `11`, `-` + canaryNumber, `"" breaks exclusiveMinimum "10"`},
	{from6, `{"exclusiveMaximum":10}`, `9`, canaryNumber, `"" breaks exclusiveMaximum "10"`},
	{"4", `{"minimum":10,"exclusiveMinimum":true}`, `11`, `-` + canaryNumber, `"" breaks exclusiveMinimum "true"`},
	{"4", `{"maximum":10,"exclusiveMaximum":true}`, `9`, canaryNumber, `"" breaks exclusiveMaximum "true"`},
	{allDrafts, `{"multipleOf":0.1}`, `1.1`, canaryNumber + `.55`, `"" breaks multipleOf "0.1"`},
	{allDrafts, `{"minLength":40}`, `"` + strings.Repeat("é", 40) + `"`, `"` + canary + `"`, `"" breaks minLength "40"`},
	{allDrafts, `{"maxLength":4}`, `"éééé"`, `"` + canary + `"`, `"" breaks maxLength "4"`},
	{allDrafts, `{"pattern":"^[a-z]+$"}`, `"abc"`, `"` + canary + `"`, `"" breaks pattern "\"^[a-z]+$\""`},
	{allDrafts, `{"format":"email"}`, `"a@example.com"`, `"` + canary + `"`, `"" breaks format "\"email\""`},
	{allDrafts, `{"format":"date-time"}`, `"2026-01-02T03:04:05Z"`, `"` + canary + `"`, `"" breaks format "\"date-time\""`},
	{allDrafts, `{"format":"regex"}`, `"a{1000}"`, `"` + canary + `("`, `"" breaks format "\"regex\""`},
	{allDrafts, `{"format":"duration"}`, `"P1Y"`, `"` + canary + `"`, `"" breaks format "\"duration\""`},
	{allDrafts, `{"minItems":2}`, `[1,2]`, `["` + canary + `"]`, `"" breaks minItems "2"`},
	{allDrafts, `{"maxItems":1}`, `[1]`, `["` + canary + `",2]`, `"" breaks maxItems "1"`},
	{allDrafts, `{"uniqueItems":true}`, `[1,"1"]`, `["` + canary + `","` + canary + `"]`, `"" breaks uniqueItems "true"`},
	{to2019, `{"items":{"type":"null"}}`, `[null]`, `[null,"` + canary + `"]`, `"/1" breaks type "\"null\""`},
	{to2019, `{"items":[{}],"additionalItems":false}`, `["a"]`, `[1,"` + canary + `"]`, `"" breaks additionalItems "false"`},
	{to2019, `{"items":[{}],"additionalItems":{"type":"null"}}`, `[1,null]`, `[1,"` + canary + `"]`, `"/1" breaks type "\"null\""`},
	{from2020, `{"items":{"type":"null"}}`, `[null]`, `[null,"` + canary + `"]`, `"/1" breaks type "\"null\""`},
	{from2020, `{"prefixItems":[{"type":"null"}],"items":false}`, `[null]`, `["` + canary + `","` + canary + `"]`, `"/0" breaks type "\"null\""; "/1" breaks items`},
	{from6, `{"contains":{"type":"null"}}`, `[1,null]`, `["` + canary + `"]`, `"" breaks contains; "/0" breaks type "\"null\""`},
	{from6, `{"contains":{"type":"null"}}`, `[null]`, `[]`, `"" breaks contains`},
	{from2019, `{"contains":{"type":"string"},"maxContains":1}`, `["a"]`, `["` + canary + `","` + canary + `"]`, `"" breaks maxContains "1"`},
	{from2019, `{"contains":{"type":"null"},"minContains":2}`, `[null,null]`, `[null]`, `"" breaks minContains "2"`},
	{allDrafts, `{"required":["a","b"]}`, `{"a":1,"b":2}`, `{"c":"` + canary + `"}`, `"" breaks required "a"; "" breaks required "b"`},
	{allDrafts, `{"minProperties":2}`, `{"a":1,"b":2}`, `{"c":"` + canary + `"}`, `"" breaks minProperties "2"`},
	{allDrafts, `{"maxProperties":0}`, `{}`, `{"c":"` + canary + `"}`, `"" breaks maxProperties "0"`},
	{allDrafts, `{"properties":{"a/b":{"type":"null"}}}`, `{"a/b":null}`, `{"a/b":"` + canary + `"}`, `"/a~1b" breaks type "\"null\""`},
	{allDrafts, `{"properties":{"a b%":{"maxLength":1}}}`, `{"a b%":"x"}`, `{"a b%":"` + canary + `"}`, `"/a b%" breaks maxLength "1"`},
	{from6, `{"properties":{"a":false}}`, `{}`, `{"a":"` + canary + `"}`, `"/a" breaks false`},
	{from6, `false`, ``, `"` + canary + `"`, `"" breaks false`},
	{allDrafts, `{"patternProperties":{"^x/":{"type":"null"}}}`, `{"x/":null}`, `{"x/y":"` + canary + `"}`, `"/x~1y" breaks type "\"null\""`},
	{allDrafts, `{"properties":{"a":{}},"patternProperties":{"^x":{}},"additionalProperties":false}`, `{"a":1,"xy":2}`, `{"b":"` + canary + `","a":1,"c":2}`, `"/b" breaks additionalProperties; "/c" breaks additionalProperties`},
	{allDrafts, `{"additionalProperties":{"type":"null"}}`, `{"a":null}`, `{"a":"` + canary + `"}`, `"/a" breaks type "\"null\""`},
	{from6, `{"propertyNames":{"maxLength":1}}`, `{"a":1}`, `{"ab":"` + canary + `"}`, `"/ab" breaks maxLength "1"`},
	{from2019, `{"properties":{"a":true},"unevaluatedProperties":false}`, `{"a":1}`, `{"b":"` + canary + `"}`, `"/b" breaks unevaluatedProperties`},
	{from2019, `{"unevaluatedItems":false}`, `[]`, `["` + canary + `"]`, `"/0" breaks unevaluatedItems`},
	{allDrafts, `{"dependencies":{"a":["b"]}}`, `{"a":1,"b":2}`, `{"a":"` + canary + `"}`, `"" breaks dependencies "\"b\""`},
	{allDrafts, `{"dependencies":{"a":{"required":["b"]}}}`, `{"a":1,"b":2}`, `{"a":"` + canary + `"}`, `"" breaks required "b"`},
	{from2019, `{"dependentRequired":{"a":["b"]}}`, `{"a":1,"b":2}`, `{"a":"` + canary + `"}`, `"" breaks dependentRequired "\"b\""`},
	{from2019, `{"dependentSchemas":{"a":{"maxProperties":1}}}`, `{"a":1}`, `{"a":"` + canary + `","b":1}`, `"" breaks maxProperties "1"`},
	{allDrafts, `{"allOf":[{"type":"string"},{"maxLength":1}]}`, `"x"`, `"` + canary + `"`, `"" breaks maxLength "1"`},
	{allDrafts, `{"anyOf":[{"type":"null"},{"maxLength":1}]}`, `"x"`, `"` + canary + `"`, `"" breaks anyOf; "" breaks type "\"null\""; "" breaks maxLength "1"`},
	{allDrafts, `{"oneOf":[{"type":"null"},{"maxLength":1}]}`, `"x"`, `"` + canary + `"`, `"" breaks oneOf; "" breaks type "\"null\""; "" breaks maxLength "1"`},
	{allDrafts, `{"oneOf":[{"minLength":1},{"maxLength":99}]}`, `""`, `"` + canary + `"`, `"" breaks oneOf`},
	{allDrafts, `{"not":{"type":"string"}}`, `1`, `"` + canary + `"`, `"" breaks not`},
	{from7, `{"if":{"type":"string"},"then":{"maxLength":1},"else":{"maximum":1}}`, `1`, `"` + canary + `"`, `"" breaks maxLength "1"`},
	{from7, `{"if":{"type":"string"},"then":{"maxLength":1},"else":{"maximum":1}}`, `"x"`, canaryNumber, `"" breaks maximum "1"`},
	{allDrafts, `{"properties":{"a":{"$ref":"#/definitions/x"}},"definitions":{"x":{"maxLength":1}}}`, `{"a":"x"}`, `{"a":"` + canary + `"}`, `"/a" breaks maxLength "1"`},
	{"2019-09", `{"$recursiveAnchor":true,"maxProperties":1,"additionalProperties":{"$recursiveRef":"#"}}`, `{"a":{}}`, `{"a":{"b":"` + canary + `","c":1}}`, `"/a" breaks maxProperties "1"`},
	{from2020, `{"$dynamicAnchor":"n","maxProperties":1,"additionalProperties":{"$dynamicRef":"#n"}}`, `{"a":{}}`, `{"a":{"b":"` + canary + `","c":1}}`, `"/a" breaks maxProperties "1"`},
}

// withDraft puts $schema in front of a schema's members.
func withDraft(src, draft string) string {
	if draft == "" || !strings.HasPrefix(src, "{") {
		return src
	}
	return fmt.Sprintf(`{"$schema":%q,%s`, draft, src[1:])
}

func TestKeywords(t *testing.T) {
	for _, c := range keywords {
		for _, draft := range strings.Fields(c.drafts) {
			t.Run(draft+" "+c.schema, func(t *testing.T) {
				s := compile(t, withDraft(c.schema, drafts[draft]))
				if c.good != "" {
					require.NoError(t, s.Validate([]byte(c.good)))
				}
				err := s.Validate([]byte(c.bad))
				require.EqualError(t, err, "payload does not fit its schema: "+c.want)
				for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, *err.(*schema.Violations))} {
					assert.NotContains(t, text, "CANARY")
					assert.NotContains(t, text, "7316")
				}
			})
		}
	}
}

func TestViolationPlaces(t *testing.T) {
	s := compile(t, `{"properties":{"a":{"items":{"$ref":"#/$defs/x~1y"}}},"$defs":{"x/y":{"properties":{"b":{"maxLength":2}}}}}`)
	err := s.Validate([]byte(`{"a":[{},{"b":"abc"}]}`))
	var v *schema.Violations
	require.ErrorAs(t, err, &v)
	assert.Equal(t, &schema.Violations{Total: 1, List: []schema.Violation{{
		Pointer: "/a/1/b", Keyword: "maxLength", Schema: "/$defs/x~1y/properties/b/maxLength", Limit: "2",
	}}}, v)
}

func TestViolationsAreFewAndSorted(t *testing.T) {
	s := compile(t, `{"properties":{"id":{"type":"string"}},"additionalProperties":{"type":"null"},"maxProperties":1}`)
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `"m%02d":1,`, i)
	}
	text := "{" + b.String() + `"id":5}`
	var first *schema.Violations
	require.ErrorAs(t, s.Validate([]byte(text)), &first)
	assert.Len(t, first.List, 32)
	assert.Equal(t, 102, first.Total)
	assert.Equal(t, "", first.List[0].Pointer)
	assert.Equal(t, "/id", first.List[1].Pointer)
	assert.Equal(t, "/m29", first.List[31].Pointer)
	assert.True(t, strings.HasSuffix(first.Error(), "; and 70 more"))
	for range 10 {
		var again *schema.Violations
		require.ErrorAs(t, s.Validate([]byte(text)), &again)
		require.Equal(t, first, again)
	}
}

func TestViolationsAreShort(t *testing.T) {
	long := strings.Repeat("é", 1000)
	s := compile(t, `{"properties":{"`+long+`":{"pattern":"`+long+`"}},"required":["x`+long+`"]}`)
	var v *schema.Violations
	require.ErrorAs(t, s.Validate([]byte(`{"`+long+`":""}`)), &v)
	for _, one := range v.List {
		assert.LessOrEqual(t, len(one.Pointer), 512)
		assert.LessOrEqual(t, len(one.Schema), 512)
		assert.LessOrEqual(t, len(one.Limit), 132)
	}
}

// Contents are not looked into, by no draft: base64 that is none, and JSON that would be deep, are just text.
func TestContentsAreText(t *testing.T) {
	for name, draft := range drafts {
		t.Run(name, func(t *testing.T) {
			s := compile(t, withDraft(`{"contentEncoding":"base64","contentMediaType":"application/json"}`, draft))
			require.NoError(t, s.Validate([]byte(`"`+strings.Repeat("[", 1000)+`"`)))
		})
	}
}

func TestUnknownFormatsAndKeywordsAreIgnored(t *testing.T) {
	require.NoError(t, compile(t, `{"format":"iban","x-note":{"a":[1]},"title":"t"}`).Validate([]byte(`"x"`)))
}

func TestValidateRefusesWhatCheckRefuses(t *testing.T) {
	s := compile(t, `{"items":{"minimum":1,"multipleOf":3}}`)
	for rule, text := range map[string]string{
		payload.Syntax:           `]`,
		payload.TrailingData:     `1 2`,
		payload.ExponentTooLarge: `[1e1000001]`,
		payload.TooDeep:          strings.Repeat("[", 65) + strings.Repeat("]", 65),
		payload.DuplicateMember:  `{"a":1,"a":2}`,
	} {
		var p *payload.Problem
		require.ErrorAs(t, s.Validate([]byte(text)), &p)
		assert.Equal(t, rule, p.Rule)
	}
	shallow, err := schema.Compile([]byte(`{}`), schema.Limits{Payload: payload.Limits{Depth: 1}})
	require.NoError(t, err)
	require.NoError(t, shallow.Validate([]byte(`[]`)))
	require.Error(t, shallow.Validate([]byte(`[[]]`)))
	deep, err := schema.Compile([]byte(`{"items":{"$ref":"#"}}`), schema.Limits{Payload: payload.Limits{Depth: 1e6}})
	require.NoError(t, err)
	require.NoError(t, deep.Validate([]byte(strings.Repeat("[", 1000)+strings.Repeat("]", 1000))))
	require.Error(t, deep.Validate([]byte(strings.Repeat("[", 1001)+strings.Repeat("]", 1001))))
}

// Numbers at the edge of what a payload may hold, against every keyword that computes with them.
// A text that was read within wider limits is held to the schema's own.
func TestADocumentIsHeldToTheLimitsOfTheSchema(t *testing.T) {
	data := []byte(`{"a":[[[1]]],"b":123456,"c":1e30}`)
	for _, own := range []payload.Limits{{Bytes: len(data) - 1}, {Depth: 3}, {Digits: 5}, {Exponent: 29}, {Depth: 4}} {
		s, err := schema.Compile([]byte(`{"type":"object"}`), schema.Limits{Payload: own})
		require.NoError(t, err)
		var d payload.Document
		require.NoError(t, d.Read(data, payload.Limits{}))
		require.Equal(t, s.Validate(data), s.ValidateDocument(&d))
		require.Equal(t, own.Depth == 4, s.ValidateDocument(&d) == nil, "%+v", own)
	}
}

func TestNumbersAtTheEdge(t *testing.T) {
	edge := []string{"1e400", "-1e400", "1e-400", "0e400", "-0.0", strings.Repeat("9", 64) + "e400", "0." + strings.Repeat("9", 63) + "e-400"}
	for _, src := range []string{`{"type":"integer"}`, `{"minimum":1e400}`, `{"maximum":-1e-400}`, `{"exclusiveMinimum":0}`, `{"exclusiveMaximum":0}`, `{"multipleOf":1e-400}`, `{"multipleOf":7e400}`, `{"enum":[1e400]}`, `{"const":1e-400}`} {
		s := compile(t, src)
		for _, number := range edge {
			if err := s.Validate([]byte(number)); err != nil {
				var v *schema.Violations
				require.ErrorAs(t, err, &v, "%s with %s", src, number)
			}
		}
	}
}

func TestWork(t *testing.T) {
	src := `{"items":{"anyOf":[{"type":"string"},{"type":"integer"}]}}`
	s, err := schema.Compile([]byte(src), schema.Limits{Work: 1000})
	require.NoError(t, err)
	require.NoError(t, s.Validate([]byte(`[`+repeated(50, "1")+`]`)))
	assert.Equal(t, &schema.Problem{Rule: schema.TooCostly, Limit: 1000}, s.Validate([]byte(`[`+repeated(500, "1")+`]`)))
}

// What people really write is far from the limits, also with recursion that looks dangerous but is not: each
// value goes one way.
func TestOrdinarySchemasAreAffordable(t *testing.T) {
	for name, c := range map[string]struct{ schema, payload string }{
		"any JSON": {
			`{"anyOf":[{"type":["null","boolean","number","string"]},{"type":"array","items":{"$ref":"#"}},{"type":"object","additionalProperties":{"$ref":"#"}}]}`,
			strings.Repeat(`{"a":[`, 32) + `1` + strings.Repeat(`]}`, 32)},
		"filter expressions": {
			`{"oneOf":[{"properties":{"and":{"items":{"$ref":"#"}}},"required":["and"]},{"properties":{"or":{"items":{"$ref":"#"}}},"required":["or"]},{"properties":{"not":{"$ref":"#"}},"required":["not"]},{"properties":{"eq":{"type":"string"}},"required":["eq"]}]}`,
			`{"and":[{"or":[{"not":{"eq":"a"}}]},{"eq":"b"}]}`},
		"orders": {
			`{"type":"object","required":["lines"],"properties":{"lines":{"type":"array","maxItems":20000,"items":{"type":"object","required":["sku","n"],"additionalProperties":false,"properties":{"sku":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{4}$"},"n":{"type":"integer","minimum":1},"price":{"type":"number","multipleOf":0.01},"tags":{"type":"array","uniqueItems":true,"items":{"enum":["a","b","c"]}}}}}}}`,
			`{"lines":[` + repeated(5000, `{"sku":"AB-1234","n":3,"price":99.95,"tags":["a","b"]}`) + `]}`},
		"unique names": {
			`{"uniqueItems":true,"items":{"type":"string","minLength":1}}`,
			`[` + joined(3000, func(i int) string { return fmt.Sprintf(`"name %d"`, i) }) + `]`},
		"sixty variants": {
			`{"items":{"oneOf":[` + joined(60, func(i int) string {
				return fmt.Sprintf(`{"properties":{"kind":{"const":"k%d"},"v":{"type":"string","maxLength":9}},"required":["kind"]}`, i)
			}) + `]}}`,
			`[` + repeated(500, `{"kind":"k31","v":"x"}`) + `]`},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, compile(t, c.schema).Validate([]byte(c.payload)))
		})
	}
}

func TestValidateConcurrently(t *testing.T) {
	s := compile(t, `{"properties":{"a":{"pattern":"^a+$"},"b":{"items":{"$ref":"#"},"uniqueItems":true}},"additionalProperties":false}`)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for range 50 {
				assert.NoError(t, s.Validate([]byte(`{"a":"aaa","b":[{"a":"a"},{"b":[]}]}`)))
				assert.Error(t, s.Validate(fmt.Appendf(nil, `{"a":"%d","c":1}`, i)))
			}
		})
	}
	wait.Wait()
}

func BenchmarkValidate(b *testing.B) {
	s, err := schema.Compile([]byte(`{"type":"object","required":["id"],"properties":{"id":{"type":"string","maxLength":40},"lines":{"type":"array","items":{"properties":{"sku":{"pattern":"^[A-Z]+$"},"n":{"type":"integer","minimum":1}}}}}}`), schema.Limits{})
	require.NoError(b, err)
	data := []byte(`{"id":"4711","lines":[` + repeated(20, `{"sku":"ABC","n":3}`) + `]}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Validate(data); err != nil {
			b.Fatal(err)
		}
	}
}
