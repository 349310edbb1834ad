package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/render"
)

func TestJSONBody(t *testing.T) {
	for name, c := range map[string]struct{ body, payload, want string }{
		"compact":                     {"{ \"a\" : [ 1 , { } , [ ] , null , true ] }", `{}`, `{"a":[1,{},[],null,true]}`},
		"numbers stay digit by digit": {`[1.50, 1e3, -0, 12345678901234567890123]`, `{}`, `[1.50,1e3,-0,12345678901234567890123]`},
		"no HTML escaping":            {`{"a":"<b>&\u2028"}`, `{}`, "{\"a\":\"<b>&\u2028\"}"},
		"scalar body":                 {`"{{x}}"`, `{"x":1}`, `1`},
		"number":                      {`{"a":"{{x}}"}`, `{"x":12345678901234567890.10}`, `{"a":12345678901234567890.10}`},
		"object":                      {`{"a":"{{x}}"}`, `{"x": {"y" : [ 1, "a b" ] } }`, `{"a":{"y":[1,"a b"]}}`},
		"string":                      {`{"a":"{{x}}"}`, `{"x":"q\"\u00e9\\"}`, `{"a":"q\"\u00e9\\"}`},
		"null stays":                  {`{"a":"{{x ?? 1}}"}`, `{"x":null}`, `{"a":null}`},
		"boolean":                     {`{"a":"{{x}}"}`, `{"x":false}`, `{"a":false}`},
		"each":                        {`{"a":"{{x.#.y}}","n":"{{x.#}}"}`, `{"x":[{"y":1},{"y":"b"}]}`, `{"a":[1,"b"],"n":2}`},
		"default object":              {`{"a":"{{x ?? {\"b\": [1, 2]}}}"}`, `{}`, `{"a":{"b":[1,2]}}`},
		"default null":                {`{"a":"{{x ?? null}}"}`, `{}`, `{"a":null}`},
		"default string":              {`{"a":"{{x ?? \"y\"}}"}`, `{}`, `{"a":"y"}`},
		"default number":              {`{"a":"{{x ?? 10}}"}`, `{}`, `{"a":10}`},
		"as string":                   {`{"a":"{{x as string}}"}`, `{"x":1.0}`, `{"a":"1.0"}`},
		"as string of a string":       {`{"a":"{{x as string}}"}`, `{"x":"a\"b"}`, `{"a":"a\"b"}`},
		"as string of null":           {`{"a":"{{x as string ?? 7}}"}`, `{"x":null}`, `{"a":"7"}`},
		"inside a string":             {`{"a":"<{{x}}>"}`, `{"x":"a\"b\\c\nd\u0001"}`, `{"a":"<a\"b\\c\nd\u0001>"}`},
		"inside a string, number":     {`{"a":"n {{x}}"}`, `{"x":1.0}`, `{"a":"n 1.0"}`},
		"two in a string":             {`{"a":"{{x}}{{x}}"}`, `{"x":1}`, `{"a":"11"}`},
		"spaces beside are a string":  {`{"a":" {{x}}"}`, `{"x":1}`, `{"a":" 1"}`},
		"variable is text":            {`{"a":"[[instance]]","b":"[[odd]]"}`, `{}`, `{"a":"dev1","b":"a b&c=d/e?f#g%h\"<i>'j\\k"}`},
		"secret is text":              {`{"a":"[[password]]"}`, `{}`, `{"a":"p\"w<&>"}`},
		"brackets are text":           {`{"a":"\\[[apiKey]] \\{{x}}"}`, `{}`, `{"a":"[[apiKey]] {{x}}"}`},
		"escaped in a name":           {`{"\\{{a}}":1}`, `{}`, `{"{{a}}":1}`},
		"values are not read again":   {`{"a":"{{x}}","b":"-{{x}}"}`, `{"x":"{{y}} [[apiKey]] \\[["}`, `{"a":"{{y}} [[apiKey]] \\[[","b":"-{{y}} [[apiKey]] \\[["}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := renderWith(t, post("", c.body), c.payload)
			assert.Equal(t, c.want, string(r.Body))
			assert.Equal(t, []string{"application/json"}, r.Header["Content-Type"])
			assert.True(t, json.Valid(r.Body))
		})
	}
}

func TestJSONBodyCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, rule, text string }{
		"unquoted reference":      {`{"a":{{x}}}`, "invalid-json", "double quotes"},
		"unquoted name":           {`{"a":[[apiKey]]}`, "invalid-json", "double quotes"},
		"unquoted answer":         {`{"a":[[ @auth.x ]]}`, "invalid-json", "double quotes"},
		"syntax":                  {`{"a":}`, "invalid-json", "not valid JSON"},
		"two values":              {`1 2`, "invalid-json", ""},
		"same member twice":       {`{"a":1,"\u0061":2}`, "invalid-json", "duplicate"},
		"same member, unescaped":  {`{"\\[[[":1,"[\\[[":2}`, "duplicate-member", ""},
		"lone surrogate":          {`{"a":"\ud800"}`, "invalid-json", ""},
		"invalid UTF-8":           {"\"\xff\"", "invalid-json", ""},
		"number bomb":             {`1e1000001`, "invalid-json", ""},
		"too deep":                {strings.Repeat("[", 65) + strings.Repeat("]", 65), "invalid-json", ""},
		"reference in a name":     {`{"a":{"{{x}}":1}}`, "reference-in-name", `(at "/a")`},
		"reference syntax":        {`{"a/b":["{{x"]}`, "bad-syntax", `(at "/a~1b/0")`},
		"unknown":                 {`{"a":"[[nobody]]"}`, "unknown-reference", `(at "/a")`},
		"default of text":         {`{"a":"-{{x ?? {}}}"}`, "bad-default", `(at "/a")`},
		"default null as string":  {`{"a":"{{x as string ?? null}}"}`, "bad-default", ""},
		"default array as string": {`{"a":"{{x as string ?? [1]}}"}`, "bad-default", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := render.Compile(post("application/json", c.body), testScope)
			require.NotEmpty(t, problems)
			assert.Equal(t, "body", problems[0].Path)
			assert.Equal(t, c.rule, problems[0].Rule)
			assert.Contains(t, problems[0].Message, c.text)
		})
	}
}

func TestJSONBodyRenderRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, payload, rule string }{
		"missing":             {`{"a":"{{x}}"}`, `{}`, "missing-value"},
		"missing in a string": {`{"a":"-{{x}}"}`, `{}`, "missing-value"},
		"null in a string":    {`{"a":"-{{x}}"}`, `{"x":null}`, "missing-value"},
		"null as string":      {`{"a":"{{x as string}}"}`, `{"x":null}`, "missing-value"},
		"object in a string":  {`{"a":"-{{x}}"}`, `{"x":{}}`, "not-a-scalar"},
		"array as string":     {`{"a":"{{x as string}}"}`, `{"x":[]}`, "not-a-scalar"},
		"no payload":          {`{"a":"{{x}}"}`, ``, "missing-value"},
	} {
		t.Run(name, func(t *testing.T) {
			f := faultOf(t, post("", c.body), values(c.payload))
			assert.Equal(t, "body", f.Path)
			assert.Equal(t, c.rule, f.Rule)
			assert.Contains(t, f.Error(), "{{x")
		})
	}
	v := values("")
	v.Variable = func(string) (string, bool) { return "\xff", true }
	assert.Equal(t, "invalid-utf8", faultOf(t, post("", `["[[instance]]"]`), v).Rule)
}

func TestAnswerInJSONBody(t *testing.T) {
	d := post("", `{"a":"{{x}}","org":"[[@auth.org]]","token":"[[@auth.token]]","text":"t-[[@auth.token]]"}`)
	v := values(`{"x":1}`)
	v.Auth = []byte(`{"org":{"id": 5},"token":"t0k\"en"}`)
	v.AuthSecret = func(path string) bool { return path == "token" }
	r, err := compile(t, d).Render(v)
	require.NoError(t, err)
	assert.Equal(t, `{"a":1,"org":{"id":5},"token":"t0k\"en","text":"t-t0k\"en"}`, string(r.Body))
	assert.Equal(t, []render.Sink{{"@auth.token", "body:/token"}, {"@auth.token", "body:/text"}}, r.Sinks)

	v.Mask = true
	r, err = compile(t, d).Render(v)
	require.NoError(t, err)
	assert.Equal(t, `{"a":1,"org":{"id":5},"token":"[[@auth.token]]","text":"t-[[@auth.token]]"}`, string(r.Body))

	v.Mask, v.Auth = false, []byte(`{"org":[1,x],"token":"t"}`)
	assert.Equal(t, "invalid-json", faultOf(t, d, v).Rule)
	v.Auth = nil
	assert.Equal(t, "missing-value", faultOf(t, d, v).Rule)
}

func TestFormBody(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	r := renderWith(t, post(form, "a=1&b={{x}}&c=[[apiKey]]&d=x%26y+z&&e=é =&f"), `{"x":"&a=2 +%"}`)
	assert.Equal(t, "a=1&b=%26a%3D2%20%2B%25&c=s3cr3t-K%2Fy&d=x%26y+z&e=%C3%A9%20=&f", string(r.Body))
	assert.Equal(t, form, r.Header.Get("Content-Type"))
	assert.Equal(t, []render.Sink{{"apiKey", "form:c"}}, r.Sinks)
	got, err := url.ParseQuery(string(r.Body))
	require.NoError(t, err)
	assert.Equal(t, url.Values{"a": {"1"}, "b": {"&a=2 +%"}, "c": {"s3cr3t-K/y"}, "d": {"x&y z"}, "e": {"é ="}, "f": {""}}, got)
}

func TestFormFields(t *testing.T) {
	d := render.Definition{Method: "POST", URL: "https://h.example.com/", Form: []render.Field{
		{Name: "a b", Value: "1 {{x}}"}, {Name: "k[]", Value: "[[apiKey]]"}, {Name: "k[]", Value: "100%"},
	}}
	r := renderWith(t, d, `{"x":"&a=2 +%é"}`)
	assert.Equal(t, "a%20b=1%20%26a%3D2%20%2B%25%C3%A9&k%5B%5D=s3cr3t-K%2Fy&k%5B%5D=100%25", string(r.Body))
	assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
	assert.Equal(t, []render.Sink{{"apiKey", "form:k[]"}}, r.Sinks)
	form, err := url.ParseQuery(string(r.Body))
	require.NoError(t, err)
	assert.Equal(t, url.Values{"a b": {"1 &a=2 +%é"}, "k[]": {"s3cr3t-K/y", "100%"}}, form)
}

func multipartDefinition() render.Definition {
	return render.Definition{Method: "POST", URL: "https://h.example.com/", Form: []render.Field{
		{Name: `na"me`, Value: "{{x}}"},
		{Name: "file", Value: "[[password]]-{{y ?? \"none\"}}", FileName: `a"b.txt`, MediaType: "text/csv"},
	}}
}

