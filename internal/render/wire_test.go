package render_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/render"
)

// naughty are values that mean something to one of the places, or to a reader of references.
func naughty() []string {
	list := []string{
		"", " ", ".", "..", "../", "..\\", "%2e%2e", "%2e%2e%2f", "..;/", "a/b", "/", "//evil.test", "\\\\evil.test",
		"@evil.test", ".evil.test", ":80@evil.test", "evil.test#", "?a=b", "#f", "&a=b", "a=b", "%", "%00", "%0d%0a",
		"\r\n", "\r\nX-Evil: 1", "\nX-Evil: 1", "\r\n\r\nGET /evil HTTP/1.1\r\n", "\t", "\x00", "\x7f", "\u0085", "\u2028",
		`"`, `\`, `"}`, `","evil":"1`, `\"`, `\u0022`, "'", "<", ">", "&", "&lt;", "]]>", "<!--", "</a>", "<![CDATA[",
		"{{x}}", "{{", "}}", "[[apiKey]]", "[[", "]]", `\[[`, `\{{`, "{{x ?? 1}}", "[[@auth.token]]", "{{x as string}}",
		"--", "\r\n--boundary--\r\n", "; filename=\"evil\"", "+", "%20", "a b", "ü", "日本", "\U0001F600", "\ufffd", "\ufeff",
		"null", "true", "0", "1e999", "{}", "[]", "${x}", "<%= x %>", "#{x}", "$(x)", "`x`", strings.Repeat("a", 5000),
	}
	for b := range 256 {
		list = append(list, string(rune(b)), "a"+string(rune(b))+"b")
	}
	return list
}

// everywhere puts {{x}} into a path, a query, a header and one kind of body.
func everywhere(mediaType, body string) render.Definition {
	return render.Definition{
		Method:  "POST",
		URL:     "https://h.example.com/a/p{{x}}/b?q={{x}}&r=1",
		Headers: []render.Pair{{Name: "X-Value", Value: "v{{x}}"}},
		Query:   []render.Pair{{Name: "s", Value: "{{x}}"}},
		Body:    body, MediaType: mediaType,
	}
}

// withPayload returns values whose payload is {"x": x}.
func withPayload(t testing.TB, x string) render.Values {
	t.Helper()
	doc, err := json.Marshal(map[string]string{"x": x})
	require.NoError(t, err)
	return values(string(doc))
}

// server reads one request after the other, as they arrive on a raw connection.
type server struct {
	listener net.Listener
	requests chan *http.Request
}

func newServer(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{l, make(chan *http.Request)}
	go s.serve()
	t.Cleanup(func() {
		_ = l.Close()
		for range s.requests {
		}
	})
	return s
}

func (s *server) serve() {
	defer close(s.requests)
	c, err := s.listener.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		s.requests <- req
	}
}

// Whatever the value, a server that reads raw bytes sees the request the definition describes, the
// value in its place; or rendering refuses the value.
func TestNaughtyValuesAtARawServer(t *testing.T) {
	for _, c := range []struct {
		name, mediaType, body string
		read                  func(t *testing.T, r *http.Request) string
	}{
		{"json", "application/json", `{"a":"{{x}}","b":"<{{x}}>"}`, readJSON},
		{"form", "application/x-www-form-urlencoded", "a={{x}}&b=<{{x}}>", readForm},
		{"xml", "application/xml", `<r a="{{x}}"><b>&lt;{{x}}&gt;</b></r>`, readXML},
		{"text", "text/plain", "{{x}}", readText},
		{"multipart", "multipart/form-data", "", readMultipart},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := everywhere(c.mediaType, c.body)
			if c.name == "multipart" {
				d.Form = []render.Field{{Name: "a", Value: "{{x}}"}, {Name: "b", Value: "<{{x}}>", FileName: "f"}}
			}
			p := compile(t, d)
			s := newServer(t)
			conn, err := net.Dial("tcp", s.listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			sent := 0
			for _, x := range naughty() {
				r, err := p.Render(withPayload(t, x))
				if err != nil {
					requireRefusable(t, x, c.name, err)
					continue
				}
				sent++
				send(t, conn, r)
				got := <-s.requests
				require.NotNil(t, got, "%q", x)
				requireStructure(t, x, got)
				require.Equal(t, x, c.read(t, got), "%q", x)
			}
			assert.Greater(t, sent, 400)
		})
	}
}

func send(t *testing.T, conn net.Conn, r *render.Request) {
	t.Helper()
	req := &http.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: io.NopCloser(bytes.NewReader(r.Body)), ContentLength: int64(len(r.Body))}
	require.NoError(t, req.Write(conn))
}

