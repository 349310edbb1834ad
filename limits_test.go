package hub_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func gzipped(t testing.TB, body []byte) hubtest.Answer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return hubtest.Bytes(200, "application/octet-stream", b.Bytes()).Header("Content-Encoding", "gzip")
}

// noise is text that hardly shrinks.
func noise(n int) []byte {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return []byte(base64.StdEncoding.EncodeToString(raw)[:n])
}

// thin stretches text eightfold: it can be compressed, though not out of proportion.
func thin(text []byte) []byte {
	out := make([]byte, 0, 8*len(text))
	for part := range slices.Chunk(text, 1<<10) {
		out = append(append(out, part...), make([]byte, 7*len(part))...)
	}
	return out
}

func TestAnswersAreBoundedAtTheEdge(t *testing.T) {
	for name, tt := range map[string]struct {
		limits  hub.Limits
		answer  func(t testing.TB, over int) hubtest.Answer
		failure string
	}{
		"8 MiB on the wire": {
			answer: func(_ testing.TB, over int) hubtest.Answer {
				return hubtest.Bytes(200, "text/plain", make([]byte, 8<<20+over))
			},
			failure: "too-large",
		},
		"decoded": {
			limits:  hub.Limits{AnswerBytes: 100_000},
			answer:  func(t testing.TB, over int) hubtest.Answer { return gzipped(t, noise(100_000+over)) },
			failure: "too-large",
		},
		"16 MiB decoded": {
			answer: func(t testing.TB, over int) hubtest.Answer {
				return gzipped(t, append(thin(noise(2<<20)), make([]byte, over)...))
			},
			failure: "too-large",
		},
		"headers": {
			limits: hub.Limits{HeaderBytes: 64 << 10},
			answer: func(_ testing.TB, over int) hubtest.Answer {
				a := hubtest.Status(200)
				for range 15 + 2*over {
					a = a.Header("X-Long", strings.Repeat("a", 4<<10))
				}
				return a
			},
			failure: "header-too-large",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for over, good := range []bool{true, false} {
				srv := hubtest.NewServer(t)
				srv.Handle("/", tt.answer(t, over))
				h := open(t, func(o *hub.Options) { o.Limits = tt.limits }).Tenant("acme")
				connector(t, h, srv, manual("go", "GET", srv.URL))
				res, err := execute(t, h, "go")
				if good {
					require.NoError(t, err)
					continue
				}
				e := failed(t, err, hub.BadAnswer)
				assert.Equal(t, 1, e.Attempts, "what is too large once is so again")
				if res != nil {
					assert.Equal(t, 200, res.Status)
					assert.Empty(t, res.Body)
					assert.Equal(t, tt.failure, res.Attempts[0].Failure)
				}
			}
		})
	}
}

func TestAnAnswerUnfoldsAHundredTimesAtMost(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/small", gzipped(t, make([]byte, 64<<10)))
	srv.Handle("/bomb", gzipped(t, make([]byte, 4<<20)))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("small", "GET", srv.URL+"/small"), manual("bomb", "GET", srv.URL+"/bomb"))
	_, err := execute(t, h, "small")
	require.NoError(t, err, "the first 64 KiB may come from anything")
	res, err := execute(t, h, "bomb")
	failed(t, err, hub.BadAnswer)
	assert.Equal(t, "bomb", res.Attempts[0].Failure)
}

func TestATemplateBoundsAnswersFurther(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/exact", hubtest.Text(200, strings.Repeat("a", 1000)))
	srv.Handle("/over", hubtest.Text(200, strings.Repeat("a", 1001)))
	h := open(t).Tenant("acme")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.Limits.ResponseBytes = 1000 })
	connector(t, h, srv, func(c *hub.Connector) { c.Template = tpl.ID }, manual("exact", "GET", srv.URL+"/exact"), manual("over", "GET", srv.URL+"/over"))
	_, err := execute(t, h, "exact")
	require.NoError(t, err)
	_, err = execute(t, h, "over")
	failed(t, err, hub.BadAnswer)
}

