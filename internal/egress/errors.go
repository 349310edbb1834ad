package egress

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
)

// ErrClosed is what a round trip returns after Close.
var ErrClosed = errors.New("egress is closed")

// unreachableText is all that anyone reads of a dial that failed, whatever the cause.
const unreachableText = "host unreachable"

// SyntaxError says which rule a host, URL, host rule or header breaks. Its text holds the
// rule and nothing of the input.
type SyntaxError struct {
	What string // "host", "URL", "host rule", "header name" or "header value"
	Rule string // what it should have been, as in "must be absolute"
}

// Error returns what is wrong, without the input.
func (e *SyntaxError) Error() string { return e.What + " " + e.Rule }

// Reason says which part of a request a policy refused.
type Reason string

// The reasons of a Refusal.
const (
	RefusedScheme  Reason = "scheme"
	RefusedPort    Reason = "port"
	RefusedHost    Reason = "host" // not in canonical form, or other than the Host header
	RefusedAddress Reason = "address"
)

// Refusal is a request that the policy does not let out. It is found by errors.As through
// whatever net/http wraps around it. A refused address reads like any host that does not
// answer; the fields are for the host application's log and not for tenants.
type Refusal struct {
	Reason Reason
	Class  Class      // of the address; only for RefusedAddress
	Addr   netip.Addr // the refused address; only for RefusedAddress
}

// Error returns a text that is safe to show to anyone.
func (r *Refusal) Error() string {
	if r.Reason == RefusedAddress {
		return unreachableText
	}
	return string(r.Reason) + " not allowed"
}

// LogValue gives a log the detail that Error keeps back.
func (r *Refusal) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("refused", string(r.Reason))}
	if r.Reason == RefusedAddress {
		attrs = append(attrs, slog.String("class", r.Class.String()), slog.String("addr", r.Addr.String()))
	}
	return slog.GroupValue(attrs...)
}

// DialError is a connection that could not be made: the name has no address, an address is
// refused, the port is closed, or nobody answered within the dial timeout. Its text does
// not tell these apart. Unwrap does, for the host application's log only.
type DialError struct{ err error }

// Error returns the one text of all failed dials.
func (e *DialError) Error() string { return unreachableText }

// Unwrap returns the cause, whose text may name addresses and resolvers.
func (e *DialError) Unwrap() error { return e.err }

// errDialTimeout stands in for a deadline of the dialer's own, so that nobody takes it for
// the caller's.
var errDialTimeout = errors.New("dial timed out")

// Unreachable reports whether err says that no connection to the host came about: refused
// by policy, closed, filtered, or without an address. Callers show one text for all of these.
func Unreachable(err error) bool {
	if dial, ok := errors.AsType[*DialError](err); ok && dial != nil {
		return true
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Reason == RefusedAddress
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
