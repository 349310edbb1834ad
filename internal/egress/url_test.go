package egress_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

func TestParseURL(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "https://api.example.com/v1?a=b", "https://api.example.com/v1?a=b"},
		{"no path", "https://api.example.com", "https://api.example.com"},
		{"capitals", "HTTPS://API.Example.com/V1", "https://api.example.com/V1"},
		{"own port", "https://example.com:8443/", "https://example.com:8443/"},
		{"default port", "https://example.com:443/", "https://example.com/"},
		{"default port of http", "http://example.com:80/", "http://example.com/"},
		{"other scheme's default port", "http://example.com:443/", "http://example.com:443/"},
		{"port with zeros", "https://example.com:0443/", "https://example.com/"},
		{"empty port", "https://example.com:/", "https://example.com/"},
		{"trailing dot", "https://example.com.:8443/", "https://example.com:8443/"},
		{"IPv6", "https://[2001:DB8::0:1]:443/", "https://[2001:db8::1]/"},
		{"IPv4 in IPv6", "https://[::ffff:192.0.2.1]:8443/", "https://192.0.2.1:8443/"},
		{"circled digits", "http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/"},
		{"internationalised", "https://bücher.example/ü?ü=ü", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%C3%BC"},
		{"slash in query", "https://example.com?next=//a@b%20c", "https://example.com?next=//a@b%20c"},
		{"escapes in the path stay", "https://example.com/a%2Fb%2e", "https://example.com/a%2Fb%2e"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u, err := egress.ParseURL(tc.in)
			require.NoError(t, err)
			assert.Equal(t, tc.want, u.String())
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, tc := range []struct{ name, in string }{
		{"nothing", ""},
		{"relative", "/v1"},
		{"without scheme", "example.com/canary"},
		{"scheme-relative", "//example.com/canary"},
		{"other scheme", "ftp://example.com/canary"},
		{"file", "file:///etc/passwd"},
		{"opaque", "https:example.com"},
		{"one slash", "https:/example.com"},
		{"no host", "https:///canary"},
		{"port alone", "https://:443/"},
		{"userinfo", "https://user:canary@example.com/"},
		{"empty userinfo", "https://@example.com/"},
		{"two ats", "https://a@b@example.com/"},
		{"full-width at", "https://canary＠example.com/"},
		{"fragment", "https://example.com/#canary"},
		{"empty fragment", "https://example.com/#"},
		{"backslash for slash", `https:\\example.com\`},
		{"backslash in host", `https://example.com\@evil.test/`},
		{"backslash in path", `https://example.com/a\b`},
		{"percent in host", "https://ex%61mple.com/"},
		{"escaped letter beyond ASCII in host", "https://b%C3%BCcher.example/"},
		{"zone", "https://[fe80::1%25eth0]/"},
		{"octal host", "https://0177.0.0.1/"},
		{"short host", "https://127.1/"},
		{"decimal host", "https://2130706433/"},
		{"port 0", "https://example.com:0/"},
		{"port 65536", "https://example.com:65536/"},
		{"port of letters", "https://example.com:https/"},
		{"port with sign", "https://example.com:+443/"},
		{"two ports", "https://example.com:80:443/"},
		{"tail after bracket", "https://[::1]evil.test/"},
		{"space", "https://example.com/a b"},
		{"leading space", " https://example.com/"},
		{"tab", "https://example.com/\ta"},
		{"line feed", "https://example.com/\n"},
		{"NUL", "https://example.com/\x00"},
		{"DEL", "https://example.com/\x7f"},
		{"next line", "https://example.com/\u0085"},
		{"not UTF-8", "https://example.com/\xff"},
		{"bad escape", "https://example.com/%zz?key=canary"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := egress.ParseURL(tc.in)
			var syntax *egress.SyntaxError
			require.ErrorAs(t, err, &syntax)
			assert.NotContains(t, err.Error(), "canary")
			assert.NotContains(t, err.Error(), "example")
		})
	}
}

func TestHostPort(t *testing.T) {
	for in, want := range map[string]struct {
		host string
		port int
	}{
		"https://example.com/":  {"example.com", 443},
		"http://example.com/":   {"example.com", 80},
		"https://[::1]:8443/":   {"::1", 8443},
		"https://host:99999/":   {"host", 0},
		"https://192.0.2.1:1/x": {"192.0.2.1", 1},
	} {
		u, err := url.Parse(in)
		require.NoError(t, err)
		host, port := egress.HostPort(u)
		assert.Equal(t, want.host, host, in)
		assert.Equal(t, want.port, port, in)
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"https://Example.com:443/a?b=c", "http://①②⑦.⓪.⓪.①/", "https://[::ffff:1.2.3.4]:0080/", "https://a@b/",
		"https://bücher.example?ü", "https:/\\evil", "https://a?//b@c", "https://h/%2e%2e/%zz", "https://h:/?",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := egress.ParseURL(s)
		if err != nil {
			return
		}
		again, err := egress.ParseURL(u.String())
		require.NoError(t, err, "%q of %q", u, s)
		require.Equal(t, u.String(), again.String())
		std, err := url.Parse(u.String())
		require.NoError(t, err)
		require.Equal(t, u.Host, std.Host)
		require.Nil(t, std.User)
		host, err := egress.CanonicalHost(std.Hostname())
		require.NoError(t, err)
		require.Equal(t, host, std.Hostname())
		require.True(t, egress.Rules{egress.RuleFor(u)}.AllowsURL(std))
	})
}

// plainAuthorities are taken as they are, without being written anew.
var plainAuthorities = []string{"example.com", "a.example:8443", "127.0.0.1", "127.0.0.1:80", "10.0.0.1:65535", "localhost:1"}

func TestPlainAuthoritiesAreCanonical(t *testing.T) {
	for _, host := range plainAuthorities {
		u := &url.URL{Scheme: "https", Host: host}
		assert.True(t, egress.PlainAuthority(u), host)
		assert.True(t, egress.CanonicalAuthority(u), host)
	}
	for _, host := range []string{
		"", ":", ":80", "a.example:", "a.example:0", "a.example:080", "a.example:443", "a.example:65536", "a.example:+1", "a.example:1:2",
		"127.0.0.01", "127.1", "0x7f.0.0.1", "127.0.0.1.", "256.0.0.1", "[::1]", "[::1]:80", "::1", "1.2.3.4%25eth0", "user@a.example",
	} {
		u := &url.URL{Scheme: "https", Host: host}
		assert.False(t, egress.PlainAuthority(u), host)
	}
}

func FuzzPlainAuthority(f *testing.F) {
	for _, host := range plainAuthorities {
		f.Add("https", host)
		f.Add("http", host)
	}
	f.Add("http", "a.example:80")
	f.Add("https", "127.0.0.1:0443")
	f.Fuzz(func(t *testing.T, scheme, host string) {
		u := &url.URL{Scheme: scheme, Host: host}
		if egress.PlainAuthority(u) {
			require.True(t, egress.CanonicalAuthority(u), "%q of %q", host, scheme)
		}
	})
}
