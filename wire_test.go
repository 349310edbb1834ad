package hub_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// rawServer takes down every byte that it gets, and answers what it is told to.
type rawServer struct {
	listener net.Listener
	answer   func(w io.Writer)

	mu   sync.Mutex
	sent [][]byte
	wg   sync.WaitGroup
}

func newRawServer(t testing.TB, answer func(w io.Writer)) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &rawServer{listener: l, answer: answer}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		s.wg.Wait()
	})
	return s
}

func (s *rawServer) url() string { return "http://" + s.listener.Addr().String() }

func (s *rawServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.serve(conn) })
	}
}

// serve reads one request as its own framing has it, and answers.
func (s *rawServer) serve(conn net.Conn) {
	defer conn.Close()
	var raw bytes.Buffer
	req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
	if err == nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
	s.mu.Lock()
	s.sent = append(s.sent, raw.Bytes())
	s.mu.Unlock()
	s.answer(conn)
}

// taken returns what came since it was last asked for.
func (s *rawServer) taken() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

func answerOK(w io.Writer) {
	_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
}

// naughty are values that have moved a request elsewhere, or made two of one.
var naughty = append([]string{
	"", ".", "..", "...", "a/../b", "%2e%2e", "..%2f", "%2e", "a/b", "//evil.test", "\\", "..\\", "@evil.test", ":80@evil.test", ".evil.test", "?x=1", "#f", "&q=2", "q=2",
	";", "+", "%", "%zz", "%00", "\r\nX-Evil: 1", "\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n", "\n", "\u2028", "\u0085", "{{q}}", "{{", "[[v]]", "[[@auth.x]]", "\\[[v]]", `"`,
	`","evil":"1`, `\"`, "</k><evil/>", "]]>", "<!--", "&amp;", "&", "'", " lead", "trail ", "\ttab", "🎉", "\u202eevil", "ünï", "１２７．０．０．１", "null", "1e999", strings.Repeat("a", 300),
}, everyByte()...)

func everyByte() []string {
	var list []string
	for b := range 256 {
		list = append(list, "a"+string(rune(b))+"b")
	}
	return list
}

// wireBodies are the kinds of bodies with a hole, and how their value is read back.
var wireBodies = []struct {
	media, body string
	read        func(t *testing.T, body string) string
}{
	{"application/json", `{"k":"<{{b}}>"}`, func(t *testing.T, body string) string {
		var v struct{ K string }
		dec := json.NewDecoder(strings.NewReader(body))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&v))
		return v.K
	}},
	{"application/x-www-form-urlencoded", `k=<{{b}}>&l=1`, func(t *testing.T, body string) string {
		v, err := url.ParseQuery(body)
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, v["l"])
		require.Len(t, v, 2)
		return v.Get("k")
	}},
	{"application/xml", `<r><k>&lt;{{b}}&gt;</k></r>`, func(t *testing.T, body string) string {
		var v struct {
			K     string `xml:"k"`
			Other []struct {
				XMLName xml.Name
			} `xml:",any"`
		}
		require.NoError(t, xml.Unmarshal([]byte(body), &v))
		require.Empty(t, v.Other)
		return v.K
	}},
	{"text/plain", `<{{b}}>`, func(_ *testing.T, body string) string { return body }},
}

