package render_test

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/render"
)

// mixed has references of every kind in every place, and headers that are fixed, mixed and repeated.
var mixed = []render.Definition{
	{
		Method: "POST", URL: "https://[[instance]].example.com/a/{{a ?? \"none\"}}/b?c={{b ?? 1}}&d=[[apiKey]]",
		Headers: []render.Pair{
			{Name: "X-Fixed", Value: "same"}, {Name: "X-A", Value: "a {{a ?? \"\"}}"}, {Name: "X-Key", Value: "[[apiKey]]"},
			{Name: "x-fixed", Value: "again"}, {Name: "X-Key", Value: "[[password]]-[[apiKey]]"}, {Name: "X-Empty", Value: ""},
			{Name: "X-B", Value: "{{b ?? true}}"}, {Name: "X-A", Value: "fixed"}, {Name: "X-C", Value: "[[queue]]"},
		},
		Body: `["[[apiKey]]"]`,
	},
	{
		Method: "POST", URL: "https://api.example.com/", Headers: []render.Pair{{Name: "X-Key", Value: "[[apiKey]]"}},
		Body: `{"whole":"{{a ?? null}}","deep":"{{a.b.c ?? []}}",` +
			`"list":"{{a.#.b ?? []}}","first":"{{a.0 ?? {}}}","secret":"[[apiKey]][[apiKey]]","odd":"[[odd]]"}`,
	},
	post("", `{"deepIn":"{{a.b.c ?? 1}}{{b ?? 2}}","in":"<{{a ?? \"?\"}}>","text":"{{b as string ?? \"?\"}}","again":"{{b ?? 0}}{{a ?? 1}}"}`),
	post("application/x-www-form-urlencoded", `a={{a ?? "x"}}&b=[[password]]&c={{a.b.c ?? 0}}`),
	post("text/xml", `<a b="{{a ?? "x"}}">{{a.b.c ?? "y"}}[[apiKey]]</a>`),
	post("text/plain", `{{a ?? "x"}}{{b ?? "y"}}`),
	{
		Method: "PUT", URL: "https://api.example.com/x", MediaType: "multipart/form-data",
		Form: []render.Field{{Name: "a", Value: `{{a ?? "x"}}`}, {Name: "b", Value: "[[apiKey]]", FileName: "b.txt"}},
	},
	get("https://api.example.com/{{a}}"),
	get("https://api.example.com/"),
}

// rendered is all that a call renders to; its error, if it does not.
type rendered struct {
	method, url, fault string
	header             http.Header
	body               []byte
	sinks              []render.Sink
}

func renderAll(programs []*render.Program, v render.Values) []rendered {
	list := make([]rendered, len(programs))
	for i, p := range programs {
		r, err := p.Render(v)
		if err != nil {
			list[i].fault = err.Error()
			continue
		}
		list[i] = rendered{r.Method, r.URL.String(), "", r.Header, r.Body, r.Sinks}
	}
	return list
}

func (r *rendered) clone() rendered {
	c := *r
	c.header, c.body, c.sinks = r.header.Clone(), bytes.Clone(r.body), slices.Clone(r.sinks)
	return c
}

func mixedPrograms(t testing.TB) []*render.Program {
	var list []*render.Program
	for _, d := range mixed {
		list = append(list, compile(t, d))
	}
	return list
}

// requireOneMeaning renders with and without what makes it quick: an index of the payload, memory that
// others used, and headers that are not written. A Trace takes the slow way everywhere.
func requireOneMeaning(t *testing.T, programs []*render.Program, scratch *render.Scratch, doc string) {
	t.Helper()
	slow := values(doc)
	slow.Trace = true
	want := renderAll(programs, slow)

	quick := values(doc)
	quick.Index, quick.Scratch = new(payload.Document), scratch
	require.NoError(t, quick.Index.Read(quick.Payload, payload.Limits{}))
	got := renderAll(programs, quick)
	require.Equal(t, want, got, "%s", doc)

	before := make([]rendered, len(got))
	for i := range got {
		before[i] = got[i].clone()
	}
	other := values(`{"a":"other","b":"another"}`)
	other.Scratch = scratch
	_ = renderAll(programs, other)
	clear(quick.Payload)
	require.Equal(t, before, got, "what was rendered changes with the next call")
}

func TestTheQuickWayIsTheSlowWay(t *testing.T) {
	programs, scratch := mixedPrograms(t), new(render.Scratch)
	for _, value := range []string{
		`"plain"`, `"Jörg \u00fc \" \\ \n"`, `"\u002e\u002e"`, `"a/b&c=d"`, `"<&>'\""`, `""`, `" "`, `".."`, `"{{a}} [[apiKey]]"`, `"\ud83d\ude00"`, "\"\u2028\"",
		`0`, `-0`, `1.50e+3`, `12345678901234567890`, `true`, `false`, `null`,
		`[]`, `{}`, ` [ 1 , "a b" , { "b" : [ ] } ] `, `{"b":{"c":"deep"}}`, `{"b":{"c":null}}`, `{"b":{"\u0063":1}}`, `{"b":{"c":[1, 2]}}`, `{"b":3}`, `[{"b":1},{"b":2}]`,
	} {
		for _, doc := range []string{
			`{"a":` + value + `,"b":` + value + `}`, `{"b":` + value + `}`, `{"\u0061":` + value + `}`, `{"x":[{"a":1}], "a" : ` + value + `}`, value,
		} {
			requireOneMeaning(t, programs, scratch, doc)
		}
	}
}

