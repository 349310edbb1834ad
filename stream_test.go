package hub_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// streamed runs request "go" of "con" into w.
func streamed(t testing.TB, h *hub.Tenant, w io.Writer, opts *hub.StreamOptions) (*hub.Result, error) {
	t.Helper()
	return h.ExecuteTo(t.Context(), hub.Call{Connector: "con", Request: "go"}, w, opts)
}

// patience is a stall or timeout that nothing here reaches.
const patience = time.Minute

// lines writes n lines of 64 bytes, or fewer if whoever reads leaves.
func lines(w io.Writer, n int) {
	line := strings.Repeat("0123456789abcde\n", 4)
	for range n {
		if _, err := io.WriteString(w, line); err != nil {
			return
		}
	}
}

func TestALargeAnswerGoesToAWriterWhileItArrives(t *testing.T) {
	const size = 48 << 20 // three times what Execute takes
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", strconv.Itoa(size))
		lines(w, size/64)
	}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{"number": {Path: "number"}}
	}))
	sum, want := sha256.New(), sha256.New()
	lines(want, size/64)
	last, most := int64(0), uint64(0)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	res, err := streamed(t, h, sum, &hub.StreamOptions{Timeout: patience, Progress: func(written, total int64) {
		assert.Greater(t, written, last)
		assert.EqualValues(t, size, total)
		if written>>23 != last>>23 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
		last = written
	}})
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, res.Branch)
	assert.Equal(t, 200, res.Status)
	assert.Equal(t, "text/plain", res.Header.Get("Content-Type"))
	assert.Empty(t, res.Body)
	assert.Empty(t, res.Outputs)
	assert.EqualValues(t, size, res.Written)
	assert.EqualValues(t, size, last)
	assert.EqualValues(t, size, res.Attempts[0].BytesIn)
	assert.Equal(t, want.Sum(nil), sum.Sum(nil))
	assert.Less(t, most, before.HeapAlloc+(8<<20), "what is held meanwhile")

	_, err = execute(t, h, "go")
	failed(t, err, hub.BadAnswer)
}

// Whatever the coding, and wherever the answer is cut, nobody reads a secret of it.
func TestSecretsAreMaskedOnTheWayToAWriter(t *testing.T) {
	const secret = "canary/of+the=key&äöü"
	encoders := map[string]func(io.Writer) io.WriteCloser{
		"":   func(w io.Writer) io.WriteCloser { return nopCloser{w} },
		"br": func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				return nil
			}
			return z
		},
	}
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		for _, form := range echoes {
			text.WriteString("<" + form.encode(r.Header.Get("X-Key")) + "> ")
		}
		coding := r.URL.Query().Get("coding")
		w.Header().Set("Content-Encoding", coding)
		cut := encoders[coding](flushing{w})
		for rest := text.String(); rest != ""; rest = rest[min(5, len(rest)):] {
			_, _ = io.WriteString(cut, rest[:min(5, len(rest))])
		}
		_ = cut.Close()
	}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) {
		c.Secrets = []hub.Secret{{Name: "key"}}
		for coding := range encoders {
			manual("go"+coding, "GET", srv.URL+"/?coding="+coding, func(r *hub.Request) {
				r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
			})(c)
		}
	})
	setSecret(t, h, con.ID, "key", secret)
	for coding := range encoders {
		t.Run(coding, func(t *testing.T) {
			var got strings.Builder
			res, err := h.ExecuteTo(t.Context(), hub.Call{Connector: "con", Request: "go" + coding}, &got, nil)
			require.NoError(t, err)
			assert.Equal(t, len(echoes), strings.Count(got.String(), "[secret]"), got.String())
			assert.NotContains(t, got.String(), "canary")
			assert.EqualValues(t, got.Len(), res.Written)
		})
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// flushing sends each write on its way.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	return n, err
}

