package hub_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// uploads gives a connector "form", which sends a file beside fields, and "body", which sends
// one alone.
func uploads(url string, change ...func(*hub.Request)) func(*hub.Connector) {
	return func(c *hub.Connector) {
		mapped("form", "POST", url+"/form", append(change, func(r *hub.Request) {
			r.Form = []hub.FormField{{Name: "title", Value: "{{title}}"}, {Name: `sc"an`, File: "scan"}, {Name: "end", Value: "--"}}
		})...)(c)
		manual("body", "PUT", url+"/body", append(change, func(r *hub.Request) { r.BodyFile = "scan" })...)(c)
	}
}

// upload runs a request with a file.
func upload(t testing.TB, h *hub.Tenant, request string, f hub.File) (*hub.Result, error) {
	t.Helper()
	call := hub.Call{Connector: "con", Request: request, Files: map[string]hub.File{"scan": f}}
	if request == "form" {
		call.Payload = []byte(`{"title":"a \"b\"\r\n--x"}`)
	}
	return h.Execute(t.Context(), call)
}

// part is a part as a server reads it.
type part struct{ name, file, mediaType, text string }

func parts(t testing.TB, r *hubtest.Request) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	reader := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"])
	var list []part
	for {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			return list
		}
		require.NoError(t, err)
		_, disposition, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		require.NoError(t, err)
		text, err := io.ReadAll(p)
		require.NoError(t, err)
		list = append(list, part{disposition["name"], disposition["filename"], p.Header.Get("Content-Type"), string(text)})
	}
}

func TestFilesAreSentAsPartsAndAsBodies(t *testing.T) {
	srv := server(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, uploads(srv.URL))
	text := "\x00\xff--boundary\r\n\r\n--"
	unknown := hub.FileBytes(`my "scan";.png`, "image/png", []byte(text))
	unknown.Size = 0
	for name, f := range map[string]hub.File{
		"size known":   hub.FileBytes(`my "scan";.png`, "image/png", []byte(text)),
		"size unknown": unknown,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := upload(t, h, "form", f)
			require.NoError(t, err)
			got := srv.Requests()[len(srv.Requests())-1]
			assert.Equal(t, []part{
				{"title", "", "", "a \"b\"\r\n--x"},
				{"sc%22an", "my %22scan%22;.png", "image/png", text},
				{"end", "", "", "--"},
			}, parts(t, &got))

			res, err := upload(t, h, "body", f)
			require.NoError(t, err)
			got = srv.Requests()[len(srv.Requests())-1]
			assert.Equal(t, text, string(got.Body))
			assert.Equal(t, "image/png", got.Header.Get("Content-Type"))
			assert.EqualValues(t, len(text), res.Attempts[0].BytesOut)
			length := map[bool]string{true: "18"}[f.Size > 0]
			assert.Equal(t, length, got.Header.Get("Content-Length"))
		})
	}
}

func TestWhatTheDefinitionSaysOfAFileGoesFirst(t *testing.T) {
	srv := server(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv,
		manual("form", "POST", srv.URL, func(r *hub.Request) {
			r.Form = []hub.FormField{{Name: "a", File: "scan", FileName: "fixed.pdf", MediaType: "application/pdf"}, {Name: "b", File: "scan"}}
		}),
		manual("body", "POST", srv.URL, func(r *hub.Request) { r.BodyFile, r.MediaType = "scan", "text/csv; charset=iso-8859-1" }))
	call := hub.Call{Connector: "con", Files: map[string]hub.File{"scan": hub.FileBytes("", "", []byte("x"))}}
	call.Request = "form"
	_, err := h.Execute(t.Context(), call)
	require.NoError(t, err)
	got := srv.Requests()[0]
	assert.Equal(t, []part{{"a", "fixed.pdf", "application/pdf", "x"}, {"b", "scan", "application/octet-stream", "x"}}, parts(t, &got))
	call.Request = "body"
	_, err = h.Execute(t.Context(), call)
	require.NoError(t, err)
	assert.Equal(t, "text/csv; charset=iso-8859-1", srv.Requests()[1].Header.Get("Content-Type"))
}

