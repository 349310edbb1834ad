package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/render"
)

// evil is a value with something for every place.
const evil = `"},"evil":[1],{"x":"</a><evil b='"><!--]]>&amp;%2e%2e/../@evil.test#?&a=b;{{x}}[[apiKey]]\` + "\u2028"

// fuzzValues returns values that make x and every member of it text.
func fuzzValues(t *testing.T, x string) render.Values {
	v := withPayload(t, x)
	v.Auth = []byte(`{"token":"t0k3n","url":"https://auth.example.com"}`)
	v.AuthSecret = func(path string) bool { return path == "token" }
	v.OriginAllowed = func(string) bool { return true }
	return v
}

// Whatever a definition says, compiling ends with a program or problems, and the program's requests keep
// to the origin and to the rules of HTTP.
func FuzzCompile(f *testing.F) {
	f.Add("POST", "https://[[instance]].example.com/a/{{x}}?b={{x}}#", "X-A", "v [[apiKey]]", "application/json", `{"a":"{{x}}"}`)
	f.Add("GET", "[[@auth.url]]/a/%2e{{x}}", "X-A", "", "text/xml", "<a>{{x}}</a>")
	f.Add("PUT", "https://h.example.com:8443/?{{x}}", "X-B", `{{x ?? "y"}}`, "application/x-www-form-urlencoded", "a={{x}}&b")
	f.Add("PUT", `https://h.example.com\[[odd]]/`, "X-B", `\{{`, "text/plain; charset=utf-8", "{{x as string ?? 1}}")
	f.Fuzz(func(t *testing.T, method, target, name, value, mediaType, body string) {
		d := render.Definition{Method: method, URL: target, Headers: []render.Pair{{Name: name, Value: value}}, MediaType: mediaType, Body: body}
		p, problems := render.Compile(d, testScope)
		require.Equal(t, p == nil, len(problems) > 0)
		if p == nil {
			return
		}
		for _, x := range []string{"plain", evil} {
			r, err := p.Render(fuzzValues(t, x))
			if err != nil {
				var fault *render.Fault
				require.ErrorAs(t, err, &fault)
				continue
			}
			requireSound(t, p, r)
		}
	})
}

func requireSound(t *testing.T, p *render.Program, r *render.Request) {
	t.Helper()
	again, err := url.Parse(r.URL.String())
	require.NoError(t, err)
	require.Equal(t, r.URL.Host, again.Host)
	require.Nil(t, again.User)
	require.Empty(t, again.Fragment)
	for _, origin := range p.Origins(variable) {
		require.Equal(t, origin, again.Scheme+"://"+again.Host)
	}
	for part := range strings.SplitSeq(again.Path, "/") {
		require.NotContains(t, []string{".", ".."}, part)
	}
	for name, list := range r.Header {
		require.NotContains(t, strings.Join(append(list, name), ""), "\n")
	}
}

// A value never changes the structure around it.
func FuzzValue(f *testing.F) {
	for _, x := range naughty()[:80] {
		f.Add(x)
	}
	f.Add(evil)
	programs := map[string]*render.Program{
		"json": compile(f, everywhere("application/json", `{"a":"{{x}}","b":"<{{x}}>"}`)),
		"form": compile(f, everywhere("application/x-www-form-urlencoded", "a={{x}}&b=<{{x}}>")),
	}
	f.Fuzz(func(t *testing.T, x string) {
		if !utf8.ValidString(x) {
			return
		}
		for kind, p := range programs {
			r, err := p.Render(withPayload(t, x))
			if err != nil {
				return
			}
			requireSound(t, p, r)
			require.Equal(t, "/a/p"+x+"/b", r.URL.Path)
			require.Equal(t, 3, strings.Count(r.URL.EscapedPath(), "/"))
			require.Equal(t, url.Values{"q": {x}, "r": {"1"}, "s": {x}}, r.URL.Query())
			require.Equal(t, "v"+x, r.Header.Get("X-Value"))
			got := map[string]string{}
			if kind == "json" {
				require.NoError(t, json.Unmarshal(r.Body, &got))
			} else {
				form, err := url.ParseQuery(string(r.Body))
				require.NoError(t, err)
				got["a"], got["b"] = form.Get("a"), form.Get("b")
			}
			require.Equal(t, map[string]string{"a": x, "b": "<" + x + ">"}, got)
		}
	})
}

// A whole string takes any JSON value as it is; the rest of the body stays.
func FuzzJSONValue(f *testing.F) {
	for _, s := range []string{"1", `{"a": [1, 2]}`, `"x\u0041"`, "null", "1.50e3", "[[]]", `{"b":{}}`, ` [ "a b" , "\"" ] `} {
		f.Add(s)
	}
	p := compile(f, post("", `{"before":[1],"a":"{{x}}","after":"{{x.#.y ?? []}}"}`))
	f.Fuzz(func(t *testing.T, value string) {
		doc := `{"x":` + value + `}`
		if payload.Check([]byte(doc), payload.Default()) != nil {
			return
		}
		r, err := p.Render(values(doc))
		if err != nil {
			var fault *render.Fault
			require.ErrorAs(t, err, &fault)
			return
		}
		require.NoError(t, payload.Check(r.Body, payload.Limits{Depth: 70}))
		var got, want map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(r.Body, &got))
		require.NoError(t, json.Unmarshal([]byte(doc), &want))
		if bytes.Contains([]byte(doc), []byte(`"x"`)) && len(want) == 1 {
			var compact bytes.Buffer
			require.NoError(t, json.Compact(&compact, want["x"]))
			require.Equal(t, compact.String(), string(got["a"]))
		}
		require.Equal(t, "[1]", string(got["before"]))
		require.Len(t, got, 3)
	})
}

