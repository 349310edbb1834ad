package schema_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/schema"
)

// maker makes schemas and payloads out of arbitrary bytes: each choice takes one.
type maker struct{ choices []byte }

func (m *maker) pick(n int) int {
	if len(m.choices) == 0 {
		return 0
	}
	c := m.choices[0]
	m.choices = m.choices[1:]
	return int(c) % n
}

func (m *maker) of(list ...string) string { return list[m.pick(len(list))] }

var (
	madeNames   = []string{`"a"`, `"b"`, `"c"`, `"d"`, `"\u0061"`, `"é"`, `""`}
	madeStrings = []string{
		`"a"`, `""`, `"ab"`, `"\u0061"`, `"é"`, `"😀"`, `"\ud83d\ude00"`, `"a\nb"`, `"abc"`, `"12"`, `"a1"`, `"A-1"`, `"\"\\\/"`,
		`"2026-03-01T09:30:00Z"`, `"2026-02-29T23:59:60Z"`, `"2026-02-28T23:59:59.25+01:00"`, `"2026-02-28"`, `"2024-02-29"`, `"2026-00-10"`,
		`"a.b+c@example.com"`, `"a..b@example.com"`, `"a@b"`, `"a@-b"`, `"a@b-.c"`, `"@b"`, `"a@"`, `"a@[127.0.0.1]"`,
		`"0b9a3f4e-0000-4000-8000-00000000000F"`, `"0b9a3f4e-0000-4000-8000-00000000000G"`, `"example.com"`, `"127.0.0.1"`, `"https://example.com/a?b"`,
		`"` + strings.Repeat("x", 64) + `@example.com"`, `"` + strings.Repeat("y", 65) + `.com"`,
	}
	madeNumbers = []string{
		`0`, `-0`, `1`, `-1`, `2`, `3`, `1.0`, `1.5`, `0.1`, `0.10`, `0.01`, `0.3`, `10`, `1e1`, `1E+1`, `100e-1`, `-2.50`, `99.95`,
		`999999999999999999`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `0.000000000000000001`,
		`123456789012345678.9`, `12345678901234567.89`, `0.0000000000000000001`, `1e400`, `4.5e-10`,
	}
	madePatterns = []string{`"^a"`, `"^[a-z]*$"`, `"[0-9]+"`, `"^.{2}$"`, `"^a?[b-d]{0,2}$"`, `"^[A-Z]?-?[0-9]+$"`, `"^[^a]"`}
	madeFormats  = []string{"date-time", "date", "time", "email", "uuid", "hostname", "ipv4", "uri", "regex", "unknown"}
	madeDrafts   = []string{"", "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema"}
)

// schema makes a subschema with keywords that do not always fit together.
func (m *maker) schema(depth int) string {
	if depth == 0 || m.pick(12) == 11 {
		return m.of(`{}`, `{"type":"string"}`, `{"type":"integer"}`, `true`, `false`, `{"$ref":"#/definitions/x"}`, `{"$ref":"#"}`)
	}
	var words []string
	seen := map[string]bool{}
	for range 1 + m.pick(4) {
		name, value := m.keyword(depth - 1)
		if !seen[name] {
			seen[name] = true
			words = append(words, `"`+name+`":`+value)
		}
	}
	return "{" + strings.Join(words, ",") + "}"
}

