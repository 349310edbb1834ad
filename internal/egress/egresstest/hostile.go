// Package egresstest has the addresses that no connector may reach, and a DNS that leads to
// them, for the tests of package egress and for internal/proof.
package egresstest

import (
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/integrationhub/hub/internal/egress"
)

// V4 are IPv4 addresses that no connector may reach under the zero policy.
var V4 = map[string]egress.Class{
	"0.0.0.0":         egress.Reserved,
	"0.1.2.3":         egress.Reserved,
	"10.0.0.1":        egress.Private,
	"10.255.255.255":  egress.Private,
	"100.64.0.1":      egress.Private,
	"100.127.255.255": egress.Private,
	"100.100.100.200": egress.Metadata,
	"127.0.0.1":       egress.Loopback,
	"127.255.255.255": egress.Loopback,
	"168.63.129.16":   egress.Metadata,
	"169.254.0.1":     egress.LinkLocal,
	"169.254.0.23":    egress.Metadata,
	"169.254.42.42":   egress.Metadata,
	"169.254.169.253": egress.LinkLocal,
	"169.254.169.254": egress.Metadata,
	"169.254.170.2":   egress.Metadata,
	"169.254.170.23":  egress.Metadata,
	"172.16.0.1":      egress.Private,
	"172.31.255.255":  egress.Private,
	"192.0.0.1":       egress.Reserved,
	"192.0.0.192":     egress.Metadata,
	"192.0.2.1":       egress.Reserved,
	"192.31.196.1":    egress.Reserved,
	"192.52.193.1":    egress.Reserved,
	"192.88.99.1":     egress.Reserved,
	"192.168.0.1":     egress.Private,
	"192.168.255.255": egress.Private,
	"192.175.48.1":    egress.Reserved,
	"198.18.0.1":      egress.Reserved,
	"198.19.255.255":  egress.Reserved,
	"198.51.100.1":    egress.Reserved,
	"203.0.113.1":     egress.Reserved,
	"224.0.0.1":       egress.Multicast,
	"239.255.255.255": egress.Multicast,
	"240.0.0.1":       egress.Reserved,
	"255.255.255.255": egress.Reserved,
}

// V6 are IPv6 addresses of the same kind that carry no IPv4 address.
var V6 = map[string]egress.Class{
	"::":                 egress.Reserved,
	"::1":                egress.Loopback,
	"64:ff9b:2::1":       egress.Reserved,
	"100::1":             egress.Reserved,
	"2001:2::1":          egress.Reserved,
	"2001:20::1":         egress.Reserved,
	"2001:db8::1":        egress.Reserved,
	"2620:4f:8000::1":    egress.Reserved,
	"3fff::1":            egress.Reserved,
	"3fff:fff::1":        egress.Reserved,
	"4000::1":            egress.Reserved,
	"5f00::1":            egress.Reserved,
	"1fff::1":            egress.Reserved,
	"fc00::1":            egress.Private,
	"fd12:3456:789a::1":  egress.Private,
	"fd00:ec2::254":      egress.Metadata,
	"fd00:ec2::23":       egress.Metadata,
	"fd00:c1::a9fe:a9fe": egress.Metadata,
	"fd00:42::42":        egress.Metadata,
	"fd20:ce::254":       egress.Metadata,
	"fe80::1":            egress.LinkLocal,
	"febf::1":            egress.LinkLocal,
	"fe80::a9fe:a9fe":    egress.Metadata,
	"fe80::1%eth0":       egress.LinkLocal,
	"2606:4700::1111%lo": egress.LinkLocal,
	"fec0::1":            egress.Reserved,
	"ff02::1":            egress.Multicast,
	"ff0e::1":            egress.Multicast,
}

// Embeddings write an IPv4 address, as eight hexadecimal digits, into an IPv6 address.
var Embeddings = map[string]func(v4 string) string{
	"mapped":           func(v4 string) string { return strings.Repeat("0", 20) + "ffff" + v4 },
	"compatible":       func(v4 string) string { return strings.Repeat("0", 24) + v4 },
	"SIIT":             func(v4 string) string { return strings.Repeat("0", 16) + "ffff0000" + v4 },
	"NAT64":            func(v4 string) string { return "0064ff9b" + strings.Repeat("0", 16) + v4 },
	"local NAT64 /48":  func(v4 string) string { return "0064ff9b0001" + v4[:4] + "00" + v4[4:] + "0000000000" },
	"local NAT64 /56":  func(v4 string) string { return "0064ff9b000177" + v4[:2] + "00" + v4[2:] + "00000000" },
	"local NAT64 /64":  func(v4 string) string { return "0064ff9b0001777700" + v4 + "000000" },
	"local NAT64 /96":  func(v4 string) string { return "0064ff9b0001" + strings.Repeat("7", 12) + v4 },
	"6to4":             func(v4 string) string { return "2002" + v4 + strings.Repeat("0", 18) + "01" },
	"Teredo server":    func(v4 string) string { return "20010000" + v4 + "0000ffff" + flip("08080808") },
	"Teredo client":    func(v4 string) string { return "20010000" + "08080808" + "0000ffff" + flip(v4) },
	"ISATAP":           func(v4 string) string { return "2606470000000000" + "00005efe" + v4 },
	"ISATAP, u":        func(v4 string) string { return "2606470000000000" + "02005efe" + v4 },
	"ISATAP, g":        func(v4 string) string { return "2606470000000000" + "01005efe" + v4 },
	"ISATAP, u and g":  func(v4 string) string { return "2606470000000000" + "03005efe" + v4 },
	"ISATAP, private":  func(v4 string) string { return "fd12345678900000" + "00005efe" + v4 },
	"ISATAP, loc. NAT": func(v4 string) string { return "0064ff9b00010000" + "00005efe" + v4 },
}

func flip(v4 string) string {
	b, _ := hex.DecodeString(v4)
	for i := range b {
		b[i] ^= 0xff
	}
	return hex.EncodeToString(b)
}

// Embed writes an IPv4 address into an IPv6 address by one of the Embeddings.
func Embed(embedding func(v4 string) string, v4 netip.Addr) netip.Addr {
	digits := v4.As4()
	b, err := hex.DecodeString(embedding(hex.EncodeToString(digits[:])))
	if err != nil || len(b) != 16 {
		panic("an embedding does not give 32 digits")
	}
	return netip.AddrFrom16([16]byte(b))
}

// Hostile returns every hostile address there is: alone, and each IPv4 one in each embedding.
func Hostile() map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for s := range V4 {
		all[s] = netip.MustParseAddr(s)
		for name, embedding := range Embeddings {
			all[s+" as "+name] = Embed(embedding, all[s])
		}
	}
	for s := range V6 {
		all[s] = netip.MustParseAddr(s)
	}
	return all
}
