package egress

import (
	"net/netip"
	"net/url"
	"slices"
)

// Policy is what the host application opened for everything its users do. The zero Policy
// is HTTPS to public addresses on port 443. Which hosts a connector may call is a matter of
// [Rules], which only narrow this further.
type Policy struct {
	// AllowLoopback opens 127.0.0.0/8 and ::1.
	AllowLoopback bool

	// AllowPrivate opens the private ranges of IPv4 and IPv6 and the shared range
	// 100.64.0.0/10. Link-local addresses stay closed, and so do metadata services that
	// lie in these ranges.
	AllowPrivate bool

	// AllowHTTP opens plain HTTP, and port 80 with it.
	AllowHTTP bool

	// AllowPorts are ports open besides 443.
	AllowPorts []int

	// AllowAnyPort opens all ports.
	AllowAnyPort bool
}

// CheckURL holds scheme, host form and port against the policy, before anything is resolved
// or sent. The error is a *Refusal. u is as [ParseURL] made it, or refused.
func (p Policy) CheckURL(u *url.URL) error {
	if u.Scheme != "https" && (u.Scheme != "http" || !p.AllowHTTP) {
		return &Refusal{Reason: RefusedScheme}
	}
	if !isCanonical(u) {
		return &Refusal{Reason: RefusedHost}
	}
	_, port := HostPort(u)
	return p.checkPort(port)
}

func (p Policy) checkPort(port int) error {
	open := port == 443 || port == 80 && p.AllowHTTP || slices.Contains(p.AllowPorts, port)
	if open || p.AllowAnyPort && port > 0 {
		return nil
	}
	return &Refusal{Reason: RefusedPort}
}

// CheckAddr holds an address, and each IPv4 address it carries, against the policy. The
// error is a *Refusal with the class of the first that is not open.
func (p Policy) CheckAddr(a netip.Addr) error {
	if c := plainClass(a); !p.opens(c) {
		return &Refusal{Reason: RefusedAddress, Class: c, Addr: a}
	}
	for inner := range embedded(a) {
		if c := plainClass(inner); !p.opens(c) {
			return &Refusal{Reason: RefusedAddress, Class: c, Addr: a}
		}
	}
	return nil
}

func (p Policy) opens(c Class) bool {
	switch c {
	case Public:
		return true
	case Loopback:
		return p.AllowLoopback
	case Private:
		return p.AllowPrivate
	}
	return false
}

func (p Policy) checkAddrPort(ap netip.AddrPort) error {
	if err := p.checkPort(int(ap.Port())); err != nil {
		return err
	}
	return p.CheckAddr(ap.Addr())
}
