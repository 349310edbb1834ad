package render_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/render"
)

// bound admits the secret apiKey in one header and one query key.
func bound(name string, at render.Place) bool {
	return name == "apiKey" && (at == "header:X-Key" || at == "query:key")
}

func dynamic(e render.Envelope) (*render.Request, error) {
	return render.Dynamic(e, testScope, values(`{"x":"never"}`), bound)
}

func TestDynamic(t *testing.T) {
	r, err := dynamic(render.Envelope{
		Method:  "POST",
		URL:     "https://[[instance]].example.com/{{x}}/[[odd]]?a={{x}}&key=[[apiKey]]",
		Headers: []render.Pair{{Name: "x-key", Value: "k [[apiKey]]"}, {Name: "X-Text", Value: `{{x}} [[1]] \[[odd]]`}},
		Query:   []render.Pair{{Name: "q", Value: "[[queue]] {{x}}"}},
		Body:    []byte(`{"text":"[[queue]] {{x}} [[ oh no ]] \\[[apiKey]]","whole":"{{x}}","n":12345678901234567890,"{{x}}":[null]}`),
	})
	require.NoError(t, err)
	assert.Equal(t, "https://dev1.example.com/%7B%7Bx%7D%7D/a%20b%26c%3Dd%2Fe%3Ff%23g%25h%22%3Ci%3E%27j%5Ck?a=%7B%7Bx%7D%7D&key=s3cr3t-K%2Fy&q=sales%20%7B%7Bx%7D%7D", r.URL.String())
	assert.Equal(t, "k s3cr3t-K/y", r.Header.Get("X-Key"))
	assert.Equal(t, "{{x}} [[1]] [[odd]]", r.Header.Get("X-Text"))
	assert.Equal(t, `{"text":"sales {{x}} [[ oh no ]] [[apiKey]]","whole":"{{x}}","n":12345678901234567890,"{{x}}":[null]}`, string(r.Body))
	assert.Equal(t, []render.Sink{{"apiKey", "query:key"}, {"apiKey", "header:X-Key"}}, r.Sinks)
}

func TestDynamicBodies(t *testing.T) {
	for name, c := range map[string]struct{ mediaType, body, want, contentType string }{
		"none":                {"", "", "", ""},
		"null":                {"application/json", "null", "", ""},
		"value":               {"", `[1, {"a":true}]`, `[1,{"a":true}]`, "application/json"},
		"string of JSON":      {"application/json", `"{\"a\": \"[[queue]]\"}"`, `{"a":"sales"}`, "application/json"},
		"text":                {"text/plain", `"a\n[[queue]]"`, "a\nsales", "text/plain; charset=utf-8"},
		"XML":                 {"text/xml", `"<a>[[odd]]</a>"`, "<a>a b&amp;c=d/e?f#g%h&#34;&lt;i&gt;&#39;j\\k</a>", "text/xml; charset=utf-8"},
		"form text":           {"application/x-www-form-urlencoded", `"a=[[odd]]&b=2"`, "a=a%20b%26c%3Dd%2Fe%3Ff%23g%25h%22%3Ci%3E%27j%5Ck&b=2", "application/x-www-form-urlencoded"},
		"form object":         {"application/x-www-form-urlencoded", `{"a":"x&[[queue]]","n":12345678901234567890,"t":true}`, "a=x%26sales&n=12345678901234567890&t=true", "application/x-www-form-urlencoded"},
		"empty string":        {"text/plain", `""`, "", ""},
		"number as a JSON":    {"application/json", "1", "1", "application/json"},
		"string as JSON text": {"application/json", `"\"a\""`, `"a"`, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			e := render.Envelope{Method: "POST", URL: "https://h.example.com/", MediaType: c.mediaType}
			if c.body != "" {
				e.Body = []byte(c.body)
			}
			r, err := dynamic(e)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(r.Body))
			assert.Equal(t, c.contentType, r.Header.Get("Content-Type"))
		})
	}
	r, err := dynamic(render.Envelope{Method: "POST", URL: "https://h.example.com/", MediaType: "multipart/form-data", Body: []byte(`{"a":"b"}`)})
	require.NoError(t, err)
	assert.Contains(t, string(r.Body), "name=\"a\"\r\n\r\nb\r\n--")
}

