package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a listener whose connections are pipes: under synctest a
// goroutine that waits for one counts as blocked, and time goes on.
type network struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.done:
		return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory serves h over pipes and returns the way to it.
func inMemory(t testing.TB, h http.HandlerFunc) *http.Transport {
	n := newNetwork()
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(n) }()
	via := &http.Transport{DialContext: n.dial, DisableCompression: true, MaxResponseHeaderBytes: 256 << 10}
	t.Cleanup(func() {
		via.CloseIdleConnections()
		_ = srv.Close()
	})
	return via
}

// overTCP returns a transport for real sockets.
func overTCP(t testing.TB) *http.Transport {
	via := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 256 << 10}
	t.Cleanup(via.CloseIdleConnections)
	return via
}

// metered makes via's connections prove what was written to them.
func metered(via *http.Transport) *http.Transport {
	var d net.Dialer
	via.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return transport.Meter(c), nil
	}
	return via
}

func to(t testing.TB, method, address string, via http.RoundTripper) transport.Request {
	u, err := url.Parse(address)
	require.NoError(t, err)
	return transport.Request{Method: method, URL: u, Via: via}
}

const here = "http://upstream.test/path?api_key=canary"

// always answers each request with one status and its number as the body.
func always(status int, header ...string) (http.HandlerFunc, func() int) {
	var mu sync.Mutex
	count := 0
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		count++
		n := count
		mu.Unlock()
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strconv.Itoa(n))
	}
	return handler, func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}
}

func kindOf(t testing.TB, out transport.Outcome) transport.Kind {
	if out.Err == nil {
		return ""
	}
	var f *transport.Failure
	require.ErrorAs(t, out.Err, &f)
	return f.Kind
}
