package egress

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reservedHeaders belong to the connection or to the message's framing, and to this library.
var reservedHeaders = []string{
	"accept-encoding",
	"connection",
	"content-length",
	"expect",
	"host",
	"http2-settings",
	"keep-alive",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
}

// CheckHeaderName reports whether a definition or payload may set a header of this name: a
// token of RFC 9110 §5.6.2 that does not concern the connection, the framing, a proxy or
// the encoding of the answer. Upper and lower case do not matter, nor does _ for -, which
// some servers take for the same. The error is a *SyntaxError.
func CheckHeaderName(name string) error {
	if name == "" || strings.ContainsFunc(name, notToken) {
		return &SyntaxError{What: "header name", Rule: "must be a token of RFC 9110"}
	}
	folded := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if slices.Contains(reservedHeaders, folded) || strings.HasPrefix(folded, "proxy-") {
		return &SyntaxError{What: "header name", Rule: "must not be one that belongs to the connection"}
	}
	return nil
}

func notToken(r rune) bool {
	alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// CheckHeaderValue reports whether v can stand in a header: valid UTF-8 without control
// characters other than tab. The error is a *SyntaxError and shows nothing of v.
func CheckHeaderValue(v string) error {
	if isPrintable(v) {
		return nil
	}
	if !utf8.ValidString(v) || strings.ContainsFunc(v, forbiddenInValue) {
		return &SyntaxError{What: "header value", Rule: "must be UTF-8 without control characters"}
	}
	return nil
}

// isPrintable reports whether v is printable ASCII, as most values are.
func isPrintable(v string) bool {
	for i := range len(v) {
		if v[i] < ' ' || v[i] > '~' {
			return false
		}
	}
	return true
}

func forbiddenInValue(r rune) bool { return r != '\t' && unicode.IsControl(r) }
