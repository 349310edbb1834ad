package payload_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
)

// problem checks text and returns what is wrong with it.
func problem(t *testing.T, text string, l payload.Limits) *payload.Problem {
	t.Helper()
	var p *payload.Problem
	require.ErrorAs(t, payload.Check([]byte(text), l), &p)
	return p
}

func TestCheckAccepts(t *testing.T) {
	for name, text := range map[string]string{
		"null":                      `null`,
		"true":                      `true`,
		"false":                     `false`,
		"zero":                      `0`,
		"minus zero":                `-0`,
		"fraction":                  `-12.50`,
		"exponents":                 `[1e0,1E+400,1e-400,0.1e-07,1e007]`,
		"empty string":              `""`,
		"every escape":              `"\"\\\/\b\f\n\r\t\u0000\u00e9\uFFFF"`,
		"escaped pair":              `"\ud83d\ude00\uD800\uDC00\uDBFF\uDFFF"`,
		"raw text":                  "\"é€😀\x7f\u2028\uFEFF\uFFFD\"",
		"empty array":               `[]`,
		"empty object":              ` { } `,
		"all white space":           " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n",
		"members":                   `{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}`,
		"empty name":                `{"":1," ":2}`,
		"names by case":             `{"url":1,"URL":2}`,
		"names by normal form":      "{\"\u00e9\":1,\"e\u0301\":2}",
		"a name beside its prefix":  `{"a":1,"aa":2,"a\u0000":3}`,
		"a name of escapes":         `{"\u0061":1,"b":2,"\ud83d\ude00":3}`,
		"same name, another object": `[{"x":{"x":{"x":1}}},{"x":2}]`,
		"64 digits":                 strings.Repeat("9", 64),
		"64 digits in two parts":    strings.Repeat("9", 32) + "." + strings.Repeat("9", 32),
		"64 digits and an exponent": strings.Repeat("9", 64) + "e400",
		"64 digits of exponent":     "1e" + strings.Repeat("0", 64),
		"depth 64":                  strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, payload.Check([]byte(text), payload.Limits{}))
			assert.True(t, json.Valid([]byte(text)), "the standard library reads it too")
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		rule    string
		pointer string
		offset  int
	}{
		"nothing":                    {"", payload.Empty, "", 0},
		"white space":                {" \n\t ", payload.Empty, "", 4},
		"byte order mark":            {"\xef\xbb\xbf{}", payload.ByteOrderMark, "", 0},
		"byte order mark alone":      {"\xef\xbb\xbf", payload.ByteOrderMark, "", 0},
		"utf-16":                     {"\xff\xfe{\x00}\x00", payload.Syntax, "", 0},
		"white space of another set": {"\u00a0{}", payload.Syntax, "", 0},
		"form feed":                  {"\f{}", payload.Syntax, "", 0},
		"word":                       {"NaN", payload.Syntax, "", 0},
		"infinity":                   {"-Infinity", payload.Syntax, "", 1},
		"literal in capitals":        {"True", payload.Syntax, "", 0},
		"literal misspelt":           {`{"a":nulL}`, payload.Syntax, "/a", 8},
		"literal too long":           {"nulll", payload.TrailingData, "", 4},
		"plus":                       {"+1", payload.Syntax, "", 0},
		"leading zero":               {"[01]", payload.Syntax, "/0", 2},
		"leading zero, negative":     {"-01", payload.Syntax, "", 2},
		"hexadecimal":                {"[0x1]", payload.Syntax, "/0", 2},
		"no integer":                 {".5", payload.Syntax, "", 0},
		"no fraction":                {"[1.]", payload.Syntax, "/0", 3},
		"no exponent":                {"[1e]", payload.Syntax, "/0", 3},
		"signed nothing":             {"[1e+]", payload.Syntax, "/0", 4},
		"two dots":                   {"[1.2.3]", payload.Syntax, "/0", 4},
		"full-width digit":           {"[\uff11]", payload.Syntax, "/0", 1},
		"single quotes":              {"{'a':1}", payload.Syntax, "", 1},
		"unquoted name":              {"{a:1}", payload.Syntax, "", 1},
		"number as name":             {"{1:1}", payload.Syntax, "", 1},
		"no colon":                   {`{"a" 1}`, payload.Syntax, "/a", 5},
		"two colons":                 {`{"a"::1}`, payload.Syntax, "/a", 5},
		"no value":                   {`{"a":}`, payload.Syntax, "/a", 5},
		"no comma":                   {`[1 2]`, payload.Syntax, "/0", 3},
		"trailing comma, array":      {`[1,]`, payload.Syntax, "/1", 3},
		"trailing comma, object":     {`{"a":1,}`, payload.Syntax, "/a", 7},
		"leading comma":              {`[,1]`, payload.Syntax, "/0", 1},
		"only a comma":               {`{,}`, payload.Syntax, "", 1},
		"wrong bracket":              {`[1}`, payload.Syntax, "/0", 2},
		"wrong brace":                {`{"a":1]`, payload.Syntax, "/a", 6},
		"stray bracket":              {`]`, payload.Syntax, "", 0},
		"comment":                    {`[1/*x*/]`, payload.Syntax, "/0", 2},
		"line feed in a string":      {"\"a\nb\"", payload.Syntax, "", 2},
		"NUL in a string":            {"\"\x00\"", payload.Syntax, "", 1},
		"unknown escape":             {`"\a"`, payload.Syntax, "", 2},
		"hexadecimal escape":         {`"\x41"`, payload.Syntax, "", 2},
		"short escape":               {`"\u00g0"`, payload.Syntax, "", 5},
		"escape cut by the quote":    {`"\u00"`, payload.Syntax, "", 5},
		"second text":                {`{} {}`, payload.TrailingData, "", 3},
		"closed twice":               {`[]]`, payload.TrailingData, "", 2},
		"NUL after the text":         {"1\x00", payload.TrailingData, "", 1},
		"latin-1":                    {"\"\xe9\"", payload.InvalidUTF8, "", 1},
		"stray continuation":         {"\"\x80\"", payload.InvalidUTF8, "", 1},
		"overlong slash":             {"\"\xc0\xaf\"", payload.InvalidUTF8, "", 1},
		"overlong NUL":               {"\"\xe0\x80\x80\"", payload.InvalidUTF8, "", 1},
		"surrogate as bytes":         {"\"\xed\xa0\x80\"", payload.InvalidUTF8, "", 1},
		"beyond Unicode":             {"\"\xf4\x90\x80\x80\"", payload.InvalidUTF8, "", 1},
		"sequence cut by the quote":  {"\"\xe2\x82\"", payload.InvalidUTF8, "", 1},
		"invalid UTF-8 in a name":    {"{\"a\xff\":1}", payload.InvalidUTF8, "", 3},
		"invalid UTF-8 outside":      {"[\xff]", payload.Syntax, "/0", 1},
		"high half":                  {`"x\ud800"`, payload.LoneSurrogate, "", 2},
		"low half":                   {`"\udc00"`, payload.LoneSurrogate, "", 1},
		"low before high":            {`"\udc00\ud800"`, payload.LoneSurrogate, "", 1},
		"low, low":                   {`"\udc00\udc00"`, payload.LoneSurrogate, "", 1},
		"high, high":                 {`"\ud800\ud800"`, payload.LoneSurrogate, "", 1},
		"high, text":                 {`"\ud800abcdef"`, payload.LoneSurrogate, "", 1},
		"high, other escape":         {`"\ud800\n"`, payload.LoneSurrogate, "", 1},
		"high, no surrogate":         {`"\ud800\u0041"`, payload.LoneSurrogate, "", 1},
		"half in a name":             {`{"a":{"\ud800":1}}`, payload.LoneSurrogate, "/a", 7},
		"twin":                       {`{"a":1,"a":1}`, payload.DuplicateMember, "/a", 7},
		"twin behind an escape":      {`{"a":1,"b":2,"\u0061":3}`, payload.DuplicateMember, "/a", 13},
		"twin in two escapes":        {`{"\u002f":1,"\/":3}`, payload.DuplicateMember, "/~1", 12},
		"twin as a pair":             {`{"😀":1,"\ud83d\ude00":3}`, payload.DuplicateMember, "/😀", 10},
		"twin of nothing":            {`{"":1,"":2}`, payload.DuplicateMember, "/", 6},
		"twin further inside":        {`{"a":[0,{"k":{},"l":[],"k":{}}]}`, payload.DuplicateMember, "/a/1/k", 23},
		"the first of two twins":     {`{"z":1,"a":2,"z":3,"a":4}`, payload.DuplicateMember, "/z", 13},
		"twin of a triple":           {`{"a":1,"a":2,"a":3}`, payload.DuplicateMember, "/a", 7},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem(t, c.text, payload.Limits{})
			assert.Equal(t, &payload.Problem{Rule: c.rule, Pointer: c.pointer, Offset: c.offset}, p)
		})
	}
}

