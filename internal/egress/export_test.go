package egress

import (
	"context"
	"net"
	"net/netip"
)

// Dial makes a connection as the transports do.
func (e *Egress) Dial(ctx context.Context, address string) (net.Conn, error) {
	return e.dialer.DialContext(ctx, "tcp", address)
}

// ConnectUnchecked connects to a literal address as if it had passed every check before
// the socket's own.
func (e *Egress) ConnectUnchecked(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	return e.dialer.connect(ctx, []netip.AddrPort{target})
}

// Pools returns how many identities have connections.
func (e *Egress) Pools() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.recent.Len()
}

// OpenConns returns how many connections are open.
func (e *Egress) OpenConns() int {
	e.conns.mu.Lock()
	defer e.conns.mu.Unlock()
	return len(e.conns.open)
}

// CanonicalHostOfAny is the whole way of CanonicalHost, PlainAuthority
// and CanonicalAuthority the quick and the whole one of a URL's host and port.
var (
	PlainAuthority     = plainAuthority
	CanonicalAuthority = isCanonicalAuthority
	CanonicalHostOfAny = canonicalHost
)
