package env

import (
	"encoding/hex"
	"strings"
)

// What follows an underscore in the name of a variable. A capital letter there stands for
// itself, a second underscore for one underscore.
const (
	codePart = '0' // the next of tenant, connector and name begins
	codeDash = '1' // a dash
	codeByte = '2' // any other byte, as two hexadecimal digits
)

// encode writes the texts so that decode finds them again: no two lists of texts give the
// same name, not even where the case of names does not count.
func encode(texts ...string) string {
	var b strings.Builder
	for i, s := range texts {
		if i > 0 {
			b.WriteByte('_')
			b.WriteByte(codePart)
		}
		for j := range len(s) {
			encodeByte(&b, s[j])
		}
	}
	return b.String()
}

func encodeByte(b *strings.Builder, c byte) {
	switch {
	case c >= 'a' && c <= 'z':
		b.WriteByte(c - 'a' + 'A')
	case c >= '0' && c <= '9':
		b.WriteByte(c)
	case isUpper(c) || c == '_':
		b.WriteByte('_')
		b.WriteByte(c)
	case c == '-':
		b.WriteByte('_')
		b.WriteByte(codeDash)
	default:
		b.WriteByte('_')
		b.WriteByte(codeByte)
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
}

// decode returns the three texts whose code this is, and false if it is that of none.
func decode(code string) (texts [3]string, ok bool) {
	var parts [len(texts)][]byte
	part := 0
	for rest := code; rest != ""; {
		s, n := decodeFirst(rest)
		if n == 0 {
			return texts, false
		}
		if rest = rest[n:]; s != "" {
			parts[part] = append(parts[part], s...)
			continue
		}
		if part++; part == len(parts) {
			return texts, false
		}
	}
	for i := range texts {
		texts[i] = string(parts[i])
	}
	// Only what encode writes is a code: a second spelling would be a second variable.
	return texts, encode(texts[:]...) == code
}

// decodeFirst returns the byte that a code begins with, or an empty text where the next
// part begins, and how long its code is; zero if it is none.
func decodeFirst(code string) (text string, n int) {
	if code[0] != '_' {
		return strings.ToLower(code[:1]), 1
	}
	if len(code) < 2 {
		return "", 0
	}
	switch code[1] {
	case codePart:
		return "", 2
	case codeDash:
		return "-", 2
	case codeByte:
		return decodeHex(code)
	default:
		return code[1:2], 2
	}
}

func decodeHex(code string) (text string, n int) {
	if len(code) < 4 {
		return "", 0
	}
	b, err := hex.DecodeString(code[2:4])
	if err != nil {
		return "", 0
	}
	return string(b), 4
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