// A value changes nothing but the place that it stands in: a raw server sees the structure
// that the definition has, or nothing at all.
func TestValuesStayInTheirPlaces(t *testing.T) {
	srv := newRawServer(t, answerOK)
	h := open(t, func(o *hub.Options) { o.Egress.AllowHTTP = true }).Tenant("acme")
	con := hub.Connector{Name: "con", Template: template(t, h).ID}
	for _, b := range wireBodies {
		con.Requests = append(con.Requests, hub.Request{
			Name: b.media, Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", MediaType: b.media, Body: b.body,
			URL: srv.url() + "/a/{{p}}/z?fixed=1&q={{q}}", Headers: []hub.Header{{Name: "X-V", Value: "{{h}}"}},
		})
	}
	_, err := h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	sent, refused := 0, 0
	for _, value := range naughty {
		for i, place := range []string{"p", "q", "h", "b", "b", "b", "b"} {
			body := wireBodies[max(0, i-3)]
			values := map[string]string{"p": "p", "q": "q", "h": "h", "b": "b"}
			values[place] = value
			payload, err := json.Marshal(values)
			require.NoError(t, err)
			_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: body.media, Payload: payload})
			got := srv.taken()
			if err != nil {
				require.ErrorIs(t, err, hub.Invalid, "%q at %s", value, place)
				require.Empty(t, got)
				refused++
				continue
			}
			require.Len(t, got, 1)
			assertWire(t, got[0], srv, values, body.media, body.read)
			sent++
		}
	}
	t.Logf("%d requests sent, all as defined; %d values refused", sent, refused)
	assert.Greater(t, sent, 1500)
	assert.Greater(t, refused, 50)
}

// assertWire holds what a raw server got against the definition and the values.
func assertWire(t *testing.T, raw []byte, srv *rawServer, values map[string]string, media string, read func(*testing.T, string) string) {
	t.Helper()
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	target, found := strings.CutSuffix(strings.TrimPrefix(lines[0], "POST "), " HTTP/1.1")
	require.True(t, found, "%q", lines[0])
	path, query, _ := strings.Cut(target, "?")
	segments := strings.Split(path, "/")
	require.Len(t, segments, 4, "%q", target)
	segment, err := url.PathUnescape(segments[2])
	require.NoError(t, err)
	require.Equal(t, []string{"", "a", values["p"], "z"}, []string{segments[0], segments[1], segment, segments[3]})
	require.NotContains(t, []string{".", ".."}, segment)
	parameters, err := url.ParseQuery(query)
	require.NoError(t, err)
	require.Equal(t, url.Values{"fixed": {"1"}, "q": {values["q"]}}, parameters)

	var names []string
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		names = append(names, name)
		switch name {
		case "Host":
			require.Equal(t, srv.listener.Addr().String(), value)
		case "X-V":
			require.Equal(t, strings.Trim(values["h"], " \t"), value)
		case "Content-Type":
			require.Contains(t, value, media)
		}
	}
	slices.Sort(names)
	require.Equal(t, []string{"Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Host", "User-Agent", "X-V"}, withConnection(names))
	got := read(t, body)
	if media == "application/xml" { // XML itself reads any line break as one
		values["b"] = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(values["b"])
		got = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(got)
	}
	require.Equal(t, "<"+values["b"]+">", got)
}

// withConnection adds the one header that a client may leave out.
func withConnection(names []string) []string {
	if !slices.Contains(names, "Connection") {
		names = append(names, "Connection")
		slices.Sort(names)
	}
	return names
}

// A variable in a host is one label; whatever it holds, the call goes to a host of the list.
func TestAVariableInAHostMovesNoCall(t *testing.T) {
	b := newBait(t)
	h := open(t, resolving(t, map[string]string{})).Tenant("acme")
	tpl := template(t, h)
	for i, value := range naughty {
		_, err := h.CreateConnector(t.Context(), hub.Connector{
			Name: "c", ID: "c", Template: tpl.ID, Hosts: []string{"*.example.com"}, Variables: map[string]string{"v": value},
			Requests: []hub.Request{{Name: "r", Method: "GET", URL: "https://[[v]].example.com/"}},
		})
		if err != nil {
			require.ErrorIs(t, err, hub.Invalid, "%q", value)
			continue
		}
		plan, err := h.Plan(t.Context(), hub.Call{Connector: "c", Request: "r"})
		if err == nil {
			u, err := url.Parse(plan.URL)
			require.NoError(t, err)
			require.Equal(t, strings.ToLower(value)+".example.com", u.Host, "value %d", i)
		}
		con, err := h.GetConnector(t.Context(), "c")
		require.NoError(t, err)
		require.NoError(t, h.DeleteConnector(t.Context(), "c", con.Revision))
	}
	b.untouched(t)
}
