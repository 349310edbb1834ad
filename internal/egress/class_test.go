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
	"github.com/integrationhub/hub/internal/egress/egresstest"
)

// publicAddrs may be reached under the zero policy.
var publicAddrs = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	"128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255",
	"198.20.0.0", "223.255.255.255", "2000::1", "2001:200::1", "2606:4700:4700::1111", "2a00:1450::1", "3ffe:ffff::1",
	"2606:4700::200:5efe:808:808", "::ffff:8.8.8.8",
}

func flip(v4 string) string {
	b, _ := hex.DecodeString(v4)
	for i := range b {
		b[i] ^= 0xff
	}
	return hex.EncodeToString(b)
}

func TestClassify(t *testing.T) {
	for s, want := range egresstest.V4 {
		assert.Equal(t, want, egress.Classify(netip.MustParseAddr(s)), s)
	}
	for s, want := range egresstest.V6 {
		assert.Equal(t, want, egress.Classify(netip.MustParseAddr(s)), s)
	}
	for _, s := range publicAddrs {
		assert.Equal(t, egress.Public, egress.Classify(netip.MustParseAddr(s)), s)
	}
	assert.Equal(t, egress.Invalid, egress.Classify(netip.Addr{}))
}

func TestClassifyEmbedded(t *testing.T) {
	for s, own := range egresstest.V4 {
		for name, embed := range egresstest.Embeddings {
			a := egresstest.Embed(embed, netip.MustParseAddr(s))
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
	for s := range egresstest.V4 {
		b := netip.MustParseAddr(s).As4()
		f.Add(b[:])
	}
	for _, a := range egresstest.Hostile() {
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