// zeros is n bytes that are nowhere.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	n := int(min(int64(len(p)), z.n))
	z.n -= int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	return n, nil
}

func (z *zeros) Close() error { return nil }

func TestALargeFileIsNeverHeld(t *testing.T) {
	const size = 60 << 20
	srv := hubtest.NewServer(t)
	var got int64
	h := open(t, func(o *hub.Options) { o.Egress.AllowHTTP = true }).Tenant("acme")
	// A server of its own: hubtest's remembers bodies.
	sum := sha256.New()
	url, host := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.Copy(sum, r.Body)
		_, _ = io.WriteString(w, "{}")
	}))
	connector(t, h, srv, manual("body", "PUT", url, func(r *hub.Request) { r.BodyFile = "scan" }), func(c *hub.Connector) { c.Hosts, c.Timeout = []string{host}, 60_000 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := upload(t, h, "body", hub.File{Size: size, Open: func(context.Context) (io.ReadCloser, error) { return &zeros{size}, nil }})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.EqualValues(t, size, got)
	want := sha256.New()
	_, _ = io.Copy(want, &zeros{size})
	assert.Equal(t, want.Sum(nil), sum.Sum(nil))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "all that was ever allocated, here and there")
}

// tracked opens files, and knows whether they were closed.
type tracked struct {
	io.Reader
	closed *atomic.Int32
}

func (f tracked) Close() error { f.closed.Add(1); return nil }

func TestAFileIsOpenedAnewForEachAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		first  http.Handler
		once   bool
		opened int32
		code   hub.Code // empty: the second attempt succeeds
	}{
		"a file":                    {hubtest.Status(503), false, 2, ""},
		"after a token is refused":  {hubtest.Status(401), false, 2, ""},
		"one that can be read once": {hubtest.Status(503), true, 1, hub.Rejected},
		"once, a token is refused":  {hubtest.Status(401), true, 1, hub.Unauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			peer, trust := peers(t, 1)
			srv := peer[0]
			h := open(t, trust).Tenant("acme")
			con := tokenConnector(t, h, srv, func(c *hub.Connector) {
				c.Requests = []hub.Request{{Name: "body", Method: "POST", URL: srv.URL + "/body", BodyFile: "scan", Retry: &hub.Retry{Idempotent: true}}}
			})
			setSecret(t, h, con.ID, "key", "canary-of-the-key")
			srv.Handle("/body", hubtest.Sequence(tt.first, hubtest.Status(200)))
			var opened, closed atomic.Int32
			_, err := upload(t, h, "body", hub.File{Size: 4, Once: tt.once, Open: func(context.Context) (io.ReadCloser, error) {
				opened.Add(1)
				return tracked{strings.NewReader("text"), &closed}, nil
			}})
			if tt.code == "" {
				require.NoError(t, err)
			} else {
				assert.Equal(t, 1, failed(t, err, tt.code).Attempts)
			}
			assert.Equal(t, tt.opened, opened.Load())
			assert.Equal(t, opened.Load(), closed.Load())
			assert.EqualValues(t, tt.opened, received(srv, "/body"))
		})
	}
}

// Where nobody can be reached, nothing was read: the file is as good as new.
func TestAFileIsNotOpenedBeforeThereIsAConnection(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, uploads("https://127.0.0.1:1"), func(c *hub.Connector) { c.Hosts = append(c.Hosts, "127.0.0.1:1") })
	res, err := upload(t, h, "body", hub.File{Once: true, Open: func(context.Context) (io.ReadCloser, error) {
		t.Error("opened")
		return nil, errFull
	}})
	e := failed(t, err, hub.Unreachable)
	assert.Nil(t, res)
	assert.Equal(t, 3, e.Attempts)
}

