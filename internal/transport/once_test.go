package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// mortal is a raw HTTP/1.1 server that counts as a side effect each request
// whose header came whole, and dies where it is told: after so many bytes of the
// request that is not the first on its connection ("warm"), or of its answer.
type mortal struct {
	listener net.Listener
	address  string

	readOnly  int // die after this many bytes of the request; negative: never
	writeOnly int // die after this many bytes of the answer; negative: never

	effects atomic.Int32
	seen    atomic.Int32 // bytes of the longest request after the warm-up
	wg      sync.WaitGroup
}

func newMortal(t testing.TB, readOnly, writeOnly int) *mortal {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mortal{listener: l, address: "http://" + l.Addr().String() + "/", readOnly: readOnly, writeOnly: writeOnly}
	m.wg.Go(m.serve)
	t.Cleanup(func() {
		_ = l.Close()
		m.wg.Wait()
	})
	return m
}

func (m *mortal) serve() {
	for {
		c, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.wg.Go(func() { m.converse(c) })
	}
}

func (m *mortal) converse(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		if warm, err := in.Peek(len("GET /warm")); err != nil || string(warm) != "GET /warm" {
			break
		}
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		if _, err := io.WriteString(c, okAnswer); err != nil {
			return
		}
	}
	m.last(c, in)
}

// last takes in the request that counts.
func (m *mortal) last(c net.Conn, in *bufio.Reader) {
	var got bytes.Buffer
	tee := bufio.NewReaderSize(io.TeeReader(oneByte{in}, &got), 16)
	if m.readOnly >= 0 {
		_, _ = io.CopyN(io.Discard, tee, int64(m.readOnly))
		if bytes.Contains(got.Bytes(), []byte("\r\n\r\n")) {
			m.effects.Add(1)
		}
		return
	}
	r, err := http.ReadRequest(tee)
	if err != nil {
		return
	}
	m.effects.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	m.seen.Store(int32(got.Len()))
	answer := okAnswer
	if m.writeOnly >= 0 {
		answer = answer[:m.writeOnly]
	}
	_, _ = io.WriteString(c, answer)
}

// oneByte reads singly, so that a byte counts as read only when it was asked for.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// unsafeRequests are all requests that must not be repeated.
var unsafeRequests = map[string]func(*transport.Request){
	"POST":                        func(r *transport.Request) { r.Body = []byte(`{"amount":1}`) },
	"POST with key":               func(r *transport.Request) { r.Body = []byte("x"); r.Header = key("Idempotency-Key") },
	"empty POST":                  func(*transport.Request) {},
	"empty POST with key":         func(r *transport.Request) { r.Header = key("Idempotency-Key") },
	"empty POST with X-key":       func(r *transport.Request) { r.Header = key("X-Idempotency-Key") },
	"empty PATCH with key":        func(r *transport.Request) { r.Method = "PATCH"; r.Header = key("Idempotency-Key") },
	"key set when it is prepared": func(r *transport.Request) { r.Prepare = setKey },
}

func key(name string) http.Header { return http.Header{name: {"k-1"}} }

func setKey(_ context.Context, _ int, r *http.Request) error {
	r.Header.Set("Idempotency-Key", "k-1")
	return nil
}

// send warms a connection up, so that net/http has one to reuse, and sends the request over it.
func send(t testing.TB, m *mortal, via *http.Transport, change func(*transport.Request)) transport.Outcome {
	client := transport.New(nil)
	warm := client.Do(t.Context(), to(t, "GET", m.address+"warm", via), &transport.Policy{})
	require.NoError(t, warm.Err)
	req := to(t, "POST", m.address, via)
	change(&req)
	return client.Do(t.Context(), req, &transport.Policy{BaseWait: -1})
}

