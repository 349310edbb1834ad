package render_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/render"
)

func TestURL(t *testing.T) {
	for name, c := range map[string]struct{ url, payload, want string }{
		"literal":                      {"https://api.example.com/a/b?c=d", `{}`, "https://api.example.com/a/b?c=d"},
		"no path":                      {"https://api.example.com", `{}`, "https://api.example.com/"},
		"no path but a query":          {"https://api.example.com?a=1", `{}`, "https://api.example.com/?a=1"},
		"slash at the end":             {"https://api.example.com/a/", `{}`, "https://api.example.com/a/"},
		"upper case":                   {"HTTPS://API.Example.COM/A", `{}`, "https://api.example.com/A"},
		"port":                         {"https://api.example.com:8443/", `{}`, "https://api.example.com:8443/"},
		"default port":                 {"https://api.example.com:443/", `{}`, "https://api.example.com/"},
		"address":                      {"http://[::1]:80/x", `{}`, "http://[::1]/x"},
		"variable in host":             {"https://[[instance]].example.com/", `{}`, "https://dev1.example.com/"},
		"variables in a label":         {"https://api-[[region]][[instance]].example.com:8443/", `{}`, "https://api-eudev1.example.com:8443/"},
		"path value":                   {"https://h.example.com/{{x}}/y", `{"x":"a b/c?d#e%f+ü"}`, "https://h.example.com/a%20b%2Fc%3Fd%23e%25f%2B%C3%BC/y"},
		"values beside text":           {"https://h.example.com/v{{x}}.json", `{"x":7}`, "https://h.example.com/v7.json"},
		"secret in path":               {"https://h.example.com/[[apiKey]]", `{}`, "https://h.example.com/s3cr3t-K%2Fy"},
		"boolean, big number":          {"https://h.example.com/{{x}}/{{y}}", `{"x":true,"y":12345678901234567890.10}`, "https://h.example.com/true/12345678901234567890.10"},
		"query value":                  {"https://h.example.com/?q={{x}}&r=1", `{"x":"a&b=c d+e"}`, "https://h.example.com/?q=a%26b%3Dc%20d%2Be&r=1"},
		"question mark in a value":     {"https://h.example.com/?q=a?b={{x}}", `{"x":1}`, "https://h.example.com/?q=a?b=1"},
		"empty query value":            {"https://h.example.com/?q={{x}}&flag", `{"x":""}`, "https://h.example.com/?q=&flag"},
		"empty pairs are left out":     {"https://h.example.com/?&a=1&&b=2&", `{}`, "https://h.example.com/?a=1&b=2"},
		"encoded literals stay":        {"https://h.example.com/a%2Fb%20c?x=%26+y", `{}`, "https://h.example.com/a%2Fb%20c?x=%26+y"},
		"other literals are encoded":   {"https://h.example.com/a b/ü?x=[y]&z=\"", `{}`, "https://h.example.com/a%20b/%C3%BC?x=%5By%5D&z=%22"},
		"escaped brackets":             {`https://h.example.com/?a=%5C{{x}}`, `{"x":1}`, "https://h.example.com/?a=%5C1"},
		"default":                      {`https://h.example.com/{{x ?? "none"}}?y={{y ?? 5}}`, `{"x":null}`, "https://h.example.com/none?y=5"},
		"dots inside a segment":        {"https://h.example.com/{{x}}", `{"x":"a..b"}`, "https://h.example.com/a..b"},
		"three dots":                   {"https://h.example.com/{{x}}", `{"x":"..."}`, "https://h.example.com/..."},
		"a slash inside a value":       {"https://h.example.com/{{x}}", `{"x":"https://a.test/b"}`, "https://h.example.com/https%3A%2F%2Fa.test%2Fb"},
		"dots that text makes a name":  {"https://h.example.com/v{{x}}", `{"x":".."}`, "https://h.example.com/v.."},
		"brackets in values stay text": {"https://h.example.com/[[braces]]?x={{x}}", `{"x":"{{y}}[[apiKey]]"}`, "https://h.example.com/%7B%7Bx%7D%7D%20%5B%5BapiKey%5D%5D?x=%7B%7By%7D%7D%5B%5BapiKey%5D%5D"},
	} {
		t.Run(name, func(t *testing.T) {
			r := renderWith(t, get(c.url), c.payload)
			assert.Equal(t, c.want, r.URL.String())
			again, err := url.Parse(c.want)
			require.NoError(t, err)
			assert.Equal(t, again.Host, r.URL.Host)
			assert.Equal(t, again.Path, r.URL.Path)
			assert.Equal(t, again.RequestURI(), r.URL.RequestURI())
		})
	}
}

func TestURLCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ url, rule string }{
		"empty":                         {"", "bad-url"},
		"relative":                      {"/a", "bad-url"},
		"other scheme":                  {"ftp://h.example.com/", "bad-url"},
		"reference for scheme":          {"[[instance]]://h.example.com/", "bad-url"},
		"no host":                       {"https:///a", "bad-host"},
		"bad host":                      {"https://a b/", "bad-host"},
		"bad port":                      {"https://h.example.com:99999/", "bad-host"},
		"userinfo":                      {"https://u:p@h.example.com/", "userinfo"},
		"variable as userinfo":          {"https://[[instance]]@h.example.com/", "userinfo"},
		"fragment":                      {"https://h.example.com/#a", "fragment"},
		"backslash":                     {`https://h.example.com\@evil.test/`, "bad-url"},
		"line break":                    {"https://h.example.com/\na", "bad-url"},
		"secret in host":                {"https://[[apiKey]].example.com/", "secret-in-host"},
		"payload in host":               {"https://{{x}}.example.com/", "payload-in-host"},
		"payload for everything":        {"{{x}}/a", "payload-in-host"},
		"payload after the host":        {"https://h.example.com{{x}}/a", "payload-in-host"},
		"auth in host":                  {"https://[[@auth.x]]/a", "auth-in-host"},
		"text after an answer's origin": {"[[@auth.x]].evil.test/a", "bad-url"},
		"variable as port":              {"https://h.example.com:[[instance]]/", "reference-in-port"},
		"payload as port":               {"https://h.example.com:{{x}}/", "payload-in-host"},
		"variable with dots":            {"https://[[dots]].example.com/", "bad-label"},
		"empty variable":                {"https://[[empty]].example.com/", "bad-label"},
		"variable with other text":      {"https://[[odd]].example.com/", "bad-label"},
		"label ends with a hyphen":      {"https://[[instance]]-.example.com/", "bad-label"},
		"unknown name in host":          {"https://[[nobody]].example.com/", "unknown-reference"},
		"unknown name":                  {"https://h.example.com/[[nobody]]", "unknown-reference"},
		"dot segment":                   {"https://h.example.com/a/../b", "dot-segment"},
		"dot":                           {"https://h.example.com/./b", "dot-segment"},
		"encoded dots":                  {"https://h.example.com/a/%2e%2E/b", "dot-segment"},
		"encoded again":                 {"https://h.example.com/a/%252e%252e/b", "dot-segment"},
		"dots with parameters":          {"https://h.example.com/a/..;x=1/b", "dot-segment"},
		"dots behind an encoded slash":  {"https://h.example.com/a%2F../b", "dot-segment"},
		"dots behind a backslash":       {"https://h.example.com/a%5C../b", "dot-segment"},
		"bad percent":                   {"https://h.example.com/100%", "bad-percent"},
		"percent completed by a value":  {"https://h.example.com/%2{{x}}", "bad-percent"},
		"percent in the query":          {"https://h.example.com/?a=%zz", "bad-percent"},
		"reference as query name":       {"https://h.example.com/?{{x}}=1", "reference-in-name"},
		"reference as query flag":       {"https://h.example.com/?a&[[instance]]", "reference-in-name"},
		"syntax":                        {"https://h.example.com/{{x", "bad-syntax"},
		"default that is no text":       {"https://h.example.com/{{x ?? []}}", "bad-default"},
		"default null":                  {"https://h.example.com/?a={{x ?? null}}", "bad-default"},
	} {
		t.Run(name, func(t *testing.T) {
			p, problems := render.Compile(get(c.url), testScope)
			require.Nil(t, p)
			require.NotEmpty(t, problems)
			assert.Equal(t, "url", problems[0].Path)
			assert.Equal(t, c.rule, problems[0].Rule)
			assert.NotEmpty(t, problems[0].Message)
		})
	}
}