func TestMultipart(t *testing.T) {
	r := renderWith(t, multipartDefinition(), `{"x":"a\r\n--b\r\nContent-Disposition: form-data; name=\"evil\"\r\n\r\nc"}`)
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", mediaType)
	m := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"])
	first, err := m.NextPart()
	require.NoError(t, err)
	assert.Equal(t, "na%22me", first.FormName())
	assert.Equal(t, "a\r\n--b\r\nContent-Disposition: form-data; name=\"evil\"\r\n\r\nc", text(t, first))
	second, err := m.NextPart()
	require.NoError(t, err)
	assert.Equal(t, "a%22b.txt", second.FileName())
	assert.Equal(t, "text/csv; charset=utf-8", second.Header.Get("Content-Type"))
	assert.Equal(t, `p"w<&>-none`, text(t, second))
	_, err = m.NextPart()
	require.ErrorIs(t, err, io.EOF)
	assert.Equal(t, []render.Sink{{"password", "form:file"}}, r.Sinks)
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

// The boundary is a function of the parts: a value that holds the boundary of a call without it gets
// another one, and the same call the same.
func TestMultipartBoundary(t *testing.T) {
	boundary := func(r *render.Request) string {
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		require.NoError(t, err)
		return params["boundary"]
	}
	d := multipartDefinition()
	a, b := renderWith(t, d, `{"x":"1"}`), renderWith(t, d, `{"x":"1"}`)
	assert.Equal(t, a.Body, b.Body)
	c := renderWith(t, d, `{"x":"`+boundary(a)+`"}`)
	assert.NotEqual(t, boundary(a), boundary(c))
}

func TestFormCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		mediaType, body string
		fields          []render.Field
		path, rule      string
	}{
		"body and form":        {"", "a=1", []render.Field{{Name: "a"}}, "body", "body-and-form"},
		"fields as JSON":       {"application/json", "", []render.Field{{Name: "a"}}, "mediaType", "not-a-form"},
		"file name, not parts": {"application/x-www-form-urlencoded", "", []render.Field{{Name: "a", FileName: "b"}}, "form[0]", "not-multipart"},
		"multipart as text":    {"multipart/form-data", "--x", nil, "body", "body-not-allowed"},
		"own boundary":         {"multipart/form-data; boundary=x", "", []render.Field{{Name: "a"}}, "mediaType", "bad-media-type"},
		"line break in name":   {"multipart/form-data", "", []render.Field{{Name: "a\r\nb"}}, "form[0].name", "control-character"},
		"line break in file":   {"", "", []render.Field{{Name: "a", FileName: "b\nc"}}, "form[0].fileName", "control-character"},
		"reference in file":    {"", "", []render.Field{{Name: "a", FileName: "{{x}}"}}, "form[0].fileName", "reference-in-name"},
		"reference in name":    {"", "", []render.Field{{Name: "[[odd]]"}}, "form[0].name", "reference-in-name"},
		"bad type of part":     {"", "", []render.Field{{Name: "a", MediaType: "x\r\ny: z"}}, "form[0].mediaType", "bad-media-type"},
		"reference in type":    {"", "", []render.Field{{Name: "a", MediaType: "text/{{x}}"}}, "form[0].mediaType", "reference-in-name"},
		"unknown in value":     {"", "", []render.Field{{Name: "a"}, {Name: "b", Value: "[[nobody]]"}}, "form[1].value", "unknown-reference"},
		"reference as name":    {"application/x-www-form-urlencoded", "{{x}}=1", nil, "body", "reference-in-name"},
		"bad percent":          {"application/x-www-form-urlencoded", "a=%", nil, "body", "bad-percent"},
	} {
		t.Run(name, func(t *testing.T) {
			d := post(c.mediaType, c.body)
			d.Form = c.fields
			_, problems := render.Compile(d, testScope)
			require.Len(t, problems, 1)
			assert.Equal(t, c.path, problems[0].Path)
			assert.Equal(t, c.rule, problems[0].Rule)
		})
	}
}