func TestARequestIsSentOnceWhereverTheServerDies(t *testing.T) {
	for name, change := range unsafeRequests {
		t.Run(name, func(t *testing.T) {
			whole := newMortal(t, -1, -1)
			out := send(t, whole, overTCP(t), change)
			require.NoError(t, out.Err)
			length := int(whole.seen.Load())
			require.Greater(t, length, 50)
			for offset := range length {
				m := newMortal(t, offset, -1)
				out := send(t, m, overTCP(t), change)
				require.LessOrEqual(t, m.effects.Load(), int32(1), "died after %d bytes of the request", offset)
				require.True(t, m.effects.Load() == 0 || out.Sent(), "at %d", offset)
				require.Error(t, out.Err)
			}
			for offset := range len(okAnswer) {
				m := newMortal(t, -1, offset)
				out := send(t, m, overTCP(t), change)
				require.Equal(t, int32(1), m.effects.Load(), "died after %d bytes of the answer", offset)
				require.Len(t, out.Attempts, 1)
				require.True(t, out.Sent())
				require.Contains(t, []transport.Kind{transport.Read, transport.Protocol}, kindOf(t, out))
			}
		})
	}
}

func TestAnIdempotentRequestIsRepeatedWhereverTheServerDies(t *testing.T) {
	for _, offset := range []int{0, 1, 16, len(okAnswer) - 1} {
		m := newMortal(t, -1, offset)
		out := send(t, m, overTCP(t), func(r *transport.Request) { r.Method = "PUT"; r.Body = []byte("x") })
		assert.Equal(t, int32(3), m.effects.Load())
		assert.Len(t, out.Attempts, 3)
	}
}

func TestAnEmptyPostKeepsItsShape(t *testing.T) {
	var got *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer srv.Close()
	req := to(t, "POST", srv.URL, overTCP(t))
	req.Header = key("Idempotency-Key")
	require.NoError(t, transport.New(nil).Do(t.Context(), req, &transport.Policy{}).Err)
	assert.Equal(t, "0", got.Header.Get("Content-Length"))
	assert.Empty(t, got.TransferEncoding)
	assert.Equal(t, "k-1", got.Header.Get("Idempotency-Key"))
	assert.Equal(t, "k-1", req.Header.Get("Idempotency-Key"), "the caller's header is unchanged")
}

// dead is a connection that takes no byte if it is broken.
type dead struct {
	net.Conn
	broken bool
}

func (d dead) Write(p []byte) (int, error) {
	if d.broken {
		return 0, &net.OpError{Op: "write", Err: syscall.EPIPE}
	}
	return d.Conn.Write(p)
}

func TestAMeterProvesThatNothingWasSent(t *testing.T) {
	for name, meter := range map[string]func(net.Conn) net.Conn{
		"metered": transport.Meter, "not metered": func(c net.Conn) net.Conn { return c },
	} {
		t.Run(name, func(t *testing.T) {
			handler, count := always(200)
			srv := httptest.NewServer(handler)
			defer srv.Close()
			via := overTCP(t)
			var d net.Dialer
			var dials atomic.Int32
			via.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := d.DialContext(ctx, network, addr)
				return meter(dead{c, dials.Add(1) == 1}), err
			}
			client := transport.New(nil)
			req := to(t, "POST", srv.URL, via)
			req.Body = []byte("x")
			out := client.Do(t.Context(), req, &transport.Policy{BaseWait: -1})
			if name == "metered" {
				require.NoError(t, out.Err)
				assert.Len(t, out.Attempts, 2)
				assert.False(t, out.Attempts[0].Sent)
				assert.Equal(t, 1, count())
				return
			}
			assert.Equal(t, transport.Read, kindOf(t, out))
			assert.Len(t, out.Attempts, 1)
			assert.True(t, out.Attempts[0].Sent)
			assert.Zero(t, count())
		})
	}
}

func TestGetsMayChangeConnectionAndAreCounted(t *testing.T) {
	m := newMortal(t, -1, 0)
	out := send(t, m, overTCP(t), func(r *transport.Request) { r.Method = "GET" })
	sent := len(out.Attempts)
	for _, a := range out.Attempts {
		sent += a.Resends
	}
	assert.EqualValues(t, m.effects.Load(), sent)
	assert.Equal(t, transport.Read, kindOf(t, out))
}

