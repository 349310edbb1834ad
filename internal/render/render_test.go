package render_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/render"
)

// golden is the request of the benchmark as it goes on the wire.
const golden = "POST https://dev1.service-now.com/api/now/table/incident/records?sysparm_fields=number,sys_id&caller=a7%2F9\n" +
	"Accept: application/json\nContent-Type: application/json\nX-Api-Key: s3cr3t-K/y\nX-Correlation-Id: hub-1234567\n\n" +
	`{"short_description":"Call from Zoë \"Z\" Smith","caller":{"id":"a7/9","name":"Zoë \"Z\" Smith","vip":true},"urgency":3,` +
	`"description":"Opened by the contact centre for contact 1234567. The caller was asked for a call-back number and agreed to be called between nine and five on working days.",` +
	`"tags":["hub","phone"],"details":{"queue":"sales","attached":false,"cost":12345678901234567890}}`

// wire writes a request as text.
func wire(t testing.TB, r *render.Request) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(r.Method + " " + r.URL.String() + "\n")
	require.NoError(t, r.Header.Write(&b))
	return strings.ReplaceAll(b.String(), "\r\n", "\n") + "\n" + string(r.Body)
}

func TestGolden(t *testing.T) {
	p := compile(t, incident)
	r, err := p.Render(incidentValues)
	require.NoError(t, err)
	assert.Equal(t, golden, wire(t, r))
	assert.Equal(t, []render.Sink{{"apiKey", "header:X-Api-Key"}}, r.Sinks)
	assert.Nil(t, r.Parts)
}

// A realistic request takes few allocations: what the caller gets, and one for each escaped string.
func TestRenderAllocatesLittle(t *testing.T) {
	p := compile(t, incident)
	n := testing.AllocsPerRun(100, func() { _, _ = p.Render(incidentValues) })
	assert.LessOrEqual(t, n, 15.0)
}

func TestRenderIsDeterministicAndConcurrent(t *testing.T) {
	p := compile(t, incident)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				r, err := p.Render(incidentValues)
				if assert.NoError(t, err) {
					assert.Equal(t, golden, wire(t, r))
				}
			}
		})
	}
	wg.Wait()
}

func TestRenderSharesNothingWithItsValues(t *testing.T) {
	d := get("[[@auth.o]]/{{x}}?q={{x}}")
	d.Headers = []render.Pair{{Name: "X-A", Value: "{{x}}"}}
	v := values(`{"x":"plain-text"}`)
	v.Auth = []byte(`{"o":"https://h.example.com"}`)
	v.OriginAllowed = func(string) bool { return true }
	r, err := compile(t, d).Render(v)
	require.NoError(t, err)
	before := wire(t, r)
	clear(v.Payload)
	clear(v.Auth)
	assert.Equal(t, before, wire(t, r))
}

func TestHeaders(t *testing.T) {
	d := get("https://h.example.com/")
	d.Headers = []render.Pair{
		{Name: "x-one", Value: "Bearer [[apiKey]]"}, {Name: "X-One", Value: "{{x}}"}, {Name: "X-Two", Value: "\ttab é"}, {Name: "X-Empty", Value: ""},
	}
	r := renderWith(t, d, `{"x":"a, b=\"c\""}`)
	assert.Equal(t, http.Header{"X-One": {"Bearer s3cr3t-K/y", `a, b="c"`}, "X-Two": {"\ttab é"}, "X-Empty": {""}}, r.Header)
	assert.Nil(t, r.Body)
	for i := range 20 {
		d.Headers = append(d.Headers, render.Pair{Name: "X-" + string(rune('A'+i)), Value: "{{x}}"})
	}
	assert.Len(t, renderWith(t, d, `{"x":"v"}`).Header, 23)
}

func TestHeadersCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ name, value, path, rule string }{
		"host":               {"Host", "a", "headers[0].name", "forbidden-header"},
		"length":             {"content-length", "1", "headers[0].name", "forbidden-header"},
		"proxy":              {"Proxy-Authorization", "a", "headers[0].name", "forbidden-header"},
		"content type":       {"content-type", "text/plain", "headers[0].name", "forbidden-header"},
		"line break in name": {"X-A\r\nX-B", "1", "headers[0].name", "forbidden-header"},
		"empty name":         {"", "1", "headers[0].name", "forbidden-header"},
		"reference in name":  {"X-{{x}}", "1", "headers[0].name", "reference-in-name"},
		"secret as name":     {"[[apiKey]]", "1", "headers[0].name", "reference-in-name"},
		"line break":         {"X-A", "1\r\nX-B: 2", "headers[0].value", "bad-header-value"},
		"bad default":        {"X-A", `{{x ?? "a\nb"}}`, "headers[0].value", "bad-default"},
		"unknown":            {"X-A", "[[nobody]]", "headers[0].value", "unknown-reference"},
		"syntax":             {"X-A", "[[a", "headers[0].value", "bad-syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			d := get("https://h.example.com/")
			d.Headers = []render.Pair{{Name: c.name, Value: c.value}}
			_, problems := render.Compile(d, testScope)
			require.Len(t, problems, 1)
			assert.Equal(t, c.path, problems[0].Path)
			assert.Equal(t, c.rule, problems[0].Rule)
		})
	}
}

func TestCompileReportsEverythingAtOnce(t *testing.T) {
	_, problems := render.Compile(render.Definition{
		Method:  "FETCH",
		URL:     "https://{{x}}.example.com/..",
		Headers: []render.Pair{{Name: "Host"}, {Name: "X-A", Value: "[[b"}},
		Query:   []render.Pair{{Name: "[[odd]]", Value: "[[nobody]]"}},
		Body:    `{"a":"[[nobody]]","b":"{{x"}`,
	}, testScope)
	var paths []string
	for _, p := range problems {
		paths = append(paths, p.Path+" "+p.Rule)
	}
	assert.Equal(t, []string{
		"method bad-method", "url payload-in-host", "url dot-segment", "query[0].name reference-in-name",
		"headers[0].name forbidden-header", "headers[1].value bad-syntax", "body unknown-reference", "body bad-syntax",
	}, paths)
}

func TestScope(t *testing.T) {
	d := post("", `["{{x}}","[[@auth.y]]","[[apiKey]]","[[instance]]"]`)
	_, problems := render.Compile(d, render.Scope{})
	var rules []string
	for _, p := range problems {
		rules = append(rules, p.Rule)
	}
	assert.Equal(t, []string{"no-payload", "no-auth-answer", "unknown-reference", "unknown-reference"}, rules)
	_, problems = render.Compile(render.Definition{Method: "HEAD", URL: "https://h.example.com/", Body: "{}"}, testScope)
	require.Len(t, problems, 1)
	assert.Equal(t, "body-not-allowed", problems[0].Rule)
	r := renderWith(t, render.Definition{Method: "GET", URL: "https://h.example.com/", Body: "{}"}, "")
	assert.Equal(t, "{}", string(r.Body))
}

func TestSecretsAreKnownAtSaveTime(t *testing.T) {
	d := post("", `{"a/b":["x [[password]][[password]]"],"c":"[[apiKey]]","d":"[[instance]]"}`)
	d.URL = "https://h.example.com/[[apiKey]]/[[apiKey]]?k%20y=[[apiKey]]"
	d.Query = []render.Pair{{Name: "q", Value: "[[password]]"}}
	d.Headers = []render.Pair{{Name: "authorization", Value: "Basic [[apiKey]]"}}
	p := compile(t, d)
	want := []render.Sink{
		{"apiKey", "path"}, {"apiKey", "query:k y"}, {"password", "query:q"}, {"apiKey", "header:Authorization"},
		{"password", "body:/a~1b/0"}, {"apiKey", "body:/c"},
	}
	assert.Equal(t, want, p.Secrets())
	r, err := p.Render(values(`{}`))
	require.NoError(t, err)
	for _, s := range r.Sinks {
		assert.Contains(t, want, s)
	}
	assert.Len(t, r.Sinks, 8)
	form := compile(t, multipartDefinition())
	assert.Equal(t, []render.Sink{{"password", "form:file"}}, form.Secrets())
	assert.Equal(t, []render.Sink{{"apiKey", "body"}}, compile(t, post("text/plain", "[[apiKey]]")).Secrets())
}

func TestUsesAuth(t *testing.T) {
	for url, want := range map[string]bool{
		"https://h.example.com/{{x}}/[[apiKey]]":      false,
		"[[@auth.url]]/a":                             true,
		"https://h.example.com/a/[[@auth.id]]":        true,
		"https://h.example.com/a?b=c-[[@auth.token]]": true,
	} {
		assert.Equal(t, want, compile(t, get(url)).UsesAuth(), url)
	}
	assert.True(t, compile(t, post("", `["[[@auth.a]]"]`)).UsesAuth())
}