func TestWhatIsNoSuccessIsReadWholeAndTheWriterGetsNothing(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(404, map[string]string{"error": "no such thing"}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	var got bytes.Buffer
	res, err := streamed(t, h, &got, nil)
	e := failed(t, err, hub.Rejected)
	assert.Equal(t, 404, e.Status)
	assert.Equal(t, "no such thing", res.Get("error").String())
	assert.Zero(t, got.Len())
	assert.Zero(t, res.Written)
}

// Answers that may mean something else are read whole, and written if they are a success after all.
func TestSuccessesThatAreReadWholeAreWrittenToo(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/forbidden", hubtest.Text(403, "yes"))
	srv.Handle("/accepted", hubtest.Sequence(hubtest.Text(202, "wait"), hubtest.Text(202, "wait"), hubtest.Text(202, "yes")))
	srv.Handle("/none", hubtest.Status(204))
	srv.Handle("/asked", hubtest.JSON(200, json.RawMessage(`{"a":"yes"}`)))
	srv.Handle("/not-asked", hubtest.Text(200, "yes"))
	h := open(t).Tenant("acme")
	wanted := map[string]string{"forbidden": "yes", "accepted": "yes", "none": "", "asked": `{"a":"yes"}`, "not-asked": "yes"}
	connector(t, h, srv, func(c *hub.Connector) {
		for path := range wanted {
			manual(path, "GET", srv.URL+"/"+path, func(r *hub.Request) {
				r.Success = &hub.Success{Statuses: []string{"2xx", "403"}}
				r.Retry = &hub.Retry{Statuses: []string{"202"}}
				r.Responses = []hub.ResponseRule{
					{When: hub.AnswerMatch{MediaTypes: []string{"application/json"}, Path: "a", Absent: true}, Then: hub.VerdictFail},
				}
			})(c)
		}
	})
	for path, want := range wanted {
		var got strings.Builder
		res, err := h.ExecuteTo(t.Context(), hub.Call{Connector: "con", Request: path}, &got, nil)
		require.NoError(t, err)
		assert.Equal(t, want, got.String())
		assert.EqualValues(t, len(want), res.Written)
		assert.Empty(t, res.Body)
		assert.Equal(t, hub.OnSuccess, res.Branch)
	}
}

// A call is sent again while the writer has nothing, and never after it got something.
func TestAStreamIsRepeatedOnlyBeforeItsFirstByte(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	for name, tt := range map[string]struct {
		first   http.Handler
		code    hub.Code // empty: the second attempt succeeds
		attempt int
	}{
		"unavailable":                 {hubtest.Status(503), "", 2},
		"no answer":                   {hubtest.Drop(), "", 2},
		"breaks before":               {hubtest.Text(200, text).DropAfter(0), "", 2},
		"breaks in what is held back": {hubtest.Text(200, text).DropAfter(7), "", 2},
		"breaks in the middle":        {hubtest.Text(200, text).DropAfter(5000), hub.BadAnswer, 1},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Sequence(tt.first, hubtest.Text(200, text)))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL))
			var got strings.Builder
			res, err := streamed(t, h, &got, nil)
			require.NotNil(t, res)
			assert.Len(t, res.Attempts, tt.attempt)
			assert.EqualValues(t, got.Len(), res.Written)
			if tt.code == "" {
				require.NoError(t, err)
				assert.Equal(t, text, got.String())
				return
			}
			e := failed(t, err, tt.code)
			assert.True(t, e.Retryable)
			assert.Equal(t, text[:got.Len()], got.String())
			assert.Equal(t, 5000, got.Len())
		})
	}
}

// What is held back because it may begin a secret is not given away by an answer that breaks off.
func TestHalfASecretIsNotWritten(t *testing.T) {
	const secret = "canary-of-the-key-0123456789"
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, "so you said: "+secret).DropAfter(len("so you said: ")+20))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	}), func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} })
	setSecret(t, h, con.ID, "key", secret)
	var got strings.Builder
	_, err := streamed(t, h, &got, nil)
	failed(t, err, hub.BadAnswer)
	assert.Equal(t, "so you said: ", got.String())
}

var errFull = errors.New("disk full")

// full takes n bytes.
type full struct {
	n   int
	err error
}

func (f *full) Write(p []byte) (int, error) {
	n := min(f.n, len(p))
	f.n -= n
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

func TestAnErrorOfTheWriterIsTheCallers(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, strings.Repeat("x", 100_000)))
	srv.Handle("/whole", hubtest.Text(403, "no place"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL), manual("whole", "GET", srv.URL+"/whole", func(r *hub.Request) {
		r.Success = &hub.Success{Statuses: []string{"403"}}
	}))
	for name, tt := range map[string]struct {
		request string
		w       *full
		want    error
	}{
		"at once":      {"go", &full{0, errFull}, errFull},
		"later":        {"go", &full{50_000, errFull}, errFull},
		"short":        {"go", &full{50_000, nil}, io.ErrShortWrite},
		"a whole body": {"whole", &full{0, errFull}, errFull},
	} {
		t.Run(name, func(t *testing.T) {
			n := int64(tt.w.n)
			before := len(srv.Requests())
			res, err := h.ExecuteTo(t.Context(), hub.Call{Connector: "con", Request: tt.request}, tt.w, nil)
			e := failed(t, err, hub.Aborted)
			require.ErrorIs(t, err, tt.want)
			assert.NotContains(t, err.Error(), "disk full", "texts of others are not passed on")
			assert.False(t, e.Retryable)
			assert.Equal(t, n, res.Written)
			assert.Equal(t, before+1, len(srv.Requests()))
		})
	}
	_, err := streamed(t, h, nil, nil)
	failed(t, err, hub.Invalid)
}

func TestAStreamHasBoundsOfItsOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { lines(w, 1000) }))
	srv.Handle("/bomb", hubtest.Bytes(200, "text/plain", []byte(zipped(strings.Repeat("0", 30<<20)))).Header("Content-Encoding", "gzip"))
	h := open(t, func(o *hub.Options) { o.Limits.StreamBytes = 20_000 }).Tenant("acme")
	big := template(t, h, func(tpl *hub.Template) { tpl.Name, tpl.Limits.ResponseBytes = "narrow", 5000 })
	con := connector(t, h, srv, manual("go", "GET", srv.URL))
	connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Template, c.Name = big.ID, "narrow" })
	connector(t, h, srv, manual("go", "GET", srv.URL+"/bomb"), func(c *hub.Connector) { c.Template, c.Name = con.Template, "bomb" })
	for name, tt := range map[string]struct {
		connector string
		opts      *hub.StreamOptions
		most      int
	}{
		"the host's":           {"con", nil, 20_000},
		"the caller's":         {"con", &hub.StreamOptions{MaxBytes: 10_000}, 10_000},
		"not above the host's": {"con", &hub.StreamOptions{MaxBytes: 1 << 40}, 20_000},
		"the template's":       {"narrow", &hub.StreamOptions{MaxBytes: 10_000}, 5000},
		"a bomb, by its ratio": {"bomb", nil, 100_000},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			_, err := h.ExecuteTo(t.Context(), hub.Call{Connector: tt.connector, Request: "go"}, &got, tt.opts)
			failed(t, err, hub.BadAnswer)
			assert.LessOrEqual(t, got.Len(), tt.most)
		})
	}
}

func TestAStreamEndsWithItsTimeoutOrWhenItStalls(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, strings.Repeat("x", 100)).HangAfter(50))
	h := open(t, func(o *hub.Options) { o.Limits.StreamTimeout = patience }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Timeout = 60_000 })
	for name, opts := range map[string]func(time.Duration) *hub.StreamOptions{
		"stalled": func(d time.Duration) *hub.StreamOptions { return &hub.StreamOptions{Stall: d} },
		"timeout": func(d time.Duration) *hub.StreamOptions { return &hub.StreamOptions{Timeout: d, Stall: -1} },
	} {
		t.Run(name, func(t *testing.T) {
			unhurried(t, func(ms int) bool {
				var got strings.Builder
				res, err := streamed(t, h, &got, opts(time.Duration(ms)*time.Millisecond))
				e := failed(t, err, hub.Timeout)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.True(t, e.Retryable)
				if got.Len() < 50 {
					return false
				}
				assert.Equal(t, 200, e.Status)
				assert.Equal(t, hub.OnTimeout, res.Branch)
				assert.Equal(t, 50, got.Len())
				assert.Equal(t, name, res.Attempts[0].Failure)
				return true
			})
		})
	}
}

// A large answer may take longer than the connector's calls.
func TestAStreamMayOutlastTheConnectorsTimeout(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 4 {
			select {
			case <-time.After(100 * time.Millisecond):
				lines(flushing{w}, 1)
			case <-r.Context().Done():
				return
			}
		}
	}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Timeout = 200 })
	_, err := streamed(t, h, io.Discard, nil)
	failed(t, err, hub.Timeout)
	res, err := streamed(t, h, io.Discard, &hub.StreamOptions{Timeout: patience})
	require.NoError(t, err)
	assert.EqualValues(t, 256, res.Written)
}

func TestATokenThatIsRefusedIsRenewedBeforeAStream(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, srv[0], func(c *hub.Connector) { c.Requests[0].Name = "go" })
	setSecret(t, h, con.ID, "key", "canary-of-the-key")
	srv[0].Handle("/r", hubtest.Sequence(hubtest.Text(401, "no"), hubtest.Text(200, "yes")))
	var got strings.Builder
	res, err := streamed(t, h, &got, nil)
	require.NoError(t, err)
	assert.Equal(t, "yes", got.String())
	assert.Len(t, res.Attempts, 2)
	assert.Equal(t, 2, received(srv[0], "/token"))
}

func TestAStreamInAnotherCharsetIsWrittenInUTF8(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Bytes(200, "text/csv; charset=iso-8859-1", []byte("Zo\xeb;1")))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	var got strings.Builder
	total := int64(0)
	res, err := streamed(t, h, &got, &hub.StreamOptions{Progress: func(_, n int64) { total = n }})
	require.NoError(t, err)
	assert.Equal(t, "Zoë;1", got.String())
	assert.Equal(t, "text/csv; charset=utf-8", res.Header.Get("Content-Type"))
	assert.EqualValues(t, -1, total)
}

// A rule about the body is asked before a writer gets anything.
func TestABodyThatMeansFailureIsNotWritten(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]string{"error": "expired"}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Path: "error"}, Then: hub.VerdictFail}}
	}), manual("told", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{
			{When: hub.AnswerMatch{Statuses: []string{"200"}}, Then: hub.VerdictSuccess},
			{When: hub.AnswerMatch{Path: "error"}, Then: hub.VerdictFail},
		}
	}))
	var got strings.Builder
	res, err := streamed(t, h, &got, nil)
	failed(t, err, hub.Rejected)
	assert.Zero(t, got.Len())
	assert.Equal(t, "expired", res.Get("error").String())
	_, err = h.ExecuteTo(t.Context(), hub.Call{Connector: "con", Request: "told"}, &got, nil)
	require.NoError(t, err)
	assert.Equal(t, `{"error":"expired"}`, got.String())
}