func TestOnceOverHTTP2(t *testing.T) {
	for name, change := range unsafeRequests {
		t.Run(name, func(t *testing.T) {
			var effects atomic.Int32
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/warm" {
					return
				}
				assert.Equal(t, 2, r.ProtoMajor)
				effects.Add(1)
				panic(http.ErrAbortHandler)
			}))
			srv.EnableHTTP2 = true
			srv.StartTLS()
			defer srv.Close()
			via := metered(srv.Client().Transport.(*http.Transport).Clone())
			defer via.CloseIdleConnections()
			client := transport.New(nil)
			require.NoError(t, client.Do(t.Context(), to(t, "GET", srv.URL+"/warm", via), &transport.Policy{}).Err)
			req := to(t, "POST", srv.URL+"/", via)
			change(&req)
			out := client.Do(t.Context(), req, &transport.Policy{BaseWait: -1})
			assert.Equal(t, transport.Read, kindOf(t, out))
			assert.Equal(t, int32(1), effects.Load())
			assert.True(t, out.Sent())
		})
	}
}

// twice is a RoundTripper that behaves as net/http over HTTP/2 does after a
// stream error: it takes another connection and goes on, unless the context ended.
type twice struct{ writes atomic.Int32 }

func (w *twice) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := traceOf(r)
	for range 2 {
		trace.GotConn(connInfo())
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		w.writes.Add(1)
		if trace.WroteHeaders != nil {
			trace.WroteHeaders()
		}
	}
	return nil, errors.New("stream error: stream ID 3; PROTOCOL_ERROR; received from peer")
}

func TestASecondStreamIsHeldBack(t *testing.T) {
	for method, want := range map[string]int32{"POST": 1, "PATCH": 1, "GET": 2} {
		via := &twice{}
		out := transport.New(nil).Do(t.Context(), to(t, method, here, via), &transport.Policy{Attempts: 1})
		assert.Equal(t, want, via.writes.Load(), method)
		assert.Equal(t, transport.Read, kindOf(t, out), method)
		assert.True(t, out.Sent())
		assert.Equal(t, 1, out.Attempts[0].Resends)
	}
}

// countingConn counts writes.
type countingConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func TestASmallRequestIsOneWrite(t *testing.T) {
	handler, _ := always(200)
	srv := httptest.NewServer(handler)
	defer srv.Close()
	var writes atomic.Int32
	via := overTCP(t)
	var d net.Dialer
	via.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		return countingConn{c, &writes}, err
	}
	req := to(t, "POST", srv.URL, via)
	for n, size := range []int{0, 1, 2000} {
		req.Body = bytes.Repeat([]byte("x"), size)
		require.NoError(t, transport.New(nil).Do(t.Context(), req, &transport.Policy{}).Err)
		assert.EqualValues(t, n+1, writes.Load(), strconv.Itoa(size)+" bytes")
	}
}

// quitter gives up between the first attempt and the next one.
type quitter struct {
	watcher
	giveUp func()
}

func (q *quitter) AttemptEnds(context.Context, *transport.Attempt) {
	time.AfterFunc(20*time.Millisecond, q.giveUp)
}

func TestThePoolOutlivesACallThatGaveUp(t *testing.T) {
	handler, _ := always(503, "Retry-After", "30")
	srv := httptest.NewServer(handler)
	defer srv.Close()
	var dials atomic.Int32
	via := overTCP(t)
	var d net.Dialer
	via.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return d.DialContext(ctx, network, addr)
	}
	client := transport.New(nil)
	ctx, cancel := context.WithCancel(t.Context())
	req := to(t, "GET", srv.URL, via)
	out := client.Do(ctx, req, &transport.Policy{MaxRetryAfter: -1})
	require.Equal(t, 503, out.Answer.Status)
	req.Watcher = &quitter{giveUp: cancel}
	out = client.Do(ctx, req, &transport.Policy{})
	require.Equal(t, transport.Canceled, kindOf(t, out))
	req.Watcher = nil
	out = client.Do(t.Context(), req, &transport.Policy{Attempts: 1})
	assert.True(t, out.Attempts[0].Reused)
	assert.Equal(t, int32(1), dials.Load())
}
