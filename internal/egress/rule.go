package egress

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Rule names hosts that may be called on one port: one host by its name or address, or
// with *.example.com every subdomain of a domain, at any depth, but not the domain itself.
// Rules are values, made by [ParseRule] or [RuleFor], and equal if they mean the same. The
// zero Rule matches nothing.
type Rule struct {
	host     string // canonical; without "*." for a wildcard
	port     int
	wildcard bool
}

// ParseRule reads "host", "host:port" or the same with "*." before a DNS name. The host
// may be spelt in any way [CanonicalHost] takes; IPv6 addresses need brackets if a port
// follows. Without a port it is 443. Refused are "*", wildcards over a public suffix such
// as *.com or *.co.uk, over a single label or over an address, schemes and paths. The error
// is a *SyntaxError.
func ParseRule(s string) (Rule, error) {
	host, port, err := splitRule(s)
	if err != nil {
		return Rule{}, err
	}
	host, wildcard := strings.CutPrefix(host, "*.")
	host, err = CanonicalHost(host)
	if err != nil {
		return Rule{}, ruleError("must be a host, *.domain, or either with a port")
	}
	if wildcard && !canHaveSubdomains(host) {
		return Rule{}, ruleError("must not be a wildcard over an address, a single label or a public suffix")
	}
	return Rule{host: host, port: port, wildcard: wildcard}, nil
}

func ruleError(rule string) error { return &SyntaxError{What: "host rule", Rule: rule} }

func splitRule(s string) (host string, port int, err error) {
	if strings.Contains(s, "/") {
		return "", 0, ruleError("must be a host without scheme and path, as api.example.com")
	}
	i := strings.LastIndexByte(s, ':')
	bareIPv6 := !strings.HasPrefix(s, "[") && strings.Count(s, ":") > 1
	if i < 0 || bareIPv6 || strings.HasSuffix(s, "]") {
		return s, 443, nil
	}
	port, err = parsePort(s[i+1:], "host rule")
	return s[:i], port, err
}

func canHaveSubdomains(host string) bool {
	if isIP(host) || !strings.Contains(host, ".") {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	return host != suffix || !icann
}

// RuleFor returns the rule that matches the host and port of u and nothing else. u is
// as [ParseURL] made it.
func RuleFor(u *url.URL) Rule {
	host, port := HostPort(u)
	return Rule{host: host, port: port}
}

// String returns the canonical form, which ParseRule reads back as an equal rule: the port
// only if it is not 443, IPv6 addresses in brackets.
func (r Rule) String() string {
	s := joinHost(r.host)
	if r.wildcard {
		s = "*." + s
	}
	if r.port != 443 {
		s += ":" + strconv.Itoa(r.port)
	}
	return s
}

// Match reports whether the rule allows a host, in canonical form, on a port.
func (r Rule) Match(host string, port int) bool {
	if r.host == "" || port != r.port {
		return false
	}
	if r.wildcard {
		return isSubdomain(host, r.host)
	}
	return host == r.host
}

func isSubdomain(host, domain string) bool {
	sub, ok := strings.CutSuffix(host, "."+domain)
	return ok && sub != ""
}

// Covers reports whether r matches every host that other matches.
func (r Rule) Covers(other Rule) bool {
	if r == other {
		return true
	}
	return r.wildcard && r.Match(other.host, other.port)
}

// Rules is a list of what may be called; the empty list allows nothing.
type Rules []Rule

// ParseRules reads each of list with [ParseRule].
func ParseRules(list ...string) (Rules, error) {
	rules := make(Rules, 0, len(list))
	for _, s := range list {
		r, err := ParseRule(s)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// AllowsURL reports whether some rule matches the host and port of u, which is as
// [ParseURL] made it; no rule matches a URL in another form.
func (rs Rules) AllowsURL(u *url.URL) bool {
	if !isCanonical(u) {
		return false
	}
	host, port := HostPort(u)
	return slices.ContainsFunc(rs, func(r Rule) bool { return r.Match(host, port) })
}

// For returns the rule that allows the host and port of u, which is as [ParseURL] made it: the
// one that names the host, or else the first wildcard.
func (rs Rules) For(u *url.URL) (Rule, bool) {
	host, port := HostPort(u)
	found := -1
	for i, r := range rs {
		if r.Match(host, port) && (found < 0 || !r.wildcard) {
			found = i
		}
	}
	if found < 0 {
		return Rule{}, false
	}
	return rs[found], true
}

// Covers reports whether one of the rules covers r.
func (rs Rules) Covers(r Rule) bool {
	return slices.ContainsFunc(rs, func(own Rule) bool { return own.Covers(r) })
}

// Intersect returns rules that allow exactly what both lists allow, in the order of rs,
// none of them twice. The lists are not changed.
func (rs Rules) Intersect(other Rules) Rules {
	both := Rules{}
	add := func(r Rule) {
		if !slices.Contains(both, r) {
			both = append(both, r)
		}
	}
	for _, a := range rs {
		for _, b := range other {
			if a.Covers(b) {
				add(b)
			} else if b.Covers(a) {
				add(a)
			}
		}
	}
	return both
}

// Strings returns the canonical form of each rule, in order.
func (rs Rules) Strings() []string {
	list := make([]string, len(rs))
	for i, r := range rs {
		list[i] = r.String()
	}
	return list
}
