package egress

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Lengths of RFC 1035 §2.3.4, without the trailing dot.
const (
	maxHost  = 253
	maxLabel = 63
)

// maxSpelling bounds what IDNA is given to chew on: a name may be longer before mapping.
const maxSpelling = 4 * maxHost

// CanonicalHost returns the one form in which a host is stored, compared, resolved, sent as
// SNI and sent as Host: a DNS name in lower-case ASCII without a trailing dot, an IPv4
// address in dotted decimal, or an IPv6 address as RFC 5952 writes it, without brackets.
//
// Letters beyond ASCII are mapped by IDNA (UTS #46, non-transitional, strict), which turns
// full-width and circled digits into plain ones before the address forms are looked at. An
// IPv4 address inside IPv6 (::ffff:a.b.c.d) becomes the IPv4 address. Refused are IPv4
// addresses in octal, hexadecimal, short or one-number form, IPv6 zones, user information,
// ports, percent signs, backslashes, underscores, and labels or names that DNS has no
// room for. The error is a *SyntaxError.
//
// The result is a fixed point: CanonicalHost returns it unchanged.
func CanonicalHost(s string) (string, error) {
	if s == "" {
		return "", hostError("must not be empty")
	}
	if PlainName(s) {
		return s, nil
	}
	return canonicalHost(s)
}

// canonicalHost is CanonicalHost for every s but the empty one.
func canonicalHost(s string) (string, error) {
	if len(s) > maxSpelling || !utf8.ValidString(s) {
		return "", hostError("must be a DNS name or an IP address")
	}
	if strings.ContainsAny(s, ":[]") {
		return canonicalIPv6(s)
	}
	name, err := toASCII(s)
	if err != nil {
		return "", err
	}
	name = strings.TrimSuffix(name, ".")
	if endsInNumber(name) {
		return canonicalIPv4(name)
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	return name, nil
}

// PlainName reports, by one look at each byte, whether s is surely a name that CanonicalHost returns unchanged, as most
// are: labels of lower-case letters, digits and inner hyphens, of which none is Punycode and the last begins with a
// letter, so that nobody takes it for a number.
func PlainName(s string) bool {
	if len(s) > maxHost {
		return false
	}
	label := 0 // where the current one begins
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && i > label && !strings.HasPrefix(s[label:], "xn--"):
		case c == '.' && endsLabel(s[label:i]):
			label = i + 1
		default:
			return false
		}
	}
	return endsLabel(s[label:]) && s[label] >= 'a'
}

// endsLabel reports whether a label of plain bytes may end here.
func endsLabel(label string) bool {
	return label != "" && len(label) <= maxLabel && label[len(label)-1] != '-'
}

func hostError(rule string) error { return &SyntaxError{What: "host", Rule: rule} }

// canonicalIPv6 takes an IPv6 address, with or without brackets.
func canonicalIPv6(s string) (string, error) {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Is4() || a.Zone() != "" {
		return "", hostError("must be an IPv6 address without a zone if it has a colon or brackets")
	}
	return a.Unmap().String(), nil
}

func canonicalIPv4(s string) (string, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return "", hostError("must be an IPv4 address of four decimal numbers if it ends in a number")
	}
	return a.String(), nil
}

// toASCII lower-cases s and maps what is not ASCII. A name that is ASCII already goes
// through IDNA only if it claims to be the result of it: IDNA also refuses names that are
// in use, such as those with hyphens in the third and fourth place.
func toASCII(s string) (string, error) {
	ascii := isASCII(s)
	s = lower(s)
	if ascii && !hasPunycode(s) {
		return s, nil
	}
	name, err := idna.Lookup.ToASCII(s)
	if err != nil || !isASCII(name) {
		return "", hostError("must be a valid internationalised name")
	}
	// What maps to something that maps on has no canonical form.
	again, err := idna.Lookup.ToASCII(name)
	if err != nil || again != name {
		return "", hostError("must be a valid internationalised name")
	}
	return name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lower maps A-Z only: strings.ToLower also maps letters such as the Kelvin sign.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func hasPunycode(s string) bool {
	return strings.HasPrefix(s, "xn--") || strings.Contains(s, ".xn--")
}

// endsInNumber reports whether parsers of the loose kind (inet_aton, browsers) would take
// the name for an IPv4 address: its last label is a decimal or hexadecimal number.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" {
		return false
	}
	digits, isHex := strings.CutPrefix(last, "0x")
	return strings.IndexFunc(digits, func(r rune) bool {
		return !('0' <= r && r <= '9') && !(isHex && 'a' <= r && r <= 'f')
	}) < 0
}

// checkName holds a lower-case name against RFC 1123 §2.1: letters, digits and inner hyphens.
func checkName(name string) error {
	if len(name) > maxHost {
		return hostError("must not be longer than 253 bytes")
	}
	for label := range strings.SplitSeq(name, ".") {
		if !validLabel(label) {
			return hostError("must consist of labels of letters, digits and inner hyphens, at most 63 bytes each")
		}
	}
	return nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.IndexFunc(label, func(r rune) bool {
		return !('a' <= r && r <= 'z') && !('0' <= r && r <= '9') && r != '-'
	}) < 0
}
