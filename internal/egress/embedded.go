package egress

import (
	"iter"
	"net/netip"
)

// embedding is one way of carrying an IPv4 address in an IPv6 address.
type embedding struct {
	prefix netip.Prefix
	at     [4]int // which bytes hold the IPv4 address
	flip   byte   // what each of them is xored with
}

var (
	last4     = [4]int{12, 13, 14, 15}
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	localNat  = netip.MustParsePrefix("64:ff9b:1::/48")
	teredo    = netip.MustParsePrefix("2001::/32")
	anyPrefix = netip.MustParsePrefix("::/0")
)

// embeddings are the forms with a prefix of their own. Where IPv4 stands after a prefix of
// 48, 56 or 64 bits is in RFC 6052 §2.2: the byte at 8 is skipped.
var embeddings = []embedding{
	{prefix: netip.MustParsePrefix("::/96"), at: last4},                  // IPv4-compatible, RFC 4291 §2.5.5.1
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), at: last4},        // SIIT, RFC 2765 §2.1
	{prefix: nat64, at: last4},                                           // RFC 6052 §2.1
	{prefix: localNat, at: [4]int{6, 7, 9, 10}},                          // RFC 8215, as /48
	{prefix: localNat, at: [4]int{7, 9, 10, 11}},                         // as /56
	{prefix: localNat, at: [4]int{9, 10, 11, 12}},                        // as /64
	{prefix: localNat, at: last4},                                        // as /96
	{prefix: netip.MustParsePrefix("2002::/16"), at: [4]int{2, 3, 4, 5}}, // 6to4, RFC 3056 §2
	{prefix: teredo, at: [4]int{4, 5, 6, 7}},                             // Teredo server, RFC 4380 §4
	{prefix: teredo, at: last4, flip: 0xff},                              // Teredo client
}

// isatap is the form that works under every prefix, RFC 5214 §6.1.
var isatap = embedding{prefix: anyPrefix, at: last4}

// embedded yields each IPv4 address that a may carry, by every reading that fits. Mapped
// addresses are not among them: they are IPv4 addresses.
func embedded(a netip.Addr) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		a = a.WithZone("")
		if !a.Is6() || a.Is4In6() || a.IsLoopback() || a.IsUnspecified() {
			return // :: and ::1 have the IPv4-compatible form, and are not of it
		}
		b := a.As16()
		for _, e := range embeddings {
			if e.prefix.Contains(a) && !yield(e.extract(b)) {
				return
			}
		}
		if isISATAP(b) {
			yield(isatap.extract(b))
		}
	}
}

func (e embedding) extract(b [16]byte) netip.Addr {
	var v4 [4]byte
	for i, at := range e.at {
		v4[i] = b[at] ^ e.flip
	}
	return netip.AddrFrom4(v4)
}

// isISATAP reports whether the interface identifier is ::5efe:a.b.c.d, with any setting of
// the universal and group bits.
func isISATAP(b [16]byte) bool {
	return b[8]&^0x03 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
