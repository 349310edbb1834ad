package egress_test

import (
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/egress/egresstest"
)

func TestPolicyCheckURL(t *testing.T) {
	loose := egress.Policy{AllowHTTP: true, AllowAnyPort: true}
	for _, tc := range []struct {
		name   string
		policy egress.Policy
		url    string
		want   egress.Reason // empty: allowed
	}{
		{"https", egress.Policy{}, "https://example.com/", ""},
		{"other port", egress.Policy{}, "https://example.com:8443/", egress.RefusedPort},
		{"port 80 over https", egress.Policy{}, "https://example.com:80/", egress.RefusedPort},
		{"listed port", egress.Policy{AllowPorts: []int{8443}}, "https://example.com:8443/", ""},
		{"listed port, another", egress.Policy{AllowPorts: []int{8443}}, "https://example.com:8444/", egress.RefusedPort},
		{"any port", egress.Policy{AllowAnyPort: true}, "https://example.com:1/", ""},
		{"impossible port", loose, "https://example.com:65536/", egress.RefusedHost},
		{"port 0", loose, "https://example.com:0/", egress.RefusedHost},
		{"http", egress.Policy{}, "http://example.com/", egress.RefusedScheme},
		{"http to 443", egress.Policy{}, "http://example.com:443/", egress.RefusedScheme},
		{"http, allowed", egress.Policy{AllowHTTP: true}, "http://example.com/", ""},
		{"http, other port", egress.Policy{AllowHTTP: true}, "http://example.com:8080/", egress.RefusedPort},
		{"ftp", loose, "ftp://example.com:443/", egress.RefusedScheme},
		{"no scheme", loose, "//example.com/", egress.RefusedScheme},
		{"capital host", loose, "https://EXAMPLE.com/", egress.RefusedHost},
		{"trailing dot", loose, "https://example.com./", egress.RefusedHost},
		{"circled digits", loose, "https://①②⑦.⓪.⓪.①/", egress.RefusedHost},
		{"default port spelt out", loose, "https://example.com:443/", egress.RefusedHost},
		{"user", loose, "https://u@example.com/", egress.RefusedHost},
		{"zone", loose, "https://[fe80::1%25lo]/", egress.RefusedHost},
		{"no host", loose, "https:///", egress.RefusedHost},
		{"opaque", loose, "https:example.com", egress.RefusedHost},
		{"decimal address", loose, "https://2130706433/", egress.RefusedHost},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u, err := url.Parse(tc.url)
			require.NoError(t, err)
			err = tc.policy.CheckURL(u)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			var refusal *egress.Refusal
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tc.want, refusal.Reason)
			assert.Equal(t, string(tc.want)+" not allowed", err.Error())
			assert.False(t, egress.Unreachable(err), "the definition is wrong, not the network")
		})
	}
}

func TestPolicyOpensNoMoreThanItSays(t *testing.T) {
	opened := map[egress.Class]egress.Policy{
		egress.Loopback: {AllowLoopback: true},
		egress.Private:  {AllowPrivate: true},
	}
	for name, a := range egresstest.Hostile() {
		c := egress.Classify(a)
		assert.Error(t, egress.Policy{AllowHTTP: true, AllowAnyPort: true}.CheckAddr(a), name)
		all := egress.Policy{AllowLoopback: true, AllowPrivate: true, AllowHTTP: true, AllowAnyPort: true}
		if p, ok := opened[c]; ok {
			assert.NoError(t, all.CheckAddr(a), name)
			if !a.Is6() {
				assert.NoError(t, p.CheckAddr(a), name)
			}
			continue
		}
		err := all.CheckAddr(a)
		var refusal *egress.Refusal
		require.ErrorAs(t, err, &refusal, name)
		assert.Equal(t, egress.RefusedAddress, refusal.Reason)
		assert.Equal(t, a, refusal.Addr)
		assert.Less(t, refusal.Class, egress.Private, name)
	}
}

func TestPolicyJudgesEachLayer(t *testing.T) {
	// A private IPv6 address that carries a loopback IPv4 address is both.
	a := netip.MustParseAddr("fd12:3456:7890::5efe:127.0.0.1")
	assert.Error(t, egress.Policy{AllowPrivate: true}.CheckAddr(a))
	assert.Error(t, egress.Policy{AllowLoopback: true}.CheckAddr(a))
	assert.NoError(t, egress.Policy{AllowPrivate: true, AllowLoopback: true}.CheckAddr(a))
}

func TestPolicyOpensPublicAddresses(t *testing.T) {
	for _, s := range publicAddrs {
		assert.NoError(t, egress.Policy{}.CheckAddr(netip.MustParseAddr(s)), s)
	}
}