func TestTheAnswerOfAnAuthenticationIsBounded(t *testing.T) {
	for over, good := range []bool{true, false} {
		srv := hubtest.NewServer(t)
		const frame = `{"access_token":"tok-0123456789","pad":""}`
		srv.Handle("POST /token", hubtest.Bytes(200, "application/json",
			[]byte(strings.Replace(frame, `"pad":"`, `"pad":"`+strings.Repeat("a", 64<<10-len(frame)+over), 1))))
		srv.Handle("/things", hubtest.Status(200))
		h := open(t).Tenant("acme")
		connector(t, h, srv, oauth(srv))
		_, err := execute(t, h, "read")
		if good {
			require.NoError(t, err)
			continue
		}
		e := failed(t, err, hub.BadAnswer)
		assert.Contains(t, e.Detail(), "authentication")
		assert.Zero(t, received(srv, "/things"))
	}
}

func TestPayloadsAreBoundedAtTheEdge(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	text := func(n int) string { return `"` + strings.Repeat("a", n-2) + `"` }
	for name, tt := range map[string]struct {
		payload string
		rule    string // empty: it passes
	}{
		"1 MiB":                        {text(1 << 20), ""},
		"1 MiB and a byte":             {text(1<<20 + 1), "too-large"},
		"64 levels":                    {nested(64), ""},
		"65 levels":                    {nested(65), "too-deep"},
		"half a million levels":        {nested(500_000), "too-deep"},
		"64 digits":                    {digits(64), ""},
		"65 digits":                    {digits(65), "number-too-long"},
		"exponent 400":                 {"1e400", ""},
		"exponent -400":                {"1e-400", ""},
		"exponent 401":                 {"1e401", "exponent-too-large"},
		"exponent -401":                {"1e-401", "exponent-too-large"},
		"a member twice":               {`{"a":1,"a":2}`, "duplicate-member"},
		"a member twice, once escaped": {`{"a":1,"\u0061":2}`, "duplicate-member"},
		"half a character":             {`"\ud800"`, "lone-surrogate"},
		"no UTF-8":                     {"\"\xff\"", "invalid-utf8"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Status(200))
			h := open(t).Tenant("acme")
			connector(t, h, srv, mapped("go", "GET", srv.URL))
			_, err := execute(t, h, "go", tt.payload)
			if tt.rule == "" {
				require.NoError(t, err)
				return
			}
			e := failed(t, err, hub.Invalid)
			require.Len(t, e.Fields, 1)
			assert.Equal(t, tt.rule, e.Fields[0].Rule)
			assert.Empty(t, srv.Requests())
		})
	}
}

func TestARenderedRequestIsBounded(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t, func(o *hub.Options) { o.Limits.RequestBytes = 10_000 }).Tenant("acme")
	connector(t, h, srv, mapped("go", "POST", srv.URL, func(r *hub.Request) { r.MediaType, r.Body = "application/json", `["{{a}}","{{a}}","{{a}}"]` }))
	_, err := execute(t, h, "go", `{"a":"`+strings.Repeat("a", 3_000)+`"}`)
	require.NoError(t, err)
	_, err = execute(t, h, "go", `{"a":"`+strings.Repeat("a", 3_400)+`"}`)
	e := failed(t, err, hub.Invalid)
	assert.Equal(t, "too-large", e.Fields[0].Rule)
	assert.Len(t, srv.Requests(), 1)
}

func TestForeignTextIsCutAndQuoted(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.JSON(400, map[string]string{"error": "\x1b[31m\u202e" + strings.Repeat("x", 5000)}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	_, err := execute(t, h, "read")
	e := failed(t, err, hub.Unauthorized)
	assert.Less(t, len(e.Detail()), 700)
	assert.NotContains(t, e.Detail(), "\x1b")
	assert.NotContains(t, e.Detail(), "\u202e")
}

func TestATokenEndpointThatNeverEndsIsLeftAtTheBound(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte("a"), 4<<10)
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Timeout = int((30 * time.Second).Milliseconds()) })
	_, err := execute(t, h, "read")
	failed(t, err, hub.BadAnswer)
}
