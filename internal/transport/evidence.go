package transport

import (
	"context"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"

	"github.com/integrationhub/hub/internal/egress"
)

// evidence gathers what is known about the connections of one attempt. Hooks
// may run on goroutines of the RoundTripper, also after it returned.
type evidence struct {
	stop func() // ends the attempt; nil: nothing has to

	hooks httptrace.ClientTrace

	mu      sync.Mutex // guards all below
	conns   int
	address egress.Class // of the last connection
	used    bool         // the last connection had served before
	meter   meter        // of the last connection, nil if it has none
	before  int64        // what meter said when the attempt got it
	headers bool         // the last connection was given the whole header, if the trace was to tell
	dirty   bool         // an earlier connection may have taken bytes
	stopped bool
}

// trace are the hooks for one attempt. once: the request must be kept from being sent again,
// and stop is there.
func (e *evidence) trace(once bool) *httptrace.ClientTrace {
	e.hooks.GotConn = e.gotConn
	if once {
		e.hooks.WroteHeaders = e.wroteHeaders
	}
	return &e.hooks
}

// gotConn notes a connection. A second one means that net/http is about to
// send the request again. Over HTTP/2 it does so for any request without a
// body, also after errors that do not prove the first unprocessed; it looks
// at the context before it writes, so stopping here keeps the request back.
func (e *evidence) gotConn(info httptrace.GotConnInfo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	moved := e.moved()
	if moved && e.headers {
		e.stopped = true
		e.stop()
	}
	e.dirty = e.dirty || moved
	e.conns++
	e.used, e.headers = info.Reused, false
	e.address = classOf(info.Conn)
	e.meter = meterOf(info.Conn)
	if e.meter != nil {
		e.before = e.meter.BytesWritten()
	}
}

func (e *evidence) wroteHeaders() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.headers = true
}

// moved says that the last connection may have taken bytes of the request. A
// request is written at once to the connection it got, so without a
// meter having got one is all there is to know.
func (e *evidence) moved() bool {
	return e.conns > 0 && (e.meter == nil || e.meter.BytesWritten() != e.before)
}

// report writes down what the round trip that ended with err has shown.
func (e *evidence) report(ctx context.Context, err error, a *Attempt) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a.Sent, a.Reused, a.Resends = e.sent(ctx, err), e.used, max(0, e.conns-1)
	a.Address = e.address
}

// sent judges the round trip. While a write may still be under way, which is
// so after the context ended it or a timer of the RoundTripper did, the meter
// proves nothing.
func (e *evidence) sent(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil || isTimeout(err) {
		return err == nil || e.conns > 0
	}
	return e.dirty || e.moved()
}

// state returns what decides how an error is named.
func (e *evidence) state() (connected, stopped bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conns > 0, e.stopped
}

// meter is what a connection offers that counts what it wrote.
type meter interface{ BytesWritten() int64 }

// classOf is the class of the address that a connection leads to.
func classOf(c net.Conn) egress.Class {
	if c == nil { // a RoundTripper that tells no more
		return egress.Invalid
	}
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return egress.Classify(tcp.AddrPort().Addr())
	}
	return egress.Invalid
}

// meterOf finds the meter of a connection or of the one that TLS runs on.
func meterOf(c net.Conn) meter {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	m, _ := c.(meter)
	return m
}

// Meter wraps a connection so that an attempt on it can prove that no byte of
// its request was written. A dialer that applies it makes a request which
// must not be sent twice repeatable when it met a kept-alive connection that
// had died. Without it such a request fails.
func Meter(c net.Conn) net.Conn { return &meteredConn{Conn: c} }

type meteredConn struct {
	net.Conn
	written atomic.Int64
}

func (m *meteredConn) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.written.Add(int64(n))
	return n, err
}

// BytesWritten returns how many bytes the connection took so far.
func (m *meteredConn) BytesWritten() int64 { return m.written.Load() }
