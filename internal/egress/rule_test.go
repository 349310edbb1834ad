package egress_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

func rule(t *testing.T, s string) egress.Rule {
	t.Helper()
	r, err := egress.ParseRule(s)
	require.NoError(t, err, s)
	return r
}

func rules(t *testing.T, list ...string) egress.Rules {
	t.Helper()
	rs, err := egress.ParseRules(list...)
	require.NoError(t, err)
	return rs
}

func TestParseRule(t *testing.T) {
	for in, want := range map[string]string{
		"api.example.com":         "api.example.com",
		"API.example.com.:443":    "api.example.com",
		"api.example.com:8443":    "api.example.com:8443",
		"*.Example.com":           "*.example.com",
		"*.example.com:08443":     "*.example.com:8443",
		"*.bücher.example":        "*.xn--bcher-kva.example",
		"*.myshopify.com":         "*.myshopify.com",
		"*.a.co.uk":               "*.a.co.uk",
		"localhost:80":            "localhost:80",
		"192.0.2.1":               "192.0.2.1",
		"①②⑦.⓪.⓪.①:80":            "127.0.0.1:80",
		"2001:DB8::1":             "[2001:db8::1]",
		"[2001:DB8::1]":           "[2001:db8::1]",
		"[2001:DB8::1]:8443":      "[2001:db8::1]:8443",
		"[::ffff:192.0.2.1]:8443": "192.0.2.1:8443",
	} {
		r := rule(t, in)
		assert.Equal(t, want, r.String())
		assert.Equal(t, r, rule(t, r.String()), "reads back")
	}
}

func TestParseRuleRefuses(t *testing.T) {
	for _, in := range []string{
		"", "*", "*.", "*:443", "*.com", "*.co.uk", "*.localhost", "*.com:8443", "*.公司.cn",
		"*.*.example.com", "a.*.example.com", "*example.com", "example.*", "*.192.0.2.1", "*.[::1]", "*.::1",
		"https://example.com", "//example.com", "example.com/path", "example.com:", "example.com:0",
		"example.com:65536", "example.com:*", "example.com:-1", "example.com:80:90", "user@example.com",
		"[::1]:", "[::1]x", "[::1]:80:90", "127.1", "0x7f.0.0.1", " example.com", "example.com ", "*. example.com",
	} {
		_, err := egress.ParseRule(in)
		var syntax *egress.SyntaxError
		assert.ErrorAs(t, err, &syntax, "%q", in)
	}
}

func TestParseRuleSaysWhatToDoWithAURL(t *testing.T) {
	for _, in := range []string{"https://example.com", "https://example.com/", "example.com/path", "example.com:443/"} {
		_, err := egress.ParseRule(in)
		assert.EqualError(t, err, "host rule must be a host without scheme and path, as api.example.com", in)
	}
}

func TestRuleMatch(t *testing.T) {
	for _, tc := range []struct {
		rule, host string
		port       int
		want       bool
	}{
		{"example.com", "example.com", 443, true},
		{"example.com", "example.com", 80, false},
		{"example.com", "www.example.com", 443, false},
		{"example.com", "example.com.evil.test", 443, false},
		{"example.com:80", "example.com", 80, true},
		{"example.com:80", "example.com", 443, false},
		{"*.example.com", "www.example.com", 443, true},
		{"*.example.com", "a.b.c.example.com", 443, true},
		{"*.example.com", "example.com", 443, false},
		{"*.example.com", ".example.com", 443, false},
		{"*.example.com", "evilexample.com", 443, false},
		{"*.example.com", "www.example.com", 8443, false},
		{"192.0.2.1", "192.0.2.1", 443, true},
		{"192.0.2.1", "192.0.2.10", 443, false},
		{"[2001:db8::1]", "2001:db8::1", 443, true},
	} {
		assert.Equal(t, tc.want, rule(t, tc.rule).Match(tc.host, tc.port), "%s: %s %d", tc.rule, tc.host, tc.port)
	}
	assert.False(t, egress.Rule{}.Match("", 0), "the zero rule matches nothing")
}