func TestURLRenderRefuses(t *testing.T) {
	const segment = "https://h.example.com/a/{{x}}/b"
	deep := strings.ReplaceAll(strings.Repeat("%25", 9), "%25%25", "%2525")
	for name, c := range map[string]struct{ url, value, rule string }{
		"missing":                  {segment, `0}, "y":{"z":1`, ""},
		"empty segment":            {segment, `""`, "empty-segment"},
		"blank segment":            {segment, `"  "`, "empty-segment"},
		"slash":                    {segment, `"/"`, "empty-segment"},
		"dot":                      {segment, `"."`, "dot-segment"},
		"dots":                     {segment, `".."`, "dot-segment"},
		"encoded dots":             {segment, `"%2e%2e"`, "dot-segment"},
		"half encoded":             {segment, `".%2E"`, "dot-segment"},
		"encoded thrice":           {segment, `"%25252e."`, "dot-segment"},
		"climbing":                 {segment, `"../../admin"`, "dot-segment"},
		"climbing in the middle":   {segment, `"x/../../admin"`, "dot-segment"},
		"climbing by backslash":    {segment, `"x\\..\\admin"`, "dot-segment"},
		"climbing, encoded":        {segment, `"x%2f..%5cadmin"`, "dot-segment"},
		"path parameter":           {segment, `"..;/admin"`, "dot-segment"},
		"dots and NUL":             {segment, `"..\u0000"`, "dot-segment"},
		"dots and blanks":          {segment, `" .. "`, "dot-segment"},
		"encoded without end":      {segment, `"` + strings.Repeat("%25", 1) + strings.Repeat("25", 12) + `2e"`, "encoded-too-often"},
		"dots made with text":      {"https://h.example.com/.{{x}}", `"."`, "dot-segment"},
		"dots made with encoding":  {"https://h.example.com/%2e{{x}}", `"%2e"`, "dot-segment"},
		"dots made of two values":  {"https://h.example.com/{{x}}{{x}}", `"."`, "dot-segment"},
		"object":                   {segment, `{}`, "not-a-scalar"},
		"array":                    {"https://h.example.com/?q={{x}}", `[1]`, "not-a-scalar"},
		"null":                     {segment, `null`, "missing-value"},
		"null in a query":          {"https://h.example.com/?q={{x}}", `null`, "missing-value"},
		"another member":           {"https://h.example.com/?q={{y}}", `1`, "missing-value"},
		"percent sign alone stays": {segment, `"100%"`, ""},
		"many percent signs":       {segment, `"` + deep + `"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compile(t, get(c.url)).Render(values(`{"x":` + c.value + `}`))
			if c.rule == "" {
				require.NoError(t, err)
				return
			}
			var f *render.Fault
			require.ErrorAs(t, err, &f)
			assert.Equal(t, "url", f.Path)
			assert.Equal(t, c.rule, f.Rule)
			assert.Contains(t, f.Reference, "{{")
		})
	}
}

func TestOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		want []string
	}{
		"fixed":    {"https://API.example.com:8443/a", []string{"https://api.example.com:8443"}},
		"variable": {"https://[[instance]].example.com/a", []string{"https://dev1.example.com"}},
		"answer":   {"[[@auth.instance_url]]/a", nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, compile(t, get(c.url)).Origins(variable))
		})
	}
	none := func(string) (string, bool) { return "", false }
	assert.Nil(t, compile(t, get("https://[[instance]].example.com/")).Origins(none))
}

// The host of a call has the variables of the call, not those of the day it was saved.
func TestHostVariablesOfTheCall(t *testing.T) {
	p := compile(t, get("https://[[instance]].example.com/"))
	for value, rule := range map[string]string{
		"prod": "", "a.b": "bad-label", "": "bad-label", "evil.test/": "bad-label", "evil.test#": "bad-label",
		"a@evil": "bad-label", "evil.test:80@x": "bad-label", "-a": "bad-label", "a b": "bad-label", "a%2e": "bad-label",
		"a\\": "bad-label", "é": "bad-label", "a_b": "bad-label", strings.Repeat("a", 64): "bad-label", "[[region]]": "bad-label",
	} {
		v := values(`{}`)
		v.Variable = func(string) (string, bool) { return value, true }
		r, err := p.Render(v)
		if rule == "" {
			require.NoError(t, err)
			assert.Equal(t, "prod.example.com", r.URL.Host)
			continue
		}
		var f *render.Fault
		require.ErrorAs(t, err, &f, "%q", value)
		assert.Equal(t, rule, f.Rule, "%q", value)
	}
}

// A name that is both is the variable: it is never a secret.
func TestVariableBeforeSecret(t *testing.T) {
	scope := testScope
	scope.Secret = func(string) bool { return true }
	p, problems := render.Compile(get("https://[[instance]].example.com/[[instance]]"), scope)
	require.Empty(t, problems)
	assert.Empty(t, p.Secrets())
}

func TestOriginFromAnswer(t *testing.T) {
	p := compile(t, get("[[@auth.site.url]]/services/{{x}}?a=1"))
	for name, c := range map[string]struct{ answer, rule string }{
		"allowed":             {`{"site":{"url":"https://EU1.example.com"}}`, ""},
		"with a slash":        {`{"site":{"url":"https://eu1.example.com/"}}`, ""},
		"missing":             {`{}`, "missing-value"},
		"not allowed":         {`{"site":{"url":"https://evil.test"}}`, "origin-not-allowed"},
		"other scheme":        {`{"site":{"url":"http://eu1.example.com"}}`, "origin-not-allowed"},
		"with a path":         {`{"site":{"url":"https://eu1.example.com/x"}}`, "bad-origin"},
		"with a query":        {`{"site":{"url":"https://eu1.example.com?x"}}`, "bad-origin"},
		"with user info":      {`{"site":{"url":"https://eu1.example.com@evil.test"}}`, "bad-origin"},
		"with a fragment":     {`{"site":{"url":"https://evil.test#eu1.example.com"}}`, "bad-origin"},
		"host alone":          {`{"site":{"url":"eu1.example.com"}}`, "bad-origin"},
		"number":              {`{"site":{"url":1}}`, "bad-origin"},
		"object":              {`{"site":{"url":{}}}`, "bad-origin"},
		"a token of a secret": {`{"site":{"url":"https://eu1.example.com","secret":1}}`, "secret-in-host"},
	} {
		t.Run(name, func(t *testing.T) {
			v := values(`{"x":"y"}`)
			v.Auth = []byte(c.answer)
			v.OriginAllowed = func(origin string) bool { return origin == "https://eu1.example.com" }
			v.AuthSecret = func(path string) bool { return strings.Contains(c.answer, "secret") }
			r, err := p.Render(v)
			if c.rule == "" {
				require.NoError(t, err)
				assert.Equal(t, "https://eu1.example.com/services/y?a=1", r.URL.String())
				return
			}
			var f *render.Fault
			require.ErrorAs(t, err, &f)
			assert.Equal(t, c.rule, f.Rule)
		})
	}
	v := values(`{"x":"y"}`)
	v.Auth = []byte(`{"site":{"url":"https://eu1.example.com"}}`)
	_, err := p.Render(v)
	require.ErrorContains(t, err, "not among the allowed", "nobody admits an origin")
}

func TestQueryList(t *testing.T) {
	d := get("https://h.example.com/?a=1")
	d.Query = []render.Pair{{Name: "b[c]", Value: "x {{x}}"}, {Name: "k", Value: "[[apiKey]]"}, {Name: "p", Value: "100% + a"}, {Name: "a", Value: "2"}}
	r := renderWith(t, d, `{"x":"&a=9"}`)
	assert.Equal(t, "a=1&b%5Bc%5D=x%20%26a%3D9&k=s3cr3t-K%2Fy&p=100%25%20%2B%20a&a=2", r.URL.RawQuery)
	assert.Equal(t, []render.Sink{{Secret: "apiKey", Place: "query:k"}}, r.Sinks)

	d = get("https://h.example.com")
	d.Query = []render.Pair{{Name: "{{x}}", Value: "1"}, {Name: "b", Value: "{{"}, {Name: "", Value: `\{{`}}
	_, problems := render.Compile(d, testScope)
	require.Len(t, problems, 2)
	assert.Equal(t, "query[0].name", problems[0].Path)
	assert.Equal(t, "reference-in-name", problems[0].Rule)
	assert.Equal(t, "query[1].value", problems[1].Path)
	assert.Equal(t, "bad-syntax", problems[1].Rule)
}

func TestThePathWithoutValues(t *testing.T) {
	for source, want := range map[string]string{
		"https://h.example.com":            "/",
		"https://h.example.com?a={{x}}":    "/",
		"https://h.example.com/a b/c%2Fd/": "/a%20b/c%2Fd/",
		`https://h.example.com/v{{x ?? "canary"}}/[[apiKey]]/{{y as string}}.json?z=1`: "/v{{x}}/[[apiKey]]/{{y as string}}.json",
		"https://[[instance]].example.com/[[region]]":                                  "/[[region]]",
	} {
		p, problems := render.Compile(get(source), testScope)
		require.Empty(t, problems)
		assert.Equal(t, want, p.Path())
	}
}

// A host with variables is written in its one form, however the definition or the variable spells it.
func TestHostWithVariablesIsCanonical(t *testing.T) {
	for host, want := range map[string]string{
		"[[instance]].example.com":        "dev1.example.com",
		"[[instance]].EXAMPLE.com":        "dev1.example.com",
		"[[instance]].Exämple.com":        "dev1.xn--exmple-cua.com",
		"[[instance]].example.com.":       "dev1.example.com",
		"[[instance]].example.com:443":    "dev1.example.com",
		"[[instance]].example.com:0443":   "dev1.example.com",
		"[[instance]].example.com:8443":   "dev1.example.com:8443",
		"a-[[instance]].xn--bcher-kva.de": "a-dev1.xn--bcher-kva.de",
	} {
		r := renderWith(t, get("https://"+host+"/"), "")
		assert.Equal(t, want, r.URL.Host, host)
	}
	v := values("")
	v.Variable = func(string) (string, bool) { return "DEV1", true }
	r, err := compile(t, get("https://[[instance]].example.com/")).Render(v)
	require.NoError(t, err)
	assert.Equal(t, "dev1.example.com", r.URL.Host)
}
