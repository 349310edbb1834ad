package egress_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/integrationhub/hub/internal/egress"
)

// received collects the requests that reached a server.
type received struct {
	mu   sync.Mutex
	list []string
}

func (r *received) add(format string, args ...any) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, fmt.Sprintf(format, args...))
	return len(r.list)
}

func (r *received) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.list...)
}

// accept runs handle for each connection to a new listener until the test is over.
func accept(t *testing.T, handle func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return portOf(l)
}

// dying answers the first request and hangs up on each one after it, once it has read it.
func dying(t *testing.T) (uint16, *received) {
	t.Helper()
	got := &received{}
	port := accept(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			if got.add("%s %q %q", req.Method, body, req.TransferEncoding) > 1 {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	return port, got
}

func TestNothingIsSentTwiceOverHTTP1(t *testing.T) {
	key := http.Header{"Idempotency-Key": {"k"}}
	xkey := http.Header{"X-Idempotency-Key": {"k"}}
	for _, tc := range []struct {
		name, method, body string
		header             http.Header
		want               int
	}{
		{"GET may be", http.MethodGet, "", nil, 3},
		{"GET with a body", http.MethodGet, "x", nil, 2},
		{"POST", http.MethodPost, "", nil, 2},
		{"POST with a body", http.MethodPost, "x", nil, 2},
		{"POST with a key", http.MethodPost, "", key, 2},
		{"POST with the other key", http.MethodPost, "", xkey, 2},
		{"POST with a key and a body", http.MethodPost, "x", key, 2},
		{"PUT with a key", http.MethodPut, "", key, 2},
		{"DELETE with a key", http.MethodDelete, "", key, 2},
		{"PATCH with a key", http.MethodPatch, "", key, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			port, got := dying(t)
			rt := open(t, egress.Config{Policy: loopback}).Transport(nil)
			_, _, err := get(t, rt, "http://127.0.0.1:%d/", port)
			require.NoError(t, err)

			req, err := http.NewRequest(tc.method, fmt.Sprintf("http://127.0.0.1:%d/", port), bytes.NewReader([]byte(tc.body)))
			require.NoError(t, err)
			if tc.header != nil {
				req.Header = tc.header.Clone()
			}
			_, _, err = send(t, rt, req)
			require.Error(t, err)
			assert.Len(t, got.all(), tc.want, "%q", got.all())
			assert.Equal(t, fmt.Sprintf("%s %q []", tc.method, tc.body), got.all()[1], "no chunks")
			assert.NotNil(t, req.GetBody, "the caller's request is left alone")
			if tc.header != nil {
				assert.Equal(t, tc.header, req.Header)
			}
		})
	}
}

func TestHiddenKeyReachesTheServer(t *testing.T) {
	_, port := plain(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["Idempotency-Key"], r.ContentLength)
	})
	rt := open(t, egress.Config{Policy: loopback}).Transport(nil)
	req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
	require.NoError(t, err)
	req.Header.Set("Idempotency-Key", "k-1")
	_, body, err := send(t, rt, req)
	require.NoError(t, err)
	assert.Equal(t, "[k-1] 0", body)
}

// resetting speaks HTTP/2 and resets each stream with code once it has its request.
func resetting(t *testing.T, ca *authority, code http2.ErrCode) (uint16, *received) {
	t.Helper()
	got := &received{}
	config := &tls.Config{
		Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}, NextProtos: []string{"h2"},
	}
	port := accept(t, func(raw net.Conn) {
		c := tls.Server(raw, config)
		defer func() { _ = c.Close() }()
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(c, c)
		_ = framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = framer.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				got.add("stream %d", f.StreamID)
				if f.StreamEnded() {
					_ = framer.WriteRSTStream(f.StreamID, code)
				}
			case *http2.DataFrame:
				if f.StreamEnded() {
					_ = framer.WriteRSTStream(f.StreamID, code)
				}
			}
		}
	})
	return port, got
}

func TestNothingIsSentTwiceOverHTTP2(t *testing.T) {
	ca := newAuthority(t)
	for _, code := range []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeRefusedStream} {
		for _, body := range []string{"", "x"} {
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				t.Run(fmt.Sprintf("%s %q %v", method, body, code), func(t *testing.T) {
					port, got := resetting(t, ca, code)
					rt := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()}).Transport(nil)
					req, err := http.NewRequest(method, fmt.Sprintf("https://127.0.0.1:%d/", port), strings.NewReader(body))
					require.NoError(t, err)
					req.Header.Set("Idempotency-Key", "k")
					_, _, err = send(t, rt, req)
					require.Error(t, err)
					assert.NotErrorIs(t, err, context.Canceled, "nobody cancelled")
					assert.False(t, egress.Unreachable(err))
					assert.Len(t, got.all(), 1)
				})
			}
		}
	}
}

func TestCancelledCallIsCancelled(t *testing.T) {
	begun := make(chan struct{})
	_, port := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	rt := open(t, egress.Config{Policy: loopback}).Transport(nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
	require.NoError(t, err)
	_, err = rt.RoundTrip(req)
	assert.ErrorIs(t, err, context.Canceled)
}

// foreign is a context that package context knows nothing of: whatever hangs on it costs a
// goroutine until it is given up.
type foreign struct{ context.Context }

func (foreign) Done() <-chan struct{} { return make(chan struct{}) }

// TestContextIsGivenUp leaves a goroutine to the check for leaks if closing the body does not
// end the context that the request was sent with.
func TestContextIsGivenUp(t *testing.T) {
	_, port := plain(t, hello)
	rt := open(t, egress.Config{Policy: loopback}).Transport(nil)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		req, err := http.NewRequestWithContext(foreign{t.Context()}, method, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
		require.NoError(t, err)
		res, err := rt.RoundTrip(req)
		require.NoError(t, err)
		assert.Same(t, req, res.Request)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
}
