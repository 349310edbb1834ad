package hub_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"io"
	"net"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func compressed(t testing.TB, text string, open func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestAnswersAreDecompressed(t *testing.T) {
	const text = `{"a":"text"}`
	zip := compressed(t, text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	zlibbed := compressed(t, text, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	bare := compressed(t, text, func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, flate.BestCompression)
		require.NoError(t, err)
		return f
	})
	for name, tt := range map[string]struct {
		coding  string
		body    []byte
		failure string // empty: the text arrives
	}{
		"plain":              {"", []byte(text), ""},
		"gzip":               {"gzip", zip, ""},
		"deflate, zlib":      {"deflate", zlibbed, ""},
		"deflate, bare":      {"deflate", bare, ""},
		"gzip, cut":          {"gzip", zip[:len(zip)-4], "encoding"},
		"gzip, with a tail":  {"gzip", append(bytes.Clone(zip), "tail"...), "encoding"},
		"gzip, garbled":      {"gzip", append(bytes.Clone(zip[:12]), bytes.Repeat([]byte{0xff}, 20)...), "encoding"},
		"gzip, in name only": {"gzip", []byte(text), "encoding"},
		"br":                 {"br", compressed(t, text, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }), ""},
		"br, in name only":   {"br", []byte(text), "encoding"},
		"zstd": {"zstd", compressed(t, text, func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			require.NoError(t, err)
			return z
		}), ""},
		"zstd, in name only": {"zstd", []byte(text), "encoding"},
		"unknown":            {"compress", []byte(text), "encoding"},
		"two layers":         {"gzip, gzip", compressed(t, string(zip), func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }), "encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			answer := hubtest.Bytes(200, "application/json", tt.body)
			if tt.coding != "" {
				answer = answer.Header("Content-Encoding", tt.coding)
			}
			srv.Handle("/", answer)
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL))
			res, err := execute(t, h, "go")
			if tt.failure == "" {
				require.NoError(t, err)
				assert.Equal(t, "text", res.Get("a").String())
				assert.Empty(t, res.Header.Get("Content-Encoding"))
				return
			}
			e := failed(t, err, hub.BadAnswer)
			assert.Equal(t, 200, e.Status)
			assert.Equal(t, tt.failure, res.Attempts[0].Failure)
			assert.Empty(t, res.Body)
			assert.Equal(t, 1, e.Attempts)
		})
	}
}

// A server that does not speak HTTP, or stops in the middle, yields no answer but a verdict.
func TestAnswersThatAreNotHTTPAreBadAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		raw       string
		failure   string
		retryable bool
	}{
		"garbage":             {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "protocol", false},
		"no status":           {"HTTP/1.1 abc\r\n\r\n", "protocol", false},
		"a broken header":     {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "protocol", false},
		"two lengths":         {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "protocol", false},
		"nothing":             {"", "read", true},
		"half a header":       {"HTTP/1.1 200 OK\r\nA: b\r\n", "read", true},
		"half a body":         {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", "read", true},
		"half a chunk":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234", "read", true},
		"switching protocols": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "protocol", false},
	} {
		t.Run(name, func(t *testing.T) {
			address := serveRaw(t, tt.raw)
			var seen hub.Event
			h := open(t, func(o *hub.Options) {
				o.Egress.AllowHTTP = true
				o.Observer = func(_ context.Context, e hub.Event) { seen = e }
			}).Tenant("acme")
			connector(t, h, hubtest.NewServer(t), manual("go", "POST", "http://"+address), func(c *hub.Connector) { c.Hosts = append(c.Hosts, address) })
			_, err := execute(t, h, "go")
			e := failed(t, err, hub.BadAnswer)
			assert.True(t, e.Sent)
			assert.Equal(t, 1, e.Attempts)
			assert.Equal(t, tt.retryable, e.Retryable)
			require.Len(t, seen.Attempts, 1)
			assert.Equal(t, tt.failure, seen.Attempts[0].Failure)
		})
	}
}

// serveRaw answers each connection with the same bytes, whatever was asked.
func serveRaw(t testing.TB, answer string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096)) // what is asked does not matter
			_, _ = io.WriteString(conn, answer)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn) // until the client has had enough
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}
