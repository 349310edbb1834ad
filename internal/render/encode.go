package render

import (
	"unicode/utf8"

	"github.com/integrationhub/hub/internal/egress"
)

// An encoder appends text to dst as its place needs it, or says why it cannot stand there.
type encoder func(dst []byte, text string) ([]byte, *refusal)

// A refusal is a rule that a value broke.
type refusal struct{ rule, message string }

var (
	refusedHeader = &refusal{"bad-header-value", "a header value is UTF-8 without control characters"}
	refusedUTF8   = &refusal{"invalid-utf8", "the value is not valid UTF-8"}
	refusedXML    = &refusal{"xml-character", "the value holds a character that XML 1.0 does not have"}
)

const upperHex = "0123456789ABCDEF"

// plain writes text as it is.
func plain(dst []byte, text string) ([]byte, *refusal) { return append(dst, text...), nil }

// percent writes the unreserved characters of RFC 3986 section 2.3 as they are and every other byte
// as a percent triplet; a space is %20, which paths, queries and forms read alike.
func percent(dst []byte, text string) ([]byte, *refusal) {
	for i := range len(text) {
		dst = appendPercent(dst, text[i])
	}
	return dst, nil
}

func appendPercent(dst []byte, b byte) []byte {
	if unreserved(b) {
		return append(dst, b)
	}
	return append(dst, '%', upperHex[b>>4], upperHex[b&15])
}

func unreserved(b byte) bool {
	switch {
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		return true
	}
	return b == '-' || b == '.' || b == '_' || b == '~'
}

// headerText writes a header value as it is; control characters but tab are refused.
func headerText(dst []byte, text string) ([]byte, *refusal) {
	if egress.CheckHeaderValue(text) != nil {
		return dst, refusedHeader
	}
	return append(dst, text...), nil
}

// jsonText writes the inside of a JSON string (RFC 8259 section 7) and escapes what must be.
func jsonText(dst []byte, text string) ([]byte, *refusal) {
	if !utf8.ValidString(text) {
		return dst, refusedUTF8
	}
	start := 0
	for i := range len(text) {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, upperHex[b>>4], upperHex[b&15])
		}
	}
	return append(dst, text[start:]...), nil
}

// xmlText writes character data or the inside of an attribute value: markup as entities, white
// space as character references, so that neither line ends nor attributes are normalised.
func xmlText(dst []byte, text string) ([]byte, *refusal) {
	for i, r := range text {
		switch r {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '"':
			dst = append(dst, "&#34;"...)
		case '\'':
			dst = append(dst, "&#39;"...)
		case '\t':
			dst = append(dst, "&#9;"...)
		case '\n':
			dst = append(dst, "&#10;"...)
		case '\r':
			dst = append(dst, "&#13;"...)
		case utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				return dst, refusedUTF8
			}
			dst = utf8.AppendRune(dst, r)
		default:
			if r < ' ' || r == 0xFFFE || r == 0xFFFF {
				return dst, refusedXML
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst, nil
}

// compact appends the JSON text raw without the white space between its tokens.
func compact[Text string | []byte](dst []byte, raw Text) []byte {
	quoted, start := false, 0
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case b == '"':
			quoted = !quoted
		case quoted && b == '\\':
			i++
		case !quoted && (b == ' ' || b == '\t' || b == '\n' || b == '\r'):
			dst = append(dst, raw[start:i]...)
			start = i + 1
		}
	}
	return append(dst, raw[start:]...)
}
