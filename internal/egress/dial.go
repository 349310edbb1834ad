package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxTries bounds how many of a name's addresses one dial connects to.
const maxTries = 8

// dialer connects to what the policy allows.
type dialer struct {
	policy   Policy
	resolver *net.Resolver
	timeout  time.Duration
	conns    *conns
	net      net.Dialer
}

func newDialer(c Config, conns *conns) *dialer {
	d := &dialer{policy: c.Policy, resolver: c.Resolver, timeout: c.DialTimeout, conns: conns}
	d.net.ControlContext = d.control
	return d
}

// control is asked by the socket itself, with the literal address it is about to connect to.
func (d *dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refusal{Reason: RefusedAddress, Class: Invalid}
	}
	return d.policy.checkAddrPort(ap)
}

// DialContext resolves the host of address, holds every answer against the policy, and
// connects to the first that accepts. Its errors are *DialError, or what ended ctx.
func (d *dialer) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, d.timeout, errDialTimeout)
	defer cancel()
	conn, err := d.dial(bounded, address)
	switch {
	case err == nil:
		return d.conns.track(conn)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case bounded.Err() != nil:
		return nil, &DialError{err: errDialTimeout}
	}
	return nil, &DialError{err: err}
}

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	targets, err := d.resolve(ctx, address)
	if err != nil {
		return nil, err
	}
	for _, ap := range targets {
		if err := d.policy.checkAddrPort(ap); err != nil {
			return nil, err
		}
	}
	return d.connect(ctx, targets[:min(len(targets), maxTries)])
}

// resolve returns where address leads to, at least one place.
func (d *dialer) resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	targets := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		targets[i] = netip.AddrPortFrom(a, uint16(port))
	}
	return targets, nil
}

func (d *dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	if strings.Contains(host, ".") {
		host += "." // the name itself, not one made with the search list
	}
	addrs, err := d.resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addrs) == 0 {
		err = errors.New("the name has no address")
	}
	return addrs, err
}

// connect tries one target after the other, each with its share of the time that is left.
func (d *dialer) connect(ctx context.Context, targets []netip.AddrPort) (net.Conn, error) {
	var errs []error
	for i, target := range targets {
		conn, err := d.connectOne(ctx, target, len(targets)-i)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (d *dialer) connectOne(ctx context.Context, target netip.AddrPort, shares int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && shares > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(shares))
		defer cancel()
	}
	return d.net.DialContext(ctx, "tcp", target.String())
}

// conns are the connections that are open, so that Close can end them. The zero value is
// ready for use.
type conns struct {
	mu     sync.Mutex
	closed bool
	open   map[*conn]struct{}
}

// conn counts what it sends, and takes itself off the list when it is closed.
type conn struct {
	net.Conn
	owner   *conns
	written atomic.Int64
}

// track puts c on the list, or closes it if the list is closed.
func (cs *conns) track(c net.Conn) (net.Conn, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return nil, errors.Join(ErrClosed, c.Close())
	}
	if cs.open == nil {
		cs.open = map[*conn]struct{}{}
	}
	tracked := &conn{Conn: c, owner: cs}
	cs.open[tracked] = struct{}{}
	return tracked, nil
}

// Write counts what reaches the socket.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

// BytesWritten is how many bytes the socket took. It proves to the attempts of a call that
// nothing of a request left the process.
func (c *conn) BytesWritten() int64 { return c.written.Load() }

// Close closes the connection and forgets it.
func (c *conn) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

// closeAll closes all connections and those that are still to come.
func (cs *conns) closeAll() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closed = true
	for c := range cs.open {
		_ = c.Conn.Close() // nobody is left to hear of it
	}
	cs.open = nil
}
