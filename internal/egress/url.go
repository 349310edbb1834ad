package egress

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseURL parses an absolute http or https URL and returns it with its host in the form of
// [CanonicalHost], its port in plain decimal, or none where the port is the scheme's own,
// and its query in ASCII. Refused are user information, fragments, spaces, control
// characters, backslashes, percent signs in the host and text that is not UTF-8.
//
// The error is a *SyntaxError and shows nothing of the URL.
func ParseURL(s string) (*url.URL, error) {
	if err := checkURLText(s); err != nil {
		return nil, err
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, urlError("must be a valid URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, urlError("must be absolute, with the scheme https or http")
	}
	if u.Opaque != "" || u.Host == "" {
		return nil, urlError("must name a host after //")
	}
	if u.User != nil {
		return nil, urlError("must not hold user information")
	}
	authority, err := canonicalAuthority(u)
	if err != nil {
		return nil, err
	}
	u.Host = authority
	u.RawQuery = escapeNonASCII(u.RawQuery)
	return u, nil
}

func urlError(rule string) error { return &SyntaxError{What: "URL", Rule: rule} }

func checkURLText(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, isBlankOrControl) {
		return urlError("must not hold spaces, control characters or invalid UTF-8")
	}
	if strings.Contains(s, `\`) {
		return urlError("must not hold a backslash")
	}
	if strings.Contains(s, "#") {
		return urlError("must not hold a fragment")
	}
	// Parsers differ in what an escape in a host means.
	if strings.Contains(authority(s), "%") {
		return urlError("must not hold percent signs before its path")
	}
	return nil
}

func isBlankOrControl(r rune) bool {
	return r <= ' ' || 0x7f <= r && r <= 0xa0 || r == '\u2028' || r == '\u2029'
}

// authority returns what stands between // and the path or query.
func authority(s string) string {
	_, rest, _ := strings.Cut(s, "//")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return rest[:i]
	}
	return rest
}

// canonicalAuthority returns u.Host as canonical host and port.
func canonicalAuthority(u *url.URL) (string, error) {
	host, err := CanonicalHost(hostOf(u.Host))
	if err != nil {
		return "", err
	}
	port, err := portOf(u)
	if err != nil {
		return "", err
	}
	authority := joinHost(host)
	if port != defaultPort(u.Scheme) {
		authority += ":" + strconv.Itoa(port)
	}
	return authority, nil
}

// hostOf cuts the port off and leaves brackets on, so that only an IPv6 address may have them.
func hostOf(hostport string) string {
	if strings.HasSuffix(hostport, "]") {
		return hostport
	}
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 {
		return hostport[:i]
	}
	return hostport
}

func portOf(u *url.URL) (int, error) {
	if u.Port() == "" {
		return defaultPort(u.Scheme), nil
	}
	return parsePort(u.Port(), "URL")
}

func parsePort(s, what string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, &SyntaxError{What: what, Rule: "must have a port from 1 to 65535"}
	}
	return int(n), nil
}

func defaultPort(scheme string) int {
	if scheme == "http" {
		return 80
	}
	return 443
}

// joinHost puts brackets around an IPv6 address.
func joinHost(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func escapeNonASCII(s string) string {
	if isASCII(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// HostPort returns the host of a URL that [ParseURL] made, without brackets, and the port
// that a connection to it takes: its own, or 443 for https and 80 for http. The port is 0
// if the URL's is not a number a port can have.
func HostPort(u *url.URL) (host string, port int) {
	port, err := portOf(u)
	if err != nil {
		return u.Hostname(), 0
	}
	return u.Hostname(), port
}

// isCanonical reports whether u is as ParseURL leaves its authority.
func isCanonical(u *url.URL) bool {
	if u.User != nil || u.Opaque != "" {
		return false
	}
	return plainAuthority(u) || isCanonicalAuthority(u)
}

func isCanonicalAuthority(u *url.URL) bool {
	authority, err := canonicalAuthority(u)
	return err == nil && authority == u.Host
}

// plainAuthority reports, without writing it anew, that u.Host is surely canonical: a plain name or an IPv4 address,
// with no port or one that it needs.
func plainAuthority(u *url.URL) bool {
	host, port, ported := strings.Cut(u.Host, ":")
	return (PlainName(host) || plainIPv4(host)) && (!ported || plainPort(u.Scheme, port))
}

// plainIPv4 relies on netip, which takes an IPv4 address in no other form than the one it writes.
func plainIPv4(s string) bool {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

func plainPort(scheme, s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && s[0] != '0' && int(n) != defaultPort(scheme)
}

// isIP reports whether a canonical host is an address.
func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