func TestSecretUnavailable(t *testing.T) {
	v := values(`{}`)
	v.Secret = func(string) (string, error) { return "", context.Canceled }
	f := faultOf(t, post("", `["[[apiKey]]"]`), v)
	assert.Equal(t, "secret-unavailable", f.Rule)
	assert.Equal(t, "[[apiKey]]", f.Reference)
	require.ErrorIs(t, f, context.Canceled)
	v.Secret = nil
	assert.Equal(t, "unknown-reference", faultOf(t, post("", `["[[apiKey]]"]`), v).Rule)
	v.Variable = nil
	assert.Equal(t, "unknown-reference", faultOf(t, post("", `["[[instance]]"]`), v).Rule)
}

func TestMask(t *testing.T) {
	d := post("", `{"k":"key [[apiKey]]","x":"{{x}}"}`)
	d.URL = "https://h.example.com/[[apiKey]]?k=[[apiKey]]&a=[[@auth.a\\ b]]"
	d.Headers = []render.Pair{{Name: "Authorization", Value: "Bearer [[@auth.access_token]]"}}
	v := values(`{"x":1}`)
	v.Mask = true
	v.Auth = []byte(`{"access_token":"t0k3n","a b":"t0k3n"}`)
	v.AuthSecret = func(string) bool { return true }
	v.Secret = func(string) (string, error) { t.Error("a secret was opened"); return "", nil }
	r, err := compile(t, d).Render(v)
	require.NoError(t, err)
	assert.Equal(t, "https://h.example.com/[[apiKey]]?k=[[apiKey]]&a=%5B%5B%40auth.a%5C%20b%5D%5D", r.URL.String())
	assert.Equal(t, "Bearer [[@auth.access_token]]", r.Header.Get("Authorization"))
	assert.Equal(t, `{"k":"key [[apiKey]]","x":1}`, string(r.Body))
	assert.Len(t, r.Sinks, 5)
}

func TestTrace(t *testing.T) {
	d := post("", `{"k":"key [[apiKey]]!","x":"{{x}}","y":"{{y ?? 2}}"}`)
	d.URL = "https://[[instance]].example.com/a/{{x}}/[[apiKey]]?k=[[apiKey]]&l=1"
	d.Headers = []render.Pair{{Name: "Authorization", Value: "Bearer [[@auth.token]]"}}
	for _, mask := range []bool{false, true} {
		v := values(`{"x":1}`)
		v.Trace, v.Mask = true, mask
		v.Auth = []byte(`{"token":"t0k3n"}`)
		v.AuthSecret = func(string) bool { return true }
		r, err := compile(t, d).Render(v)
		require.NoError(t, err)
		definition := render.Source{Kind: "definition"}
		x, key := render.Source{"payload", "x"}, render.Source{"secret", "apiKey"}
		assert.Equal(t, []render.Part{
			{"origin", "https://dev1.example.com", []render.Source{{"variable", "instance"}, definition}},
			{"path", "/a/1/[[apiKey]]", []render.Source{definition, x, key}},
			{"query:k", "[[apiKey]]", []render.Source{key}},
			{"query:l", "1", []render.Source{definition}},
			{"header:Authorization", "Bearer [[@auth.token]]", []render.Source{definition, {"auth", "token"}}},
			{"body:/k", "key [[apiKey]]!", []render.Source{definition, key}},
			{"body:/x", "1", []render.Source{x}},
			{"body:/y", "2", []render.Source{{"default", "y"}}},
			{"body", `{"k":"key [[apiKey]]!","x":1,"y":2}`, []render.Source{definition, key, x, {"default", "y"}}},
		}, r.Parts)
	}
}

