package egress_test

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

// hostileV4 are IPv4 addresses that no connector may reach under the zero policy.
var hostileV4 = map[string]egress.Class{
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

// hostileV6 are IPv6 addresses of the same kind that carry no IPv4 address.
var hostileV6 = map[string]egress.Class{
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

// publicAddrs may be reached under the zero policy.
var publicAddrs = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	"128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255",
	"198.20.0.0", "223.255.255.255", "2000::1", "2001:200::1", "2606:4700:4700::1111", "2a00:1450::1", "3ffe:ffff::1",
	"2606:4700::200:5efe:808:808", "::ffff:8.8.8.8",
}

// embeddings write an IPv4 address, as eight hexadecimal digits, into an IPv6 address.
var embeddings = map[string]func(v4 string) string{
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

func v6FromHex(digits string) netip.Addr {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 16 {
		panic(digits)
	}
	return netip.AddrFrom16([16]byte(b))
}

func hexV4(s string) string {
	b := netip.MustParseAddr(s).As4()
	return hex.EncodeToString(b[:])
}

// hostile returns every hostile address there is: alone, and each IPv4 one in each embedding.
func hostile() map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for s := range hostileV4 {
		all[s] = netip.MustParseAddr(s)
		for name, embed := range embeddings {
			all[s+" as "+name] = v6FromHex(embed(hexV4(s)))
		}
	}
	for s := range hostileV6 {
		all[s] = netip.MustParseAddr(s)
	}
	return all
}

func TestClassify(t *testing.T) {
	for s, want := range hostileV4 {
		assert.Equal(t, want, egress.Classify(netip.MustParseAddr(s)), s)
	}
	for s, want := range hostileV6 {
		assert.Equal(t, want, egress.Classify(netip.MustParseAddr(s)), s)
	}
	for _, s := range publicAddrs {
		assert.Equal(t, egress.Public, egress.Classify(netip.MustParseAddr(s)), s)
	}
	assert.Equal(t, egress.Invalid, egress.Classify(netip.Addr{}))
}

func TestClassifyEmbedded(t *testing.T) {
	for s, own := range hostileV4 {
		for name, embed := range embeddings {
			a := v6FromHex(embed(hexV4(s)))
			assert.LessOrEqual(t, egress.Classify(a), own, "%s as %s: %s", s, name, a)
			assert.Error(t, egress.Policy{}.CheckAddr(a), "%s as %s: %s", s, name, a)
		}
	}
	mapped := netip.MustParseAddr("::ffff:127.0.0.1")
	assert.Equal(t, egress.Loopback, egress.Classify(mapped), "a mapped address is the IPv4 address")
}

func TestClassNames(t *testing.T) {
	names := map[string]bool{}
	for c := egress.Invalid; c <= egress.Public; c++ {
		names[c.String()] = true
	}
	assert.Len(t, names, 8)
	assert.Equal(t, "metadata", egress.Metadata.String())
	assert.Equal(t, "link-local", egress.LinkLocal.String())
	assert.Equal(t, "public", egress.Public.String())
	assert.Equal(t, "invalid", egress.Class(200).String())
}

// The oracle works on digits and numbers where the package works on prefixes, and its
// tables are written down separately.

type span struct {
	from, to uint32
	class    egress.Class
}

// oracleV4 has the more special spans first.
var oracleV4 = []span{
	{0xa9fea9fe, 0xa9fea9fe, egress.Metadata},
	{0xa9feaa00, 0xa9feaaff, egress.Metadata},
	{0xa9fe2a2a, 0xa9fe2a2a, egress.Metadata},
	{0xa9fe0017, 0xa9fe0017, egress.Metadata},
	{0xa83f8110, 0xa83f8110, egress.Metadata},
	{0x646464c8, 0x646464c8, egress.Metadata},
	{0xc00000c0, 0xc00000c0, egress.Metadata},
	{0x00000000, 0x00ffffff, egress.Reserved},
	{0x0a000000, 0x0affffff, egress.Private},
	{0x64400000, 0x647fffff, egress.Private},
	{0x7f000000, 0x7fffffff, egress.Loopback},
	{0xa9fe0000, 0xa9feffff, egress.LinkLocal},
	{0xac100000, 0xac1fffff, egress.Private},
	{0xc0000000, 0xc00000ff, egress.Reserved},
	{0xc0000200, 0xc00002ff, egress.Reserved},
	{0xc01fc400, 0xc01fc4ff, egress.Reserved},
	{0xc034c100, 0xc034c1ff, egress.Reserved},
	{0xc0586300, 0xc05863ff, egress.Reserved},
	{0xc0a80000, 0xc0a8ffff, egress.Private},
	{0xc0af3000, 0xc0af30ff, egress.Reserved},
	{0xc6120000, 0xc613ffff, egress.Reserved},
	{0xc6336400, 0xc63364ff, egress.Reserved},
	{0xcb007100, 0xcb0071ff, egress.Reserved},
	{0xe0000000, 0xefffffff, egress.Multicast},
	{0xf0000000, 0xffffffff, egress.Reserved},
}

func oracleOfV4(digits string) egress.Class {
	var n uint32
	_, _ = fmt.Sscanf(digits, "%x", &n)
	for _, s := range oracleV4 {
		if s.from <= n && n <= s.to {
			return s.class
		}
	}
	return egress.Public
}

// oracleV6 has the longer prefixes first; what none begins is reserved.
var oracleV6 = []struct {
	digits string
	class  egress.Class
}{
	{"fd0000c10000000000000000a9fea9fe", egress.Metadata},
	{"fd000042000000000000000000000042", egress.Metadata},
	{"fd2000ce000000000000000000000254", egress.Metadata},
	{"fe8000000000000000000000a9fea9fe", egress.Metadata},
	{"00000000000000000000000000000001", egress.Loopback},
	{"fd000ec2", egress.Metadata},
	{"2620004f8000", egress.Reserved},
	{"20010db8", egress.Reserved},
	{"200100", egress.Reserved}, {"200101", egress.Reserved},
	{"2002", egress.Reserved},
	{"3fff0", egress.Reserved},
	{"fc", egress.Private}, {"fd", egress.Private},
	{"fe8", egress.LinkLocal}, {"fe9", egress.LinkLocal}, {"fea", egress.LinkLocal}, {"feb", egress.LinkLocal},
	{"ff", egress.Multicast},
	{"2", egress.Public}, {"3", egress.Public},
}

func oracleOfV6(digits string) egress.Class {
	for _, p := range oracleV6 {
		if strings.HasPrefix(digits, p.digits) {
			return p.class
		}
	}
	return egress.Reserved
}

// oracle classifies 8 or 32 hexadecimal digits.
func oracle(d string) egress.Class {
	if len(d) == 8 {
		return oracleOfV4(d)
	}
	if rest, mapped := strings.CutPrefix(d, strings.Repeat("0", 20)+"ffff"); mapped {
		return oracleOfV4(rest)
	}
	worst := oracleOfV6(d)
	carries := func(v4 string) { worst = min(worst, oracleOfV4(v4)) }
	switch {
	case d == strings.Repeat("0", 31)+"1":
	case strings.HasPrefix(d, strings.Repeat("0", 24)),
		strings.HasPrefix(d, strings.Repeat("0", 16)+"ffff0000"),
		strings.HasPrefix(d, "0064ff9b"+strings.Repeat("0", 16)):
		carries(d[24:])
	case strings.HasPrefix(d, "0064ff9b0001"):
		carries(d[12:16] + d[18:22])
		carries(d[14:16] + d[18:24])
		carries(d[18:26])
		carries(d[24:])
	case strings.HasPrefix(d, "2002"):
		carries(d[4:12])
	case strings.HasPrefix(d, "20010000"):
		carries(d[8:16])
		carries(flip(d[24:]))
	}
	if isatapDigits(d) {
		carries(d[24:])
	}
	return worst
}

func isatapDigits(d string) bool {
	id := d[16:24]
	return id == "00005efe" || id == "01005efe" || id == "02005efe" || id == "03005efe"
}

func FuzzClassify(f *testing.F) {
	for s := range hostileV4 {
		b := netip.MustParseAddr(s).As4()
		f.Add(b[:])
	}
	for _, a := range hostile() {
		b := a.As16()
		f.Add(b[:])
	}
	for _, s := range publicAddrs {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		require.Equal(t, oracle(hex.EncodeToString(b)), egress.Classify(a), a.String())
		open := egress.Policy{AllowLoopback: true, AllowPrivate: true}
		if egress.Classify(a) < egress.Private {
			require.Error(t, open.CheckAddr(a))
		} else {
			require.NoError(t, open.CheckAddr(a))
		}
		require.Equal(t, egress.Classify(a) == egress.Public, egress.Policy{}.CheckAddr(a) == nil)
	})
}