func TestFilesThatDoNotFitAreRefusedUnsent(t *testing.T) {
	srv := server(t)
	h := open(t, func(o *hub.Options) { o.Limits.UploadBytes = 10 }).Tenant("acme")
	connector(t, h, srv, uploads(srv.URL), manual("none", "GET", srv.URL))
	good := hub.FileBytes("a", "", []byte("x"))
	for name, tt := range map[string]struct {
		request string
		change  func(*hub.File)
		path    string
		rule    string
	}{
		"missing":                {"missing", nil, "files.scan", "required"},
		"nobody asked for it":    {"none", nil, "files.scan", "unknown"},
		"no Open":                {"body", func(f *hub.File) { f.Open = nil }, "files.scan.open", "required"},
		"a line break":           {"form", func(f *hub.File) { f.Name = "a\r\nX: y" }, "files.scan.name", "name"},
		"invalid UTF-8":          {"form", func(f *hub.File) { f.Name = "\xff" }, "files.scan.name", "name"},
		"a long name":            {"form", func(f *hub.File) { f.Name = strings.Repeat("x", 256) }, "files.scan.name", "name"},
		"no media type":          {"form", func(f *hub.File) { f.MediaType = "png" }, "files.scan.mediaType", "media-type"},
		"a media type and more":  {"form", func(f *hub.File) { f.MediaType = "image/png\r\nX: y" }, "files.scan.mediaType", "media-type"},
		"a multipart media type": {"body", func(f *hub.File) { f.MediaType = "multipart/form-data" }, "files.scan.mediaType", "media-type"},
		"too large":              {"body", func(f *hub.File) { f.Size = 11 }, "files.scan.size", "too-large"},
		"negative":               {"body", func(f *hub.File) { f.Size = -1 }, "files.scan.size", "range"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			if tt.change != nil {
				tt.change(&f)
			}
			var err error
			if tt.request == "missing" {
				_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "body"})
			} else {
				_, err = upload(t, h, tt.request, f)
			}
			e := failed(t, err, hub.Invalid)
			assert.Equal(t, tt.path, e.Fields[0].Path)
			assert.Equal(t, tt.rule, e.Fields[0].Rule)
		})
	}
	assert.Empty(t, srv.Requests())
}

func TestFilesThatAreNotWhatTheySay(t *testing.T) {
	srv := server(t)
	h := open(t, func(o *hub.Options) { o.Limits.UploadBytes = 100_000 }).Tenant("acme")
	connector(t, h, srv, uploads(srv.URL))
	of := func(size int64, r io.Reader) hub.File {
		return hub.File{Size: size, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(r), nil }}
	}
	for name, tt := range map[string]struct {
		file hub.File
		code hub.Code
		rule string
		err  error
	}{
		"longer":             {of(5, strings.NewReader("123456")), hub.Invalid, "size", nil},
		"shorter":            {of(7, strings.NewReader("123456")), hub.Invalid, "size", nil},
		"larger than may be": {of(0, &zeros{1 << 20}), hub.Invalid, "too-large", nil},
		"broken":             {of(7, io.MultiReader(strings.NewReader("123"), &broken{})), hub.Aborted, "", errFull},
		"not to be opened":   {hub.File{Open: func(context.Context) (io.ReadCloser, error) { return nil, errFull }}, hub.Aborted, "", errFull},
	} {
		for _, request := range []string{"form", "body"} {
			t.Run(request+" "+name, func(t *testing.T) {
				_, err := upload(t, h, request, tt.file)
				e := failed(t, err, tt.code)
				assert.Equal(t, 1, e.Attempts)
				if tt.rule != "" {
					require.Len(t, e.Fields, 1)
					assert.Equal(t, "files.scan", e.Fields[0].Path)
					assert.Equal(t, tt.rule, e.Fields[0].Rule)
				} else {
					require.ErrorIs(t, err, tt.err)
				}
			})
		}
	}
}

type broken struct{}

func (*broken) Read([]byte) (int, error) { return 0, errFull }