func TestTraceOfOtherBodies(t *testing.T) {
	trace := func(d render.Definition) []render.Part {
		v := values(`{"x":1}`)
		v.Trace = true
		r, err := compile(t, d).Render(v)
		require.NoError(t, err)
		return r.Parts[2:] // origin and path are the others
	}
	definition, password := render.Source{Kind: "definition"}, render.Source{"secret", "password"}
	assert.Equal(t, []render.Part{{"body", "a [[password]] b", []render.Source{definition, password}}},
		trace(post("text/plain", "a [[password]] b")))
	assert.Equal(t, []render.Part{
		{"form:a", "[[password]]", []render.Source{password}},
		{"form:b", "1", []render.Source{{"payload", "x"}}},
		{"body", "a=[[password]]&b=1", []render.Source{password, {"payload", "x"}}},
	}, trace(post("application/x-www-form-urlencoded", "a=[[password]]&b={{x}}")))
	parts := trace(multipartDefinition2())
	assert.Equal(t, "[[password]]!", parts[1].Value)
	assert.Contains(t, parts[2].Value, "\r\n\r\n[[password]]!\r\n--")
	assert.NotContains(t, parts[2].Value, `p"w`)
}

func multipartDefinition2() render.Definition {
	d := multipartDefinition()
	d.Form[1].Value = "[[password]]!"
	return d
}

func TestTooLarge(t *testing.T) {
	scope := testScope
	scope.MaxBytes = 200
	for name, c := range map[string]struct {
		d    render.Definition
		path string
	}{
		"literal":   {get("https://h.example.com/" + strings.Repeat("a", 201)), "url"},
		"path":      {get("https://h.example.com/{{x}}"), "url"},
		"query":     {get("https://h.example.com/?a={{x}}"), "url"},
		"header":    {render.Definition{Method: "GET", URL: "https://h.example.com/", Headers: []render.Pair{{Name: "X-A", Value: "{{x}}"}}}, "headers[0].value"},
		"json":      {post("", `["{{x}}"]`), "body"},
		"in string": {post("", `["-{{x}}"]`), "body"},
		"text":      {post("text/plain", "{{x}}"), "body"},
		"multipart": {multipartDefinition(), "form[0].value"},
	} {
		t.Run(name, func(t *testing.T) {
			p, problems := render.Compile(c.d, scope)
			require.Empty(t, problems)
			_, err := p.Render(values(`{"x":"` + strings.Repeat("a", 200) + `"}`))
			var f *render.Fault
			require.ErrorAs(t, err, &f)
			assert.Equal(t, "too-large", f.Rule)
			assert.Equal(t, c.path, f.Path)
		})
	}
	_, problems := render.Compile(post("text/xml", strings.Repeat("<a>", 100)), scope)
	require.Len(t, problems, 1)
	assert.Equal(t, "too-large", problems[0].Rule)
	p, problems := render.Compile(post("text/plain", "{{x}}{{x}}"), scope)
	require.Empty(t, problems)
	_, err := p.Render(values(`{"x":"` + strings.Repeat("a", 99) + `"}`))
	require.NoError(t, err, "198 bytes and a path of 2")
	_, err = p.Render(values(`{"x":"` + strings.Repeat("a", 100) + `"}`))
	require.Error(t, err)
}

// No fault shows a value: not of the payload, a variable, a secret, a default or the answer.
func TestFaultsShowNoValues(t *testing.T) {
	const canary = "CANARY"
	v := render.Values{
		Payload:  []byte(`{"x":"CANARY\u0000\n/../CANARY","o":{"CANARY":1}}`),
		Variable: func(string) (string, bool) { return canary + "\x00\xff.", true },
		Secret:   func(string) (string, error) { return canary + "\r\n\xff", nil },
		Auth:     []byte(`{"a":"CANARY\n","o":["CANARY"]}`),
	}
	header := func(value string) render.Definition {
		d := get("https://h.example.com/")
		d.Headers = []render.Pair{{Name: "X-A", Value: value}}
		return d
	}
	for _, d := range []render.Definition{
		get("https://h.example.com/{{x}}"), get("https://h.example.com/?a={{o}}"), get(`https://h.example.com/?a={{o ?? "CANARY"}}`),
		get("https://[[instance]].example.com/"), get("[[@auth.a]]/"),
		header("{{x}}"), header("[[apiKey]]"), header("[[instance]]"), header("[[@auth.a]]"), header("[[@auth.o]]"),
		post("", `["-[[apiKey]]"]`), post("", `["-{{o}}"]`), post("text/xml", "<a>{{x}}</a>"), post("text/xml", "<a>[[instance]]</a>"),
	} {
		f := faultOf(t, d, v)
		assert.NotContains(t, f.Error()+f.Path+f.Reference+f.Message+f.Rule, canary)
	}
}
