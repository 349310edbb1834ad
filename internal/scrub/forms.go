package scrub

import (
	"encoding/base64"
	"encoding/hex"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// maxHead is how much of a form is looked for, in bytes. A text that has so much of a
	// secret is taken to have all of it: what follows is masked unread, as far as the form
	// is long. So neither memory nor time grows with the length of secrets.
	maxHead = 256
	// maxEncoded is the length of secrets whose forms are written out to know their
	// lengths; of longer ones the longest possible is assumed, \u0000 for each byte.
	maxEncoded = 8 << 10
	longest    = 6
)

// addHeads adds the beginning of each form of a secret, with the length of the form.
func addHeads(whole map[string]int, v string) {
	atLeast := 0
	if len(v) > maxEncoded {
		v, atLeast = v[:maxHead], longest*len(v)
	}
	for _, form := range forms(v) {
		head := form[:min(len(form), maxHead)]
		whole[head] = max(whole[head], len(form), atLeast)
	}
}

// forms returns what a secret looks like in the answers of programs, itself
// included, without order, with duplicates.
func forms(v string) []string {
	out := quotings(v)
	out = append(out, hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))))
	for _, piece := range base64Pieces(v) {
		out = append(out, urlAlphabet.Replace(piece))
		out = append(out, quotings(piece)...)
	}
	if name := textproto.CanonicalMIMEHeaderKey(v); name != v {
		out = append(out, name, strings.ToLower(v))
	}
	return out
}

// urlAlphabet turns base64 into that for URLs.
var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

// base64Pieces returns the characters of standard base64 that depend on v
// alone, for the three places where v can begin within a group of three bytes,
// and the whole encoding with and without padding.
func base64Pieces(v string) []string {
	whole := base64.StdEncoding.EncodeToString([]byte(v))
	out := []string{whole, strings.TrimRight(whole, "=")}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00"[:before] + v))
		out = append(out, text[(8*before+5)/6:8*(before+len(v))/6])
	}
	return out
}

// quotings returns v and what escaping for a URL, JSON or XML makes of it.
func quotings(v string) []string {
	out := []string{v}
	odd := oddOf(v)
	if odd == "" {
		return out
	}
	// Every style escapes one character after the other, so two that make the same of the odd
	// ones make the same of all.
	seen := []string{odd}
	for _, style := range styles {
		if made := style(odd); !slices.Contains(seen, made) {
			seen = append(seen, made)
			out = append(out, style(v))
		}
	}
	return out
}

// oddOf returns the characters of v that a style may escape, each once and apart from the others.
func oddOf(v string) string {
	odd := "x"
	for i := 0; i < len(v); {
		_, n := utf8.DecodeRuneInString(v[i:])
		if c := v[i : i+n]; !alphanumeric(c[0]) && !strings.Contains("-_.", c) && !strings.Contains(odd, "x"+c+"x") {
			odd += c + "x"
		}
		i += n
	}
	return odd[1:]
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// styles are all ways to escape a text.
var styles = func() (out []func(string) string) {
	for _, p := range percentStyles {
		out = append(out, p.encode, func(v string) string { return lowerHex(p.encode(v)) })
	}
	for _, j := range jsonStyles {
		out = append(out, j.encode)
	}
	for _, x := range xmlStyles {
		out = append(out, x.Replace)
	}
	return out
}()

// percentStyle is a way to percent-encode: what it leaves beside letters and
// digits, and what it makes of a space.
type percentStyle struct{ keep, space string }

var percentStyles = [...]percentStyle{
	{"-._~", "%20"},                // RFC 3986 strictly
	{"-._~", "+"},                  // Go's url.QueryEscape, Python's quote_plus
	{"-._*", "+"},                  // HTML forms, Java's URLEncoder
	{"-._~!'()*", "%20"},           // JavaScript's encodeURIComponent
	{"-._~$&+=:@", "%20"},          // Go's url.PathEscape
	{"-._~!$&'()*+,;=:@", "%20"},   // all that a path segment may hold
	{"-._~!$&'()*+,;=:@/?", "%20"}, // all that a query may hold
	{"-._~/", "%20"},               // Python's quote
}

func (p percentStyle) encode(v string) string {
	var b strings.Builder
	for i := range len(v) {
		switch c := v[i]; {
		case alphanumeric(c) || strings.IndexByte(p.keep, c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteString(p.space)
		default:
			b.WriteByte('%')
			b.WriteByte(upperHexDigits[c>>4])
			b.WriteByte(upperHexDigits[c&15])
		}
	}
	return b.String()
}

// lowerHex turns the digits after each percent sign to lower case.
func lowerHex(encoded string) string {
	b := []byte(encoded)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
			i += 2
		}
	}
	return string(b)
}

const (
	upperHexDigits = "0123456789ABCDEF"
	lowerHexDigits = "0123456789abcdef"
)

// jsonStyle is a way to write a JSON string.
type jsonStyle struct {
	codes  string // characters written as \uXXXX
	slash  bool   // "/" is written as "\/"
	ascii  bool   // so are all beyond ASCII
	digits string // of a code
}

var jsonStyles = func() (out []jsonStyle) {
	for _, codes := range [...]string{
		"",                // JavaScript, Python, most others
		"<>&\u2028\u2029", // Go, Rails
		"<>&='",           // Gson
		"<>&'+\"`",        // .NET
		"<>&'\"",          // PHP with its HEX flags
	} {
		for _, digits := range [...]string{lowerHexDigits, upperHexDigits} {
			for i := range 4 {
				out = append(out, jsonStyle{codes, i&1 != 0, i&2 != 0, digits})
			}
		}
	}
	return out
}()

func (j jsonStyle) encode(v string) string {
	var b strings.Builder
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRuneInString(v[i:])
		j.write(&b, r, v[i:i+n])
		i += n
	}
	return b.String()
}

func (j jsonStyle) write(b *strings.Builder, r rune, raw string) {
	short := strings.IndexRune("\"\\\b\f\n\r\t", r)
	switch {
	case strings.ContainsRune(j.codes, r) || j.ascii && r >= utf8.RuneSelf:
		for _, unit := range utf16.Encode([]rune{r}) {
			j.code(b, unit)
		}
	case short >= 0:
		b.WriteByte('\\')
		b.WriteByte(`"\bfnrt`[short])
	case r < ' ':
		j.code(b, uint16(r))
	case r == '/' && j.slash:
		b.WriteString(`\/`)
	default:
		b.WriteString(raw)
	}
}

func (j jsonStyle) code(b *strings.Builder, unit uint16) {
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(j.digits[unit>>shift&15])
	}
}

var xmlStyles = [...]*strings.Replacer{
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;"),
	strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;"),
}