func TestDynamicRefuses(t *testing.T) {
	pair := func(name, value string) []render.Pair { return []render.Pair{{Name: name, Value: value}} }
	for name, c := range map[string]struct {
		envelope render.Envelope
		path     string
		rule     string
	}{
		"secret in the path":         {render.Envelope{URL: "https://h.example.com/[[apiKey]]"}, "url", "secret-not-allowed"},
		"secret in another query":    {render.Envelope{URL: "https://h.example.com/?other=[[apiKey]]"}, "query", "secret-not-allowed"},
		"secret in another header":   {render.Envelope{Headers: pair("X-Other", "[[apiKey]]")}, "headers", "secret-not-allowed"},
		"another secret":             {render.Envelope{Headers: pair("X-Key", "[[password]]")}, "headers", "secret-not-allowed"},
		"secret in a body":           {render.Envelope{Body: []byte(`{"a":["[[apiKey]]"]}`)}, "body", "secret-not-allowed"},
		"secret in a form":           {render.Envelope{Body: []byte(`{"a":"[[apiKey]]"}`), MediaType: "application/x-www-form-urlencoded"}, "body", "secret-not-allowed"},
		"secret in a text":           {render.Envelope{Body: []byte(`"[[apiKey]]"`), MediaType: "text/plain"}, "body", "secret-not-allowed"},
		"secret in the host":         {render.Envelope{URL: "https://[[apiKey]].example.com/"}, "url", "secret-in-host"},
		"unknown name":               {render.Envelope{Headers: pair("X-A", "[[nobody]]")}, "headers[0].value", "unknown-reference"},
		"name in a name":             {render.Envelope{Query: pair("[[queue]]", "")}, "query[0].name", "reference-in-name"},
		"name in a member":           {render.Envelope{Body: []byte(`{"[[queue]]":1}`)}, "body", "reference-in-name"},
		"forbidden header":           {render.Envelope{Headers: pair("Transfer-Encoding", "chunked")}, "headers[0].name", "forbidden-header"},
		"line break":                 {render.Envelope{Headers: pair("X-A", "a\r\nb: c")}, "headers[0].value", "bad-header-value"},
		"dots":                       {render.Envelope{URL: "https://h.example.com/a/%2e%2e/"}, "url", "dot-segment"},
		"answer for an origin":       {render.Envelope{URL: "[[@auth.url]]/"}, "url", "bad-url"},
		"method":                     {render.Envelope{Method: "CONNECT"}, "method", "bad-method"},
		"media type":                 {render.Envelope{MediaType: "a", Body: []byte(`{}`)}, "mediaType", "bad-media-type"},
		"object as text":             {render.Envelope{MediaType: "text/plain", Body: []byte(`{}`)}, "body", "body-not-text"},
		"object as XML":              {render.Envelope{MediaType: "text/xml", Body: []byte(`{}`)}, "body", "body-not-text"},
		"array as form":              {render.Envelope{MediaType: "application/x-www-form-urlencoded", Body: []byte(`[]`)}, "body", "body-not-text"},
		"object in a form":           {render.Envelope{MediaType: "application/x-www-form-urlencoded", Body: []byte(`{"a":{}}`)}, "body", "not-a-scalar"},
		"null in a form":             {render.Envelope{MediaType: "application/x-www-form-urlencoded", Body: []byte(`{"a":null}`)}, "body", "not-a-scalar"},
		"string that is no JSON":     {render.Envelope{Body: []byte(`"hello"`)}, "body", "invalid-json"},
		"variable that is no label":  {render.Envelope{URL: "https://[[dots]].example.com/"}, "url", "bad-label"},
		"variable climbing the path": {render.Envelope{URL: "https://h.example.com/.[[dot]]"}, "url", "dot-segment"},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.envelope
			if e.URL == "" {
				e.URL = "https://h.example.com/"
			}
			if e.Method == "" {
				e.Method = "POST"
			}
			scope, v := testScope, values(`{}`)
			v.Variable = func(name string) (string, bool) {
				if name == "dot" {
					return ".", true
				}
				return variable(name)
			}
			scope.Variable = v.Variable
			_, err := render.Dynamic(e, scope, v, bound)
			var f *render.Fault
			require.ErrorAs(t, err, &f)
			assert.Equal(t, c.path, f.Path)
			assert.Equal(t, c.rule, f.Rule)
		})
	}
}

// A fault of a dynamic call shows names of references and members, never the texts they stand in.
func TestDynamicFaultsShowNoText(t *testing.T) {
	for _, e := range []render.Envelope{
		{Method: "CANARY", URL: "https://h.example.com/"},
		{Method: "GET", URL: "CANARY://CANARY"},
		{Method: "GET", URL: "https://CANARY@h.example.com/?CANARY#CANARY"},
		{Method: "GET", URL: "https://h.example.com/CANARY%"},
		{Method: "GET", URL: "https://h.example.com/", Headers: []render.Pair{{Name: "CANARY\n", Value: "CANARY"}}},
		{Method: "GET", URL: "https://h.example.com/", Headers: []render.Pair{{Name: "X-A", Value: "CANARY\n"}}},
		{Method: "GET", URL: "https://h.example.com/", MediaType: "CANARY"},
		{Method: "GET", URL: "https://h.example.com/", Body: []byte(`"CANARY"`)},
		{Method: "GET", URL: "https://h.example.com/", MediaType: "text/xml", Body: []byte(`"<CANARY>"`)},
	} {
		_, err := dynamic(e)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "CANARY")
	}
}

func TestDynamicWithoutBindings(t *testing.T) {
	e := render.Envelope{Method: "GET", URL: "https://h.example.com/?key=[[apiKey]]"}
	_, err := render.Dynamic(e, testScope, values(""), nil)
	require.ErrorContains(t, err, "not bound")
}

func TestLiteral(t *testing.T) {
	got, used, err := render.Literal(`[[queue]] {{x}} [[1]] \[[apiKey]] [[apiKey]][[password]][[apiKey]] [[braces]]`, variable, secret)
	require.NoError(t, err)
	assert.Equal(t, `sales {{x}} [[1]] [[apiKey]] s3cr3t-K/yp"w<&>s3cr3t-K/y {{x}} [[apiKey]]`, got)
	assert.Equal(t, []string{"apiKey", "password"}, used)
	_, _, err = render.Literal("[[nobody]]", variable, secret)
	require.ErrorIs(t, err, errNoSecret)
	_, _, err = render.Literal("[[nobody]]", nil, nil)
	require.ErrorContains(t, err, "[[nobody]]")
}