func (m *maker) keyword(depth int) (name, value string) {
	count := func() string { return strconv.Itoa(m.pick(4)) }
	switch m.pick(36) {
	case 0, 1, 2:
		return "type", m.of(`"object"`, `"array"`, `"string"`, `"number"`, `"integer"`, `"boolean"`, `"null"`, `["string","null"]`, `["integer","string"]`)
	case 3, 4, 5:
		return "properties", m.members(func() string { return m.schema(depth) })
	case 6:
		return "required", m.of(`["a"]`, `["b","a"]`, `["z"]`)
	case 7:
		return "additionalProperties", m.schema(0)
	case 8:
		return "items", m.schema(depth)
	case 9:
		return m.of("enum", "enum", "examples"), `[` + m.payload(1) + `,` + m.payload(0) + `]`
	case 10:
		return "const", m.payload(1)
	case 11:
		return m.of("minLength", "maxLength"), count()
	case 12:
		return m.of("minItems", "maxItems"), count()
	case 13:
		return m.of("minProperties", "maxProperties"), count()
	case 14, 15:
		return m.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), m.of(madeNumbers...)
	case 16:
		return "multipleOf", m.of(`1`, `2`, `0.1`, `0.01`, `1.5`, `1e-3`, `3`)
	case 17:
		return "pattern", m.of(madePatterns...)
	case 18:
		return "format", `"` + m.of(madeFormats...) + `"`
	case 19:
		return "uniqueItems", "true"
	case 20:
		return m.of("allOf", "prefixItems", "items"), `[` + m.schema(depth) + `,` + m.schema(depth) + `]`
	case 21:
		return "$ref", m.of(`"#/definitions/x"`, `"#/definitions/y"`)
	case 22:
		return m.of("contains", "propertyNames", "additionalItems", "unevaluatedProperties", "unevaluatedItems"), m.schema(depth)
	case 23:
		return m.of("dependentSchemas", "dependencies"), m.members(func() string { return m.schema(depth) })
	case 24:
		return m.of("dependentRequired", "dependencies"), m.of(`{"a":["b"]}`, `{"b":["a","c"],"c":["d"]}`)
	case 25:
		return "contains", m.schema(depth) + m.of("", `,"minContains":`+count(), `,"maxContains":`+count(), `,"minContains":`+count()+`,"maxContains":`+count())
	case 27, 28, 29:
		return m.of("anyOf", "oneOf", "oneOf"), `[` + m.schema(depth) + `,` + m.schema(depth) + m.of("", `,`+m.schema(0)) + `]`
	case 30, 31:
		return "not", m.schema(depth)
	case 32, 33:
		return "if", m.schema(depth) + m.of("", `,"then":`+m.schema(depth)) + m.of("", `,"else":`+m.schema(depth))
	case 34:
		return "patternProperties", `{` + m.of(madePatterns...) + `:` + m.schema(depth) + m.of("", `,"[ab]":`+m.schema(0)) + `}`
	default:
		return "title", `"t"`
	}
}

func (m *maker) members(value func() string) string {
	var list []string
	for i := range m.pick(4) {
		list = append(list, madeNames[(m.pick(3)+i)%4]+":"+value())
	}
	return "{" + strings.Join(list, ",") + "}"
}

func (m *maker) root() string {
	body := m.schema(3)
	if body == "true" || body == "false" {
		return body
	}
	extra := `"definitions":{"x":` + m.schema(1) + `,"y":` + m.schema(2) + `}`
	if draft := m.of(madeDrafts...); draft != "" {
		extra += `,"$schema":"` + draft + `"`
	}
	if body == "{}" {
		return "{" + extra + "}"
	}
	return strings.TrimSuffix(body, "}") + "," + extra + "}"
}

