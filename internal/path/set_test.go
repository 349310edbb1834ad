package path_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
)

func TestSetTakesPlainPathsOnceEach(t *testing.T) {
	var s path.Set
	for _, c := range []struct {
		path string
		want int
	}{{"a.b", 0}, {"a", 1}, {"a.b", 0}, {"a.c.d", 2}, {"a.#", -1}, {"a.0", -1}, {"@this", -1}, {`a\.b`, -1}, {"", -1}, {"b", 3}, {"a.b.c.d.e.f.g.h", 4}, {"a.b.c.d.e.f.g.h.i", -1}} {
		assert.Equal(t, c.want, s.Add(c.path), "%q", c.path)
	}
	assert.Equal(t, 5, s.Len())
}

// setSeeds are paths, and texts that have what they lead to, or nearly.
var setSeeds = [][2]string{
	{"a,b", `{"a":1,"b":"x"}`}, {"b,a", ` { "c" : [ { "a" : 2 } ] , "a" : "x" , "b":null } `}, {"a.b,a.c", `{"a":{"b":{"c":[1,{"b":2}]},"c":-1.5e3}}`},
	{"a,a.b", `{"a":{"b":1}}`}, {"a.b", `{"a":1,"a":{"b":2}}`}, {"a.b,a", `{"a":{"x":1},"a":{"b":2,"b":3}}`}, {"a.b,c", `{"a":[{"b":1}],"c":true}`}, {"a", `[{"a":1}]`}, {"a", `"a"`}, {"a", `{}`}, {"a.b", `{"a":{}}`}, {"a.b", `{"a":"{\"b\":1}"}`},
	{"a", `{"\u0061":1}`}, {"a,b", `{"b":1,"\u0061":2}`}, {"a", `{"\u0061":1,"a":2}`}, {"a", `{"a":"\u00e9\n\ud83d\ude00"}`}, {"a", "{\"a\":\"\xff\"}"}, {"a", `{"a":"\ud83d"}`}, {"a,b", `{"a":"]}\"","b":[[],{},"]"]}`}, {"a.a.a", `{"a":{"a":{"a":{"a":1}}}}`},
	{"a", `{"a":1`}, {"a", `{"a"`}, {"a", `{"a":`}, {"a", `{a:1}`}, {"a", `{"b":}`}, {"b", `{"a":[1}`}, {"a.b", `{"a":{"b"}}`}, {"a", "{\"a\n\":1}"}, {"a", `{"a":x}`}, {"a", "\ufeff{}"}, {"a", ` `}, {"a", `{`}, {"a", `{"`},
}

// FuzzSet compares with what gjson finds, path by path.
func FuzzSet(f *testing.F) {
	for _, seed := range setSeeds {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, paths string, doc []byte) { requireSameTogether(t, paths, doc) })
}

func TestSetFindsWhatGetDoes(t *testing.T) {
	for _, seed := range setSeeds {
		for _, other := range setSeeds {
			requireSameTogether(t, seed[0], []byte(other[1]))
		}
	}
}

// requireSameTogether demands that a Set finds what Get does, or says that it does not know; and that it comes to an
// end with any text.
func requireSameTogether(t *testing.T, paths string, doc []byte) {
	t.Helper()
	var s path.Set
	places := map[string]int{}
	for p := range strings.SplitSeq(paths, ",") {
		if at := s.Add(p); at >= 0 {
			places[p] = at
		}
	}
	found, known := s.Find(doc, nil)
	if !payload.Valid(doc, -1) {
		return
	}
	require.Len(t, found, s.Len())
	require.True(t, known || strings.Contains(string(doc), `\`), "%s in %s", paths, doc)
	for p, at := range places {
		if known {
			got, want := path.At(doc, found[at]), path.Get(doc, p)
			require.Equal(t, want.Exists(), got.Exists(), "%s in %s", p, doc)
			require.Equal(t, want.Type, got.Type, "%s in %s", p, doc)
			require.Equal(t, want.Raw, got.Raw, "%s in %s", p, doc)
			require.Equal(t, want.Str, got.Str, "%s in %s", p, doc)
		}
	}
}

func TestSetAppends(t *testing.T) {
	var s path.Set
	found, known := s.Find([]byte(`{"a":1}`), []path.Place{{7, 8}})
	assert.Equal(t, []path.Place{{7, 8}}, found)
	assert.True(t, known, "a Set without paths")
	s.Add("a")
	found, known = s.Find([]byte(`{"a":1}`), found)
	assert.Equal(t, []path.Place{{7, 8}, {5, 6}}, found)
	assert.True(t, known)
	_, known = s.Find([]byte(`{"\u0062":1,"a":1}`), nil)
	assert.False(t, known, "a name with escapes")
}

// BenchmarkSet takes two values of an answer together, and one after the other.
func BenchmarkSet(b *testing.B) {
	var s path.Set
	s.Add("result.number")
	s.Add("result.id")
	for name, before := range map[string]string{
		"long strings": `"` + strings.Repeat("All work and no play makes a long answer. ", 21) + `"`,
		"items":        "[" + strings.Repeat(`{"id":"3f2a9c1b","name":"Ada \"Lovelace\"","tags":["a","b"],"total":1234.56,"open":true},`, 11) + "null]",
	} {
		doc := []byte(`{"before":` + before + `,"result":{"number":"INC0012345","state":"open","id":987654321}}`)
		b.Run(name+" together", func(b *testing.B) {
			var room [2]path.Place
			for b.Loop() {
				found, _ := s.Find(doc, room[:0])
				_, _ = path.At(doc, found[0]), path.At(doc, found[1])
			}
		})
		b.Run(name+" one by one", func(b *testing.B) {
			for b.Loop() {
				_, _ = path.Get(doc, "result.number"), path.Get(doc, "result.id")
			}
		})
	}
}
