package path_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
)

func TestPlain(t *testing.T) {
	for p, want := range map[string][]string{
		"a": {"a"}, "a.b_c.D-1": {"a", "b_c", "D-1"}, "_x": {"_x"},
		"": nil, "a.": nil, ".a": nil, "a..b": nil, "0": nil, "a.0": nil, "a.#": nil, "#": nil, `a\.b`: nil, "a*": nil, "a?": nil,
		"a|b": nil, "@this": nil, "a.@keys": nil, "é": nil, "a:b": nil, "-a": nil, "a b": nil, "a{": nil, "[": nil, "a.^": nil, "`": nil,
	} {
		assert.Equal(t, want, path.Plain(p), "%q", p)
	}
}

var plainSeeds = [][2]string{
	{"a", `{"a":1}`}, {"a", ` { "b" : {"a":2} , "a" : "x" } `}, {"a.b", `{"a":{"b":{"c":[1,{"b":2}]}}}`}, {"a.b", `{"a":[{"b":1}]}`},
	{"a", `{"\u0061":1}`}, {"a", `{"a":"\u00e9\n\ud83d\ude00"}`}, {"a.b", `{"a":"{\"b\":1}"}`}, {"a", `"a"`}, {"a", `[{"a":1}]`}, {"a", `{"a":null}`},
	{"a.b", `{"a":1,"a":{"b":2}}`}, {"a", `{"\u0061":1,"a":2}`}, {"a", "{\"a\":\"\\ud83d\",\"\xff\":1}"},
	{"a.b", `{"a":null}`}, {"a", `{}`}, {"a", `{"a":{}}`}, {"b", `{"a":{"b":1}}`}, {"b", `{"a":"\"b\":1"}`}, {"a", `{"a":true}`}, {"a", `{"a":-1.50e3}`},
}

// FuzzIn compares with what gjson finds.
func FuzzIn(f *testing.F) {
	for _, seed := range plainSeeds {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, p string, text []byte) {
		var d payload.Document
		if path.Plain(p) == nil || path.Check(p, path.Payload) != nil {
			return
		}
		if d.Read(text, payload.Limits{}) == nil {
			requireSame(t, &d, p)
		}
	})
}

// requireSame demands that In finds what gjson does, or nothing.
func requireSame(t *testing.T, d *payload.Document, p string) {
	t.Helper()
	got, ok := path.In(d, path.Plain(p))
	if !ok {
		return
	}
	want := path.Get(d.Text(), p)
	require.Equal(t, want.Exists(), got.Exists())
	require.Equal(t, want.Type, got.Type)
	require.Equal(t, want.Raw, got.Raw)
	require.Equal(t, want.Str, got.Str)
}

func TestInKnowsItsLimits(t *testing.T) {
	var d payload.Document
	_, ok := path.In(&d, []string{"a"})
	assert.False(t, ok, "no document")
	for text, want := range map[string]bool{
		`{"a":1}`: true, `{"b":1}`: true, `1`: true, `{"\u0062":1}`: false, `[]`: false, `{"a":1,"\u0062":1}`: true,
	} {
		require.NoError(t, d.Read([]byte(text), payload.Limits{}))
		_, ok := path.In(&d, []string{"a"})
		assert.Equal(t, want, ok, text)
	}
}

func TestTextIsThatOfScalarsAsTheyStand(t *testing.T) {
	var d payload.Document
	for text, want := range map[string]string{`"a b"`: "a b", `""`: "", `-1.50e3`: "-1.50e3", `true`: "true", `false`: "false", `"\u0061"`: "?", `null`: "?", `[]`: "?", `{}`: "?"} {
		require.NoError(t, d.Read([]byte(`{"a":`+text+`}`), payload.Limits{}))
		v, _ := path.Find(&d, []string{"a"})
		got, ok := path.Text(&d, v)
		assert.Equal(t, want != "?", ok, text)
		if ok {
			assert.Equal(t, want, got)
		}
	}
}