// A text that was cut is told apart from one that is wrong, at whatever byte it was cut.
func TestCheckTellsTruncation(t *testing.T) {
	text := `{"a":[-12.5e+1,"é\u00e9\ud83d\ude00😀\\",{"k":null,"l":true,"m":false}],"b":{}}`
	require.NoError(t, payload.Check([]byte(text), payload.Limits{}))
	for end := 1; end < len(text); end++ {
		p := problem(t, text[:end], payload.Limits{})
		assert.Equal(t, payload.Truncated, p.Rule, "cut at %d: %q", end, text[:end])
		assert.Equal(t, end, p.Offset)
	}
	for _, scalar := range []string{"-", "1.", "1e", "1e+", `"`, `"\`, `"\u`, `"\u12`, `"\ud83d`, `"\ud83d\`, `"\ud83d\u`, `"\ud83d\ude`, "t", "nul", "fals", "\"\xe2\x82"} {
		p := problem(t, scalar, payload.Limits{})
		assert.Equal(t, payload.Problem{Rule: payload.Truncated, Offset: len(scalar)}, *p, scalar)
	}
}

func TestCheckLimits(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("7", n) }
	for name, c := range map[string]struct {
		limits payload.Limits
		fits   string
		over   string
		want   payload.Problem
	}{
		"bytes":               {payload.Limits{Bytes: 5}, `"abc"`, `"abcd"`, payload.Problem{Rule: payload.TooLarge, Limit: 5, Offset: 5}},
		"bytes, white space":  {payload.Limits{Bytes: 5}, `1    `, `1     `, payload.Problem{Rule: payload.TooLarge, Limit: 5, Offset: 5}},
		"depth":               {payload.Limits{Depth: 2}, `[{},[]]`, `[[1,{}]]`, payload.Problem{Rule: payload.TooDeep, Limit: 2, Offset: 4, Pointer: "/0/1"}},
		"depth one":           {payload.Limits{Depth: 1}, `{"a":1}`, `{"a":{}}`, payload.Problem{Rule: payload.TooDeep, Limit: 1, Offset: 5, Pointer: "/a"}},
		"digits":              {payload.Limits{Digits: 3}, `[1.23]`, `[1.234]`, payload.Problem{Rule: payload.NumberTooLong, Limit: 3, Offset: 5, Pointer: "/0"}},
		"digits, integer":     {payload.Limits{Digits: 3}, `-123`, `-1234`, payload.Problem{Rule: payload.NumberTooLong, Limit: 3, Offset: 4}},
		"digits of exponent":  {payload.Limits{Digits: 3}, `1e003`, `1e0003`, payload.Problem{Rule: payload.NumberTooLong, Limit: 3, Offset: 5}},
		"exponent":            {payload.Limits{Exponent: 30}, `1e30`, `1e31`, payload.Problem{Rule: payload.ExponentTooLarge, Limit: 30, Offset: 2}},
		"exponent of a digit": {payload.Limits{Exponent: 3}, `1E-3`, `1E-4`, payload.Problem{Rule: payload.ExponentTooLarge, Limit: 3, Offset: 3}},
		"exponent, negative":  {payload.Limits{}, `1e-400`, `1e-401`, payload.Problem{Rule: payload.ExponentTooLarge, Limit: 400, Offset: 3}},
		"default digits":      {payload.Limits{}, digits(64), digits(65), payload.Problem{Rule: payload.NumberTooLong, Limit: 64, Offset: 64}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, payload.Check([]byte(c.fits), c.limits))
			assert.Equal(t, &c.want, problem(t, c.over, c.limits))
		})
	}
	t.Run("default bytes", func(t *testing.T) {
		fits := `"` + strings.Repeat("x", 1<<20-2) + `"`
		require.NoError(t, payload.Check([]byte(fits), payload.Limits{}))
		assert.Equal(t, payload.TooLarge, problem(t, fits+" ", payload.Limits{}).Rule)
	})
	t.Run("negative is off", func(t *testing.T) {
		off := payload.Limits{Bytes: -1, Depth: -1, Digits: -1, Exponent: -1}
		for _, text := range []string{
			strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5),
			digits(1e5), "1e" + digits(1e5), strings.Repeat(" ", 2<<20) + "1",
		} {
			require.NoError(t, payload.Check([]byte(text), off))
		}
	})
}

// An input of nothing but brackets kills recursive parsers at some ten million levels.
func TestCheckDepths(t *testing.T) {
	for depth := 1; depth <= 1e7; depth *= 10 {
		arrays := []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))
		objects := []byte(strings.Repeat(`{"a":`, min(depth, 1e6)) + "1" + strings.Repeat("}", min(depth, 1e6)))
		open := arrays[:depth]
		l := payload.Limits{Bytes: -1}
		for _, text := range [][]byte{arrays, objects} {
			if err := payload.Check(text, l); depth <= 64 {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, payload.TooDeep)
			}
		}
		require.Error(t, payload.Check(open, l))
		require.ErrorContains(t, payload.Check(open, payload.Limits{Bytes: -1, Depth: -1}), payload.Truncated)
	}
}

// A large object is as exact as a small one, and hostile names do not make it slow: it is sorted, not hashed.
func TestCheckLargeObjects(t *testing.T) {
	const members = 20_000
	var b strings.Builder
	for i := range members {
		fmt.Fprintf(&b, `,"%x":0`, i)
	}
	object := "{" + b.String()[1:]
	require.NoError(t, payload.Check([]byte(object+"}"), payload.Limits{}))
	p := problem(t, object+`,"\u0031f4":1,"0":1}`, payload.Limits{})
	assert.Equal(t, payload.Problem{Rule: payload.DuplicateMember, Pointer: "/1f4", Offset: len(object) + 1}, *p)
}

// Memory depends on depth and on the largest object, not on the length of the text.
func TestCheckAllocatesTwice(t *testing.T) {
	for _, lines := range []int{1, 5000} {
		line := `{"customer":{"id":12,"name":"J\u00f6rg","tags":["a","b"],"open":true},"sum":-1.5e3},`
		text := []byte("[" + strings.Repeat(line, lines) + "0]")
		assert.LessOrEqual(t, testing.AllocsPerRun(10, func() {
			if payload.Check(text, payload.Limits{}) != nil {
				t.Fail()
			}
		}), 2.0)
	}
}

func TestCheckLeavesItsInputAlone(t *testing.T) {
	text := []byte(`{"b":[1,{"\u0061":2}],"a":"x"}`)
	before := string(text)
	require.NoError(t, payload.Check(text, payload.Limits{}))
	assert.Equal(t, before, string(text))
}

func BenchmarkCheck(b *testing.B) {
	for _, lines := range []int{10, 10_000} {
		text := []byte("[" + strings.Repeat(`{"sku":"AB-1234","quantity":12,"price":99.95,"note":null},`, lines) + "0]")
		b.Run(fmt.Sprintf("%d bytes", len(text)), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := payload.Check(text, payload.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestCheckSeesEveryByteAtAnyPlace: strings are read by eight bytes at once.
func TestCheckSeesEveryByteAtAnyPlace(t *testing.T) {
	for place := range 20 {
		for c := range 256 {
			text := []byte(`"` + strings.Repeat("x", place) + string([]byte{byte(c)}) + strings.Repeat("x", 20) + `"`)
			rule, offset := "", place+1
			switch {
			case c == '"':
				rule, offset = payload.TrailingData, place+2
			case c == '\\':
				rule, offset = payload.Syntax, place+2
			case c < ' ':
				rule = payload.Syntax
			case c >= 0x80:
				rule = payload.InvalidUTF8
			}
			err := payload.Check(text, payload.Limits{})
			if rule == "" {
				require.NoError(t, err, "%q", text)
				continue
			}
			require.Equal(t, &payload.Problem{Rule: rule, Offset: offset}, err, "%q", text)
		}
	}
}