// Files that are too large together are refused before any of them is opened, if they say so.
func TestFilesAreBoundedTogether(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t, func(o *hub.Options) { o.Limits.UploadBytes = 10 }).Tenant("acme")
	connector(t, h, srv, manual("go", "POST", srv.URL, func(r *hub.Request) {
		r.Form = []hub.FormField{{Name: "a", File: "a"}, {Name: "b", File: "b"}, {Name: "again", File: "b"}}
	}))
	for size, fits := range map[int]bool{3: true, 4: false} {
		opened := false
		first := hub.FileBytes("a", "", make([]byte, 10-2*3))
		read := first.Open
		first.Open = func(ctx context.Context) (io.ReadCloser, error) { opened = true; return read(ctx) }
		_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "go", Files: map[string]hub.File{"a": first, "b": hub.FileBytes("b", "", make([]byte, size))}})
		assert.Equal(t, fits, opened)
		if fits {
			require.NoError(t, err)
			continue
		}
		e := failed(t, err, hub.Invalid)
		assert.Equal(t, "files", e.Fields[0].Path)
		assert.False(t, e.Sent)
	}
}

// idle reads nothing until it is closed.
type idle struct {
	read   func()
	closed chan struct{}
}

func (f *idle) Read([]byte) (int, error) {
	f.read()
	runtime.Gosched()
	return 0, nil
}

func (f *idle) Close() error {
	close(f.closed)
	return nil
}

// A file that yields nothing for ever is read no longer than its call lasts.
func TestAFileThatYieldsNothingEndsWithItsCall(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, uploads(srv.URL))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &idle{read: cancel, closed: make(chan struct{})}
	_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "body", Files: map[string]hub.File{
		"scan": {Open: func(context.Context) (io.ReadCloser, error) { return f, nil }},
	}})
	failed(t, err, hub.Canceled)
	<-f.closed
}

// An answer that comes before the file is sent ends the call, and with it the reading.
func TestAnEarlyAnswerEndsAnUpload(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t, func(o *hub.Options) { o.Egress.AllowHTTP = true }).Tenant("acme")
	url, host := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) }))
	connector(t, h, srv, manual("body", "PUT", url, func(r *hub.Request) { r.BodyFile = "scan" }), func(c *hub.Connector) { c.Hosts = []string{host} })
	closed := make(chan struct{})
	r, w := io.Pipe()
	go func() {
		defer close(closed)
		for {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	}()
	_, err := upload(t, h, "body", hub.File{Once: true, Open: func(context.Context) (io.ReadCloser, error) { return r, nil }})
	var e *hub.Error
	require.ErrorAs(t, err, &e) // the connection may break before the answer is read
	assert.Contains(t, []hub.Code{hub.Rejected, hub.BadAnswer}, e.Code)
	<-closed
}

func TestAPlanShowsFilesWithoutReadingThem(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, uploads(srv.URL))
	unread := hub.File{Name: "a.png", MediaType: "image/png", Open: func(context.Context) (io.ReadCloser, error) {
		t.Error("opened")
		return nil, errors.New("opened")
	}}
	for _, files := range []map[string]hub.File{nil, {"scan": unread}} {
		plan, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "form", Payload: []byte(`{"title":"x"}`), Files: files})
		require.NoError(t, err)
		name := map[bool]string{true: `filename="a.png"`, false: `filename="scan"`}[files != nil]
		assert.Contains(t, plan.Body, name)
		assert.Contains(t, plan.Body, "\r\n\r\n{file scan}\r\n--")
		plan, err = h.Plan(t.Context(), hub.Call{Connector: "con", Request: "body", Files: files})
		require.NoError(t, err)
		assert.Equal(t, "{file scan}", plan.Body)
		assert.Contains(t, plan.Parts[len(plan.Parts)-1].Sources, hub.Source{Kind: "file", Name: "scan"})
	}
	assert.Empty(t, srv.Requests())
}

// plainServer is a server over plain HTTP, which remembers nothing.
func plainServer(t testing.TB, handler http.Handler) (url, host string) {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv.URL, strings.TrimPrefix(srv.URL, "http://")
}
