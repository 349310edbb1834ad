package egress_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

func TestCanonicalHost(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tc := range []struct{ name, in, want string }{
		{"name", "api.example.com", "api.example.com"},
		{"capitals", "API.Example.COM", "api.example.com"},
		{"trailing dot", "api.example.com.", "api.example.com"},
		{"single label", "localhost", "localhost"},
		{"hyphens in the third and fourth place", "r3---sn-a.example.com", "r3---sn-a.example.com"},
		{"umlaut", "bücher.example", "xn--bcher-kva.example"},
		{"capital umlaut", "BÜCHER.example", "xn--bcher-kva.example"},
		{"punycode", "XN--bcher-kva.example", "xn--bcher-kva.example"},
		{"sharp s is kept", "straße.example", "xn--strae-oqa.example"},
		{"full-width letters", "ｅｘａｍｐｌｅ.com", "example.com"},
		{"ideographic full stop", "example。com", "example.com"},
		{"kelvin sign", "\u212aelvin.example", "kelvin.example"},
		{"longest label", long + ".example", long + ".example"},
		{"number inside a name", "1.2.3.4.example", "1.2.3.4.example"},
		{"label that starts with a digit", "3com.example", "3com.example"},
		{"hexadecimal label that is a word", "example.0xyz", "example.0xyz"},
		{"IPv4", "192.0.2.1", "192.0.2.1"},
		{"IPv4 with trailing dot", "127.0.0.1.", "127.0.0.1"},
		{"circled digits", "①②⑦.⓪.⓪.①", "127.0.0.1"},
		{"full-width digits", "１２７．０．０．１", "127.0.0.1"},
		{"IPv6 in brackets", "[2001:DB8::1]", "2001:db8::1"},
		{"IPv6 bare", "2001:db8:0:0:0:0:0:1", "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]", "127.0.0.1"},
		{"IPv4 in IPv6, hexadecimal", "::ffff:7f00:1", "127.0.0.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := egress.CanonicalHost(tc.in)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestCanonicalHostRefuses(t *testing.T) {
	for _, tc := range []struct{ name, in string }{
		{"nothing", ""},
		{"dot", "."},
		{"two trailing dots", "example.com.."},
		{"leading dot", ".example.com"},
		{"empty label", "a..b"},
		{"octal IPv4", "0177.0.0.1"},
		{"octal last byte", "127.0.0.01"},
		{"hexadecimal IPv4", "0x7f.0.0.1"},
		{"hexadecimal last byte", "127.0.0.0x1"},
		{"hexadecimal number", "0x7f000001"},
		{"bare 0x", "127.0.0.0x"},
		{"decimal number", "2130706433"},
		{"two bytes", "127.1"},
		{"three bytes", "127.0.1"},
		{"five bytes", "1.2.3.4.5"},
		{"byte above 255", "256.0.0.1"},
		{"name that ends in a number", "example.1"},
		{"circled octal", "⓪①⑦⑦.⓪.⓪.①"},
		{"userinfo", "user@example.com"},
		{"full-width at", "user＠example.com"},
		{"port", "example.com:443"},
		{"backslash", `example.com\evil.test`},
		{"slash", "example.com/path"},
		{"full-width slash", "example.com／path"},
		{"percent", "ex%61mple.com"},
		{"full-width percent", "ex％61mple.com"},
		{"question mark", "example.com?"},
		{"fragment", "example.com#"},
		{"space", "example .com"},
		{"no-break space", "example\u00a0.com"},
		{"NUL", "example.com\x00"},
		{"line feed", "example.com\n"},
		{"not UTF-8", "ex\xffmple.com"},
		{"underscore", "my_host.example"},
		{"leading hyphen", "-a.example"},
		{"trailing hyphen", "a-.example"},
		{"label of 64", strings.Repeat("a", 64) + ".example"},
		{"name of 254", strings.Repeat("a.", 126) + "aa"},
		{"very long", strings.Repeat("a.", 5000) + "com"},
		{"zone", "[fe80::1%eth0]"},
		{"zone, escaped", "[fe80::1%25eth0]"},
		{"IPv4 in brackets", "[127.0.0.1]"},
		{"name in brackets", "[example.com]"},
		{"open bracket", "[::1"},
		{"closing bracket", "::1]"},
		{"double brackets", "[[::1]]"},
		{"IPv6 with octal tail", "[::ffff:0177.0.0.1]"},
		{"fake punycode", "xn--a.example"},
		{"punycode of ASCII", "xn--example-.com"},
		{"wildcard", "*.example.com"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := egress.CanonicalHost(tc.in)
			require.Error(t, err)
			assert.Empty(t, got)
			var syntax *egress.SyntaxError
			require.ErrorAs(t, err, &syntax)
			if len(tc.in) > 3 {
				assert.NotContains(t, err.Error(), tc.in)
			}
		})
	}
}

func FuzzCanonicalHost(f *testing.F) {
	for _, s := range []string{
		"Example.com.", "①②⑦.⓪.⓪.①", "[::1]", "::ffff:1.2.3.4", "bücher.example", "xn--bcher-kva.example",
		"0x7f.1", "user@host", "a\\b", "example。com", "faß.example", "\u212a", "xn--xn--a-.example", "a\u200db.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, err := egress.CanonicalHost(s)
		if egress.PlainName(s) {
			whole, fault := egress.CanonicalHostOfAny(s)
			require.NoError(t, fault)
			require.Equal(t, host, whole)
		}
		if err != nil {
			return
		}
		again, err := egress.CanonicalHost(host)
		require.NoError(t, err, "canonical form %q of %q", host, s)
		require.Equal(t, host, again)
		if a, err := netip.ParseAddr(host); err == nil {
			require.Equal(t, host, a.String())
			require.False(t, a.Is4In6())
			return
		}
		require.Regexp(t, `^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`, host)
		u, err := url.Parse("https://" + host + "/")
		require.NoError(t, err)
		require.Equal(t, host, u.Hostname())
	})
}

// The quick look at a name admits only what the whole way leaves as it is. Every name of up to
// six of the bytes that matter is tried, and at the bounds of lengths.
func TestPlainNamesAreCanonical(t *testing.T) {
	names := []string{
		strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 126) + "aa",
		"a.xn--b", "xn--bcher-kva.example", "r3---sn-a.example", "axn--a.b", "a.0xff", "a.0xyz", "a.b0", "a.0b",
	}
	const letters = "axn0.-"
	for n := range 7 {
		names = append(names, words(letters, n)...)
	}
	plain := 0
	for _, name := range names {
		if !egress.PlainName(name) {
			continue
		}
		plain++
		host, err := egress.CanonicalHostOfAny(name)
		require.NoError(t, err, "%q", name)
		require.Equal(t, name, host)
	}
	assert.Greater(t, plain, len(names)/100)
	assert.True(t, egress.PlainName("api.example.com"))
}

// words lists every text of n of the letters.
func words(letters string, n int) []string {
	list := []string{""}
	for range n {
		var longer []string
		for _, word := range list {
			for i := range letters {
				longer = append(longer, word+letters[i:i+1])
			}
		}
		list = longer
	}
	return list
}