// requireRefusable demands that x really has something that no header, path or XML text can hold.
func requireRefusable(t *testing.T, x, body string, err error) {
	t.Helper()
	var f *render.Fault
	require.ErrorAs(t, err, &f)
	switch f.Rule {
	case "bad-header-value":
		require.True(t, strings.ContainsFunc(x, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f }), "%q", x)
	case "dot-segment":
		require.Contains(t, strings.NewReplacer("%2e", ".", "%2f", "/", `\`, "/").Replace(x), "..", "%q", x)
	case "xml-character":
		require.Equal(t, "xml", body)
	default:
		t.Fatalf("%q: %v", x, err)
	}
}

func requireStructure(t *testing.T, x string, r *http.Request) {
	t.Helper()
	require.Equal(t, "h.example.com", r.Host, "%q", x)
	require.Equal(t, "POST", r.Method)
	segments := strings.Split(r.URL.EscapedPath(), "/")
	require.Len(t, segments, 4, "%q", x)
	value, err := url.PathUnescape(segments[2])
	require.NoError(t, err)
	require.Equal(t, "p"+x, value)
	query, err := url.ParseQuery(r.URL.RawQuery)
	require.NoError(t, err)
	require.Equal(t, url.Values{"q": {x}, "r": {"1"}, "s": {x}}, query)
	require.Equal(t, strings.TrimRight("v"+x, " \t"), r.Header.Get("X-Value"))
	for name := range r.Header {
		require.Contains(t, []string{"X-Value", "Content-Type", "Content-Length", "User-Agent", "Transfer-Encoding"}, name, "%q", x)
	}
}

func readText(t *testing.T, r *http.Request) string { return text(t, r.Body) }

func readJSON(t *testing.T, r *http.Request) string {
	var got map[string]string
	require.NoError(t, json.NewDecoder(r.Body).Decode(&got))
	require.Len(t, got, 2)
	require.Equal(t, "<"+got["a"]+">", got["b"])
	return got["a"]
}

func readForm(t *testing.T, r *http.Request) string {
	got, err := url.ParseQuery(text(t, r.Body))
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "<"+got.Get("a")+">", got.Get("b"))
	return got.Get("a")
}

func readXML(t *testing.T, r *http.Request) string {
	var got struct {
		A string   `xml:"a,attr"`
		B []string `xml:"b"`
	}
	require.NoError(t, xml.NewDecoder(r.Body).Decode(&got))
	require.Equal(t, []string{"<" + got.A + ">"}, got.B)
	return got.A
}

func readMultipart(t *testing.T, r *http.Request) string {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	require.NoError(t, err)
	form, err := multipart.NewReader(r.Body, params["boundary"]).ReadForm(1 << 20)
	require.NoError(t, err)
	require.Len(t, form.Value, 1)
	require.Len(t, form.File["b"], 1)
	f, err := form.File["b"][0].Open()
	require.NoError(t, err)
	require.Equal(t, "<"+form.Value["a"][0]+">", text(t, f))
	return form.Value["a"][0]
}

// Variables and secrets may be any bytes.
func TestEveryByteInEveryPlace(t *testing.T) {
	d := func(url string, headers ...render.Pair) render.Definition {
		return render.Definition{Method: "POST", URL: url, Headers: headers}
	}
	for b := range 256 {
		value := "a" + string([]byte{byte(b)}) + "b"
		v := values(`{}`)
		v.Variable = func(string) (string, bool) { return value, true }
		render1 := func(d render.Definition) (*render.Request, error) { return compile(t, d).Render(v) }

		r, err := render1(d("https://h.example.com/[[odd]]?q=[[odd]]"))
		require.NoError(t, err)
		assert.Equal(t, "/"+value, r.URL.Path)
		assert.Equal(t, url.Values{"q": {value}}, r.URL.Query())

		r, err = render1(d("https://h.example.com/", render.Pair{Name: "X-A", Value: "[[odd]]"}))
		if b < ' ' && b != '\t' || b >= 0x7f {
			require.Error(t, err, "%q", value)
		} else {
			require.NoError(t, err)
			assert.Equal(t, value, r.Header.Get("X-A"))
		}

		_, err = render1(d("https://[[instance]].example.com/"))
		alphanumeric := b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-'
		assert.Equal(t, alphanumeric, err == nil, "%q", value)

		r, err = render1(post("", `["[[odd]]"]`))
		require.Equal(t, utf8.ValidString(value), err == nil, "%q", value)
		if err == nil {
			var got []string
			require.NoError(t, json.Unmarshal(r.Body, &got))
			assert.Equal(t, []string{value}, got)
		}
	}
}
