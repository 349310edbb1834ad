package egress

import (
	"context"
	"syscall"
)

// OnConnect has f called with each address a socket is about to connect to after the policy
// let it; an error of f keeps it from connecting. It is for tests and internal/proof, is called
// before e is used, and can open nothing that the policy shuts.
func (e *Egress) OnConnect(f func(address string) error) {
	decide := e.dialer.net.ControlContext
	e.dialer.net.ControlContext = func(ctx context.Context, network, address string, raw syscall.RawConn) error {
		if err := decide(ctx, network, address, raw); err != nil {
			return err
		}
		return f(address)
	}
}