func TestRuleCovers(t *testing.T) {
	for _, tc := range []struct {
		wide, narrow string
		want         bool
	}{
		{"example.com", "example.com", true},
		{"example.com", "example.com:80", false},
		{"example.com", "*.example.com", false},
		{"*.example.com", "example.com", false},
		{"*.example.com", "a.example.com", true},
		{"*.example.com", "*.example.com", true},
		{"*.example.com", "*.a.example.com", true},
		{"*.a.example.com", "*.example.com", false},
		{"*.example.com", "a.example.com:80", false},
		{"*.example.com:80", "*.a.example.com:80", true},
		{"*.example.com", "*.evilexample.com", false},
	} {
		assert.Equal(t, tc.want, rule(t, tc.wide).Covers(rule(t, tc.narrow)), "%s covers %s", tc.wide, tc.narrow)
		assert.Equal(t, tc.want, rules(t, "other.test", tc.wide).Covers(rule(t, tc.narrow)))
	}
}

func TestRulesAllowsURL(t *testing.T) {
	rs := rules(t, "api.example.com", "*.example.org:8443", "[2001:db8::1]")
	for in, want := range map[string]bool{
		"https://api.example.com/x":      true,
		"https://api.example.com:443/x":  false, // not as ParseURL leaves it
		"https://API.example.com/x":      false,
		"https://u@api.example.com/x":    false,
		"https://api.example.com:8443/":  false,
		"http://api.example.com/":        false, // port 80
		"https://a.example.org:8443/":    true,
		"https://a.example.org/":         false,
		"https://[2001:db8::1]/":         true,
		"https://api.example.com.evil/":  false,
		"https://api.example.com@evil/":  false,
		"https://evil/?api.example.com":  false,
		"https://api.example.com:99999/": false,
	} {
		u, err := url.Parse(in)
		require.NoError(t, err)
		assert.Equal(t, want, rs.AllowsURL(u), in)
		assert.False(t, egress.Rules{}.AllowsURL(u), "no rules allow nothing")
	}
}

func TestRulesIntersect(t *testing.T) {
	for _, tc := range []struct {
		name       string
		a, b, want []string
	}{
		{"nothing in common", []string{"a.test"}, []string{"b.test"}, []string{}},
		{"empty", []string{}, []string{"b.test"}, []string{}},
		{"wildcard narrowed", []string{"*.example.com", "x.test"}, []string{"a.example.com", "*.b.example.com", "example.com"},
			[]string{"a.example.com", "*.b.example.com"}},
		{"either way round", []string{"a.example.com"}, []string{"*.example.com"}, []string{"a.example.com"}},
		{"ports differ", []string{"*.example.com"}, []string{"a.example.com:80"}, []string{}},
		{"none twice", []string{"*.example.com", "a.example.com"}, []string{"a.example.com", "*.example.com"},
			[]string{"a.example.com", "*.example.com"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := rules(t, tc.a...), rules(t, tc.b...)
			assert.ElementsMatch(t, tc.want, a.Intersect(b).Strings())
			assert.ElementsMatch(t, tc.want, b.Intersect(a).Strings())
			assert.Equal(t, tc.a, a.Strings(), "unchanged")
		})
	}
}

func TestParseRulesFailsAsAWhole(t *testing.T) {
	rs, err := egress.ParseRules("a.test", "*")
	assert.Error(t, err)
	assert.Nil(t, rs)
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"*.example.com:8443", "[::1]:80", "::1", "a.test", "*.co.uk", "①.example.com:1", "*.*.a.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := egress.ParseRule(s)
		if err != nil {
			return
		}
		again, err := egress.ParseRule(r.String())
		require.NoError(t, err, "%q of %q", r, s)
		require.Equal(t, r, again)
		require.True(t, r.Covers(again))
	})
}

func TestTheRuleForAURL(t *testing.T) {
	rules, err := egress.ParseRules("*.example.com", "api.example.com", "*.example.com:8443", "other.example")
	require.NoError(t, err)
	for address, want := range map[string]string{
		"https://api.example.com/a?b":  "api.example.com",
		"https://www.example.com":      "*.example.com",
		"https://x.y.example.com":      "*.example.com",
		"https://api.example.com:8443": "*.example.com:8443",
		"https://other.example":        "other.example",
		"https://example.com":          "",
		"https://other.example:444":    "",
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		rule, ok := rules.For(u)
		assert.Equal(t, want != "", ok, address)
		if ok {
			assert.Equal(t, want, rule.String(), address)
			assert.True(t, rules.AllowsURL(u))
		}
	}
}