func FuzzQuickWay(f *testing.F) {
	for _, s := range []string{`{"a":"x","b":1}`, `{"a":{"b":{"c":"\u0041"}},"b":"ü"}`, `{"a":[{"b":[ 1 ]}],"b":null}`, `[]`, `"\\"`} {
		f.Add(s)
	}
	programs, scratch := mixedPrograms(f), new(render.Scratch)
	f.Fuzz(func(t *testing.T, doc string) {
		if payload.Check([]byte(doc), payload.Default()) == nil {
			requireOneMeaning(t, programs, scratch, doc)
		}
	})
}

// Requests of a program share fixed values of headers and the list of their secrets: whoever adds to either has
// a list of his own.
func TestWhatRequestsShareIsNotWrittenTo(t *testing.T) {
	p := compile(t, mixed[0])
	first, err := p.Render(values(`{"a":"x"}`))
	require.NoError(t, err)
	assert.Equal(t, http.Header{
		"X-Fixed": {"same", "again"}, "X-A": {"a x", "fixed"}, "X-Key": {"s3cr3t-K/y", `p"w<&>-s3cr3t-K/y`}, "X-Empty": {""}, "X-B": {"true"},
		"X-C": {"sales"}, "Content-Type": {"application/json"},
	}, first.Header)
	sinks, header := slices.Clone(first.Sinks), first.Header.Clone()
	second, err := p.Render(values(`{"a":"x"}`))
	require.NoError(t, err)
	for name := range maps.Keys(second.Header) {
		second.Header.Add(name, "more")
	}
	third, err := p.Render(values(`{"a":"x"}`))
	require.NoError(t, err)
	one := append(second.Sinks, render.Sink{Secret: "one", Place: "body"})
	other := append(third.Sinks, render.Sink{Secret: "other", Place: "body"})
	assert.Equal(t, append(slices.Clone(sinks), render.Sink{Secret: "one", Place: "body"}), one)
	assert.Equal(t, append(slices.Clone(sinks), render.Sink{Secret: "other", Place: "body"}), other)
	assert.Equal(t, header, third.Header)
	assert.Equal(t, header, first.Header)
}

// The limit counts what the quick way does not write.
func TestFixedHeadersCountAgainstTheLimit(t *testing.T) {
	scope := testScope
	for scope.MaxBytes = 1; scope.MaxBytes < 400; scope.MaxBytes++ {
		p, problems := render.Compile(render.Definition{
			Method: "GET", URL: "https://api.example.com/a", Query: []render.Pair{{Name: "q", Value: "{{a}}"}},
			Headers: []render.Pair{{Name: "X-A", Value: "a value of some length"}, {Name: "X-B", Value: "{{a}}"}, {Name: "X-C", Value: "another"}},
		}, scope)
		require.Empty(t, problems)
		v := values(`{"a":"0123456789012345678901234567890123456789"}`)
		_, quick := p.Render(v)
		v.Trace = true
		_, slow := p.Render(v)
		require.Equal(t, slow, quick, "%d bytes", scope.MaxBytes)
	}
}

// No secret stays in memory that the next call uses, whichever way a call ends, and no large buffer is kept.
func TestAScratchKeepsNothingOfACall(t *testing.T) {
	scratch := new(render.Scratch)
	for _, p := range mixedPrograms(t) {
		for _, doc := range []string{`{"a":"x"}`, `{"a":[],"b":[]}`, `{}`} {
			v := values(doc)
			v.Scratch = scratch
			_, _ = p.Render(v) // a fault is a way to end
			_, _, _ = p.Text(v)
			buf, sinks := scratch.Left()
			require.NotContains(t, string(buf), "s3cr3t")
			require.NotContains(t, string(buf), "w<&>")
			for _, sink := range sinks {
				require.Empty(t, sink)
			}
		}
	}
	v := values(`{}`)
	v.Scratch = scratch
	v.Secret = func(string) (string, error) { return "s3cr3t, of which XML takes all but the end\x00", nil }
	_, err := compile(t, post("application/xml", "<a>[[apiKey]]</a>")).Render(v)
	require.Error(t, err)
	buf, _ := scratch.Left()
	assert.NotContains(t, string(buf), "s3cr3t")

	v = values(`{"x":"` + strings.Repeat("a", 100<<10) + `"}`)
	v.Scratch = scratch
	_, err = compile(t, post("text/plain", "{{x}}")).Render(v)
	require.NoError(t, err)
	buf, _ = scratch.Left()
	assert.LessOrEqual(t, len(buf), 64<<10)
}

// A room is the memory of the first request that is given it, and of no other.
func TestARoomServesOneRequest(t *testing.T) {
	p, room := compile(t, mixed[0]), new(render.Room)
	in := func(payload string) *render.Request {
		v := values(payload)
		v.Room = room
		r, err := p.Render(v)
		require.NoError(t, err)
		return r
	}
	first := in(`{"a":"x"}`)
	address, header, body := first.URL.String(), first.Header.Clone(), bytes.Clone(first.Body)
	second := in(`{"a":"y"}`)
	assert.Equal(t, renderWith(t, mixed[0], `{"a":"y"}`), second)
	assert.Equal(t, address, first.URL.String())
	assert.Equal(t, header, first.Header)
	assert.Equal(t, body, first.Body)
	assert.NotSame(t, first.URL, second.URL)
}