// A template in JSON keeps its skeleton whatever the value.
func FuzzJSONTemplate(f *testing.F) {
	for _, s := range []string{`{"a":"-{{x}}-","b":["[[odd]]",1]}`, `"{{x}}"`, `["\"{{x}}\\\\{{x}}"]`, `{"\\[[a":{"b":"\\\\{{x}}"}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, problems := render.Compile(post("application/json", source), testScope)
		if len(problems) > 0 || source == "" {
			return
		}
		a, err := p.Render(fuzzValues(t, "plain"))
		if err != nil {
			return
		}
		b, err := p.Render(fuzzValues(t, evil))
		require.NoError(t, err)
		require.Equal(t, jsonSkeleton(t, a.Body), jsonSkeleton(t, b.Body))
	})
}

func jsonSkeleton(t *testing.T, body []byte) any {
	t.Helper()
	require.NoError(t, payload.Check(body, payload.Limits{Bytes: -1}))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return withoutText(v)
}

func withoutText(v any) any {
	switch v := v.(type) {
	case string:
		return "text"
	case []any:
		for i := range v {
			v[i] = withoutText(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = withoutText(v[k])
		}
	}
	return v
}

// A template in XML keeps its elements and attributes whatever the value.
func FuzzXMLTemplate(f *testing.F) {
	for _, s := range []string{
		`<a b="{{x}}" c='{{x}}'>{{x}}<!-- c --><d/></a>`, "<a><![CDATA[x]]>{{x}}</a>", `<?xml version="1.0"?><a x="<{{x}}"/>`,
		"<a><!-{{x}}- --></a>", "<{{x}}a/>", `<a b="{{x}}>{{x}}"/>`, "<a>&#{{x}};&{{x}}lt;</a>", "<a b='\"{{x}}'/>", "<?a?>{{x}}<a/>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, problems := render.Compile(post("text/xml", source), testScope)
		if len(problems) > 0 {
			return
		}
		a, err := p.Render(fuzzValues(t, "plain"))
		if err != nil {
			return
		}
		b, err := p.Render(fuzzValues(t, evil))
		require.NoError(t, err)
		require.Equal(t, xmlSkeleton(t, a.Body), xmlSkeleton(t, b.Body))
	})
}

func xmlSkeleton(t *testing.T, body []byte) []string {
	t.Helper()
	var out []string
	for d := xml.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err, "%s", body)
		switch token := token.(type) {
		case xml.StartElement:
			out = append(out, "<"+token.Name.Space+" "+token.Name.Local)
			for _, a := range token.Attr {
				if a.Name.Local != "xmlns" && a.Name.Space != "xmlns" {
					out = append(out, "@"+a.Name.Local)
				}
			}
		case xml.EndElement:
			out = append(out, ">"+token.Name.Local)
		case xml.Comment:
			out = append(out, "!"+string(token))
		case xml.ProcInst:
			out = append(out, "?"+token.Target+string(token.Inst))
		}
	}
}

// Whatever a program hands over, a secret goes only where it is bound.
func FuzzDynamic(f *testing.F) {
	f.Add("https://h.example.com/[[odd]]?key=[[apiKey]]", "X-Key", "[[apiKey]]", "a", "text/plain", `"[[queue]]"`)
	f.Add("https://h.example.com/[[apiKey]]", "X-Other", "[[[apiKey]]", "key", "application/json", `{"a":"[[[[apiKey]]"}`)
	f.Fuzz(func(t *testing.T, target, name, value, key, mediaType, body string) {
		if body != "" && payload.Check([]byte(body), payload.Default()) != nil {
			return
		}
		r, err := render.Dynamic(render.Envelope{
			Method: "POST", URL: target, Headers: []render.Pair{{Name: name, Value: value}},
			Query: []render.Pair{{Name: key, Value: value}}, MediaType: mediaType, Body: []byte(body),
		}, testScope, values(""), bound)
		if err != nil {
			var fault *render.Fault
			require.ErrorAs(t, err, &fault)
			return
		}
		for header, list := range r.Header {
			require.True(t, header == "X-Key" || !slices.ContainsFunc(list, holdsSecret), "%s", header)
		}
		require.False(t, holdsSecret(r.URL.Path) || holdsSecret(r.URL.Host) || holdsSecret(string(r.Body)))
		for key, list := range r.URL.Query() {
			require.True(t, key == "key" || !slices.ContainsFunc(list, holdsSecret), "%s", key)
		}
	})
}

func holdsSecret(s string) bool { return strings.Contains(s, "s3cr3t-K") }