func TestXMLBody(t *testing.T) {
	const source = `<?xml version="1.0"?><!-- {a} --><r a='{{x}}' b="-{{x}}-"><k>[[password]]</k>{{x}}<![CDATA[<raw>]]></r>`
	for _, mediaType := range []string{"application/xml", "text/xml", "application/soap+xml; charset=UTF-8"} {
		r := renderWith(t, post(mediaType, source), `{"x":"</r>&\"'<!--\t\r\n]]>é"}`)
		var got struct {
			A string `xml:"a,attr"`
			B string `xml:"b,attr"`
			K string `xml:"k"`
			T string `xml:",chardata"`
		}
		require.NoError(t, xml.Unmarshal(r.Body, &got))
		const x = "</r>&\"'<!--\t\r\n]]>é"
		assert.Equal(t, x, got.A)
		assert.Equal(t, "-"+x+"-", got.B)
		assert.Equal(t, `p"w<&>`, got.K)
		assert.Equal(t, x+"<raw>", got.T)
	}
}

func TestXMLCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, rule string }{
		"element name":      {"<{{x}}/>", "reference-in-markup"},
		"in an element":     {"<a {{x}}/>", "reference-in-markup"},
		"attribute name":    {"<a {{x}}='1'/>", "reference-in-markup"},
		"unquoted value":    {"<a b={{x}}/>", "reference-in-markup"},
		"closing tag":       {"<a></{{x}}>", "reference-in-markup"},
		"behind a value":    {`<a b=">" {{x}}="1"/>`, "reference-in-markup"},
		"after a bracket":   {"<a><{{x}}</a>", "reference-in-markup"},
		"comment":           {"<a><!-- {{x}} --></a>", "reference-in-markup"},
		"tricky comment":    {"<a><!-- > {{x}} --></a>", "reference-in-markup"},
		"long comment":      {"<a><!-- " + strings.Repeat("- ", 40) + "{{x}} --></a>", "reference-in-markup"},
		"CDATA":             {"<a><![CDATA[{{x}}]]></a>", "reference-in-markup"},
		"CDATA, bracketed":  {"<a><![CDATA[]]{{x}}]]></a>", "reference-in-markup"},
		"instruction":       {"<?p {{x}}?><a/>", "reference-in-markup"},
		"entity":            {"<a>&{{x}};</a>", "invalid-xml"},
		"character":         {"<a>&#{{x}};</a>", "invalid-xml"},
		"hex character":     {"<a>&#{{x}}41;</a>", "invalid-xml"},
		"bracket dash":      {"<a><!-{{x}}- a --></a>", "reference-in-markup"},
		"doctype":           {`<!DOCTYPE a [<!ENTITY b "c">]><a/>`, "doctype"},
		"not closed":        {"<a>", "invalid-xml"},
		"two roots":         {"<a/><b/>", "invalid-xml"},
		"text outside":      {"<a/>{{x}}", "invalid-xml"},
		"no element":        {"{{x}}", "invalid-xml"},
		"other encoding":    {`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, "invalid-xml"},
		"unknown reference": {"<a>[[nobody]]</a>", "unknown-reference"},
		"syntax":            {"<a>{{x</a>", "bad-syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := render.Compile(post("text/xml", c.body), testScope)
			require.NotEmpty(t, problems)
			assert.Equal(t, "body", problems[0].Path)
			assert.Equal(t, c.rule, problems[0].Rule)
		})
	}
	_, problems := render.Compile(post("text/xml", "<a><!-- x --><?p q?><![CDATA[]]]]>{{x}}<b c='\"'>{{x}}</b></a>"), testScope)
	require.Empty(t, problems)
}

func TestXMLRenderRefuses(t *testing.T) {
	d := post("text/xml", "<a>{{x}}</a>")
	for _, x := range []string{`\u0000`, `\u0001`, `\u000b`, `\u001f`, `\ufffe`, `\uffff`} {
		assert.Equal(t, "xml-character", faultOf(t, d, values(`{"x":"`+x+`"}`)).Rule, x)
	}
	assert.Equal(t, "not-a-scalar", faultOf(t, d, values(`{"x":{}}`)).Rule)
	renderWith(t, d, `{"x":"\ufffd\u007f\u0085"}`)
}

func TestTextBody(t *testing.T) {
	r := renderWith(t, post("text/plain", "<{{x}}> [[password]]\n"), `{"x":"a\"&\u0000"}`)
	assert.Equal(t, "<a\"&\x00> p\"w<&>\n", string(r.Body))
	assert.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))
	assert.Equal(t, "not-a-scalar", faultOf(t, post("text/plain", "{{x}}"), values(`{"x":[]}`)).Rule)
}

func TestMediaType(t *testing.T) {
	for source, want := range map[string]string{
		"":                                 "application/json",
		"application/json":                 "application/json",
		"Application/JSON; Charset=UTF-8":  "application/json; charset=UTF-8",
		"application/vnd.x+json":           "application/vnd.x+json",
		"text/csv; header=present":         "text/csv; header=present; charset=utf-8",
		"application/octet-stream":         "application/octet-stream",
		"application/x-ndjson":             "application/x-ndjson",
		"application/json;charset=latin1":  "bad-charset",
		"json":                             "bad-media-type",
		"application/":                     "bad-media-type",
		"application/json; a":              "bad-media-type",
		"application/json\r\nX-Evil: 1":    "bad-media-type",
		"[[odd]]":                          "reference-in-name",
		"text/plain; a={{x}}":              "reference-in-name",
		"application/json; charset=\"é\"":  "bad-charset",
		"application/json; charset=utf-16": "bad-charset",
	} {
		p, problems := render.Compile(post(source, `1`), testScope)
		if len(problems) > 0 {
			assert.Equal(t, "mediaType", problems[0].Path, source)
			assert.Equal(t, want, problems[0].Rule, source)
			continue
		}
		r, err := p.Render(values(`{}`))
		require.NoError(t, err)
		assert.Equal(t, want, r.Header.Get("Content-Type"), source)
	}
}
