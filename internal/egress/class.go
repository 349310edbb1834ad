package egress

import (
	"net/netip"

	"code.dny.dev/ssrf"
)

// Class says what kind of address an IP address is. Classes are ordered from the worst to
// the best, so that the smaller of two is the one to go by.
type Class uint8

// The classes. Only Public can be connected to unless a [Policy] opens Loopback or Private.
const (
	Invalid   Class = iota // no address at all
	Metadata               // a cloud's metadata or agent service, wherever its address lies
	Reserved               // set aside by IANA, tunnelled, translated, documentation, not global
	Multicast              // RFC 5771, RFC 4291 §2.7
	LinkLocal              // RFC 3927, RFC 4291 §2.5.6, or any address with a zone
	Private                // RFC 1918, RFC 6598 (shared), RFC 4193 (unique local)
	Loopback               // RFC 1122 §3.2.1.3, RFC 4291 §2.5.3
	Public                 // everything else
)

var classNames = [...]string{"invalid", "metadata", "reserved", "multicast", "link-local", "private", "loopback", "public"}

// String returns the class in lower case.
func (c Class) String() string {
	if int(c) >= len(classNames) {
		return classNames[Invalid]
	}
	return classNames[c]
}

// Classify returns the class of an address. An IPv6 address that carries IPv4 addresses
// (mapped, compatible, SIIT, NAT64, 6to4, Teredo, ISATAP) has the worst class among its
// own and theirs. A NAT64 prefix of an operator's own choosing cannot be told from other
// global addresses (RFC 6052 §2.2).
func Classify(a netip.Addr) Class {
	worst := plainClass(a)
	for inner := range embedded(a) {
		worst = min(worst, plainClass(inner))
	}
	return worst
}

// guardian knows the special ranges of the IANA registries.
var guardian = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork())

// plainClass classifies an address by itself. ::ffff:a.b.c.d is the IPv4 address: that is
// what a socket connects to.
func plainClass(a netip.Addr) Class {
	if a.Zone() != "" {
		return min(plainClass(a.WithZone("")), LinkLocal) // prefixes contain no address with a zone
	}
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return Invalid
	case isMetadata(a):
		return Metadata
	case a.IsMulticast():
		return Multicast
	case a.IsLinkLocalUnicast():
		return LinkLocal
	case a.IsPrivate(), sharedSpace.Contains(a):
		return Private
	case a.IsLoopback():
		return Loopback
	case guardian.SafeAddr(a) != nil:
		return Reserved
	}
	return Public
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// metadata lists the services that hand credentials or configuration to whoever can
// connect. Some lie in ranges that look public or that a policy may open.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.169.254/32"),     // most clouds
	netip.MustParsePrefix("169.254.170.0/24"),       // AWS: container and pod credentials
	netip.MustParsePrefix("169.254.42.42/32"),       // Scaleway
	netip.MustParsePrefix("169.254.0.23/32"),        // Tencent Cloud
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure: host agent
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba Cloud
	netip.MustParsePrefix("192.0.0.192/32"),         // Oracle Cloud Classic
	netip.MustParsePrefix("fd00:ec2::/32"),          // AWS: instance metadata, resolver, time, pod credentials
	netip.MustParsePrefix("fd20:ce::254/128"),       // Google Cloud
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle Cloud
	netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
	netip.MustParsePrefix("fe80::a9fe:a9fe/128"),    // OpenStack
}

func isMetadata(a netip.Addr) bool {
	for _, p := range metadata {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