// payload makes a value.
func (m *maker) payload(depth int) string {
	kinds := 4
	if depth > 0 {
		kinds = 8
	}
	switch m.pick(kinds) {
	case 0:
		return m.of(madeStrings...)
	case 1:
		return m.of(madeNumbers...)
	case 2:
		return m.of("true", "false", "null")
	case 3:
		return m.of("1", `"a"`, "{}", "[]")
	case 4, 5:
		var list []string
		for range m.pick(4) {
			list = append(list, m.payload(depth-1))
		}
		return "[" + strings.Join(list, m.of(",", " , ")) + "]"
	default:
		var list []string
		for i := range m.pick(5) {
			list = append(list, madeNames[(m.pick(2)+i)%len(madeNames)]+m.of(":", " : ")+m.payload(depth-1))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
}

// fitting makes a value that a schema is likely to admit.
func (m *maker) fitting(s any, depth int) string {
	object, _ := s.(map[string]any)
	properties, _ := object["properties"].(map[string]any)
	if depth == 0 || m.pick(8) == 7 {
		return m.payload(depth)
	}
	if list, ok := object["enum"].([]any); ok {
		return encoded(list[m.pick(len(list))])
	}
	if v, ok := object["const"]; ok {
		return encoded(v)
	}
	kind, _ := object["type"].(string)
	switch {
	case kind == "array" || object["items"] != nil:
		var list []string
		for range m.pick(4) {
			list = append(list, m.fitting(object["items"], depth-1))
		}
		return "[" + strings.Join(list, ",") + "]"
	case kind == "object" || properties != nil:
		var list []string
		for _, name := range []string{"a", "b", "c", "d"} {
			if sub, ok := properties[name]; ok && m.pick(4) > 0 || m.pick(4) == 3 {
				list = append(list, `"`+name+`":`+m.fitting(sub, depth-1))
			}
		}
		return "{" + strings.Join(list, ",") + "}"
	case kind == "string" || object["pattern"] != nil || object["format"] != nil || object["minLength"] != nil:
		return m.of(madeStrings...)
	case kind == "number" || kind == "integer" || object["minimum"] != nil || object["multipleOf"] != nil:
		return m.of(madeNumbers...)
	case kind == "boolean":
		return "true"
	case kind == "null":
		return "null"
	}
	return m.payload(depth)
}

func encoded(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(data)
}

// requireEquivalent demands that the validator finds valid what the quick way does, and invalid what it
// finds so, and returns what each of the two found.
func requireEquivalent(t *testing.T, s *schema.Schema, src, data string) (quick schema.Verdict, valid bool) {
	t.Helper()
	quick, err := schema.Quick(s, []byte(data))
	if err != nil {
		return schema.Unknown, false
	}
	err = schema.Ask(s, []byte(data))
	var p *schema.Problem
	if errors.As(err, &p) && p.Rule == schema.TooCostly {
		return quick, false
	}
	switch quick {
	case schema.Yes:
		require.NoError(t, err, "the quick way admits %s to %s", data, src)
	case schema.No:
		var broken *schema.Violations
		require.ErrorAs(t, err, &broken, "the quick way refuses %s by %s", data, src)
	}
	return quick, err == nil
}

// tally counts what was judged.
type tally struct{ valid, invalid, yes, no int }

func (t *tally) add(quick schema.Verdict, valid bool) {
	if valid {
		t.valid++
	} else {
		t.invalid++
	}
	switch quick {
	case schema.Yes:
		t.yes++
	case schema.No:
		t.no++
	}
}

// judgeMade makes a schema and some payloads of choices and compares the two ways.
func judgeMade(t *testing.T, choices []byte) (sum tally) {
	t.Helper()
	m := &maker{choices: choices}
	src := m.root()
	s, err := schema.Compile([]byte(src), schema.Limits{})
	if err != nil {
		return sum
	}
	var doc any
	d := json.NewDecoder(strings.NewReader(src))
	d.UseNumber()
	require.NoError(t, d.Decode(&doc))
	for range 8 {
		if data := m.fitting(doc, 3); payload.Check([]byte(data), payload.Limits{}) == nil {
			sum.add(requireEquivalent(t, s, src, data))
		}
	}
	return sum
}

// FuzzQuick makes schemas and payloads by a grammar and compares the quick way with the validator.
func FuzzQuick(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		f.Add(randomBytes(random))
	}
	f.Fuzz(func(t *testing.T, choices []byte) { judgeMade(t, choices) })
}

// FuzzQuickText takes any schema and any payload.
func FuzzQuickText(f *testing.F) {
	for _, c := range keywords {
		f.Add(c.schema, c.good)
		f.Add(c.schema, c.bad)
	}
	f.Fuzz(func(t *testing.T, src, data string) {
		if s, err := schema.Compile([]byte(src), schema.Limits{}); err == nil {
			requireEquivalent(t, s, src, data)
		}
	})
}

func randomBytes(r *rand.Rand) []byte {
	b := make([]byte, 240)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestQuickIsRightAndQuick(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var sum tally
	for range 4000 {
		one := judgeMade(t, randomBytes(random))
		sum.valid, sum.invalid = sum.valid+one.valid, sum.invalid+one.invalid
		sum.yes, sum.no = sum.yes+one.yes, sum.no+one.no
	}
	t.Logf("%d payloads were valid, %d of them beyond doubt; %d were not, %d beyond doubt", sum.valid, sum.yes, sum.invalid, sum.no)
	assert.Greater(t, sum.valid, 3000, "the grammar makes payloads that fit")
	assert.Greater(t, 10*sum.yes, 8*sum.valid, "the quick way knows the common keywords")
	assert.Greater(t, 10*sum.no, 8*sum.invalid, "in both ways")
}

// knownFields are the validator's own fields of a schema, as the quick way knows them. A version of the
// validator that has another one must be looked at before it serves.
var knownFields = strings.Fields(`
	Location Draft meta vocab dynamicAnchors Format format Always Ref RecursiveAnchor RecursiveRef DynamicAnchor DynamicRef
	dynamicRefAnchor Types Constant Enum enumError Not AllOf AnyOf OneOf If Then Else MinProperties MaxProperties Required
	Properties PropertyNames RegexProperties PatternProperties AdditionalProperties Dependencies DependentRequired
	DependentSchemas UnevaluatedProperties MinItems MaxItems UniqueItems Items AdditionalItems PrefixItems Items2020 Contains
	ContainsEval MinContains MaxContains UnevaluatedItems MinLength MaxLength Pattern ContentEncoding decoder
	ContentMediaType mediaType ContentSchema Minimum ExclusiveMinimum Maximum ExclusiveMaximum MultipleOf
	Title Description Default Comment ReadOnly WriteOnly Examples Deprecated Extensions`)

func TestQuickKnowsAllThatTheValidatorJudges(t *testing.T) {
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[jsonschema.Schema]()) {
		fields = append(fields, f.Name)
	}
	assert.ElementsMatch(t, knownFields, fields)
}
