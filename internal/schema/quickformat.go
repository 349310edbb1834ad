package schema

import (
	"maps"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// standard are the validator's own formats, as they were before anybody else could change them: the
// validator keeps them in a variable that any package can write to.
var standard = maps.Clone(jsonschema.Formats)

// quickFormats are strict readings of formats, which admit less than the validator does and take no
// memory.
var quickFormats = map[string]func(text []byte) bool{
	"date-time": isPlainDateTime,
	"date":      isPlainDate,
	"uuid":      isPlainUUID,
	"email":     isPlainEmail,
	"hostname":  isPlainHost,
}

// quickFormat returns what checks a format; ok is false if the validator has to.
func quickFormat(name string) (check func([]byte) bool, ok bool) {
	slow := formats()[name]
	quick := quickFormats[name]
	switch {
	case slow == nil:
		return nil, jsonschema.Formats[name] == nil // no format that is checked
	case quick == nil:
		return func(text []byte) bool { return slow(string(text)) }, true
	default:
		return func(text []byte) bool { return quick(text) || slow(string(text)) }, true
	}
}

// isPlainDateTime takes 2006-01-02T15:04:05Z with a fraction or an offset, without leap seconds.
func isPlainDateTime(text []byte) bool {
	if len(text) < len("2006-01-02T15:04:05Z") || text[10] != 'T' || !isPlainDate(text[:10]) || !isPlainTime(text[11:19]) {
		return false
	}
	rest := text[19:]
	if rest[0] == '.' {
		digits := 1
		for digits < len(rest) && isDigit(rest[digits]) {
			digits++
		}
		if digits == 1 {
			return false
		}
		rest = rest[digits:]
	}
	switch len(rest) {
	case 1:
		return rest[0] == 'Z'
	case 6:
		return (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' && pair(rest[1:], 23) && pair(rest[4:], 59)
	}
	return false
}

func isPlainTime(text []byte) bool {
	return text[2] == ':' && text[5] == ':' && pair(text, 23) && pair(text[3:], 59) && pair(text[6:], 59)
}

// isPlainDate takes the days that every month has.
func isPlainDate(text []byte) bool {
	if len(text) != len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return false
	}
	return pair(text, 99) && pair(text[2:], 99) && pair(text[5:], 12) && pair(text[8:], 28) &&
		string(text[5:7]) != "00" && string(text[8:]) != "00"
}

// pair reports whether text begins with two digits that are at most most.
func pair(text []byte, most byte) bool {
	return isDigit(text[0]) && isDigit(text[1]) && 10*(text[0]-'0')+text[1]-'0' <= most
}

func isPlainUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}

// isPlainEmail takes letters, digits and - _ + . on the left, a host on the right.
func isPlainEmail(text []byte) bool {
	at := 0
	for at < len(text) && text[at] != '@' {
		c := text[at]
		dot := c == '.' && at > 0 && text[at-1] != '.'
		if !dot && !isAlphanumeric(c) && c != '-' && c != '_' && c != '+' {
			return false
		}
		at++
	}
	return at > 0 && at <= 64 && len(text) <= 254 && at < len(text) && text[at-1] != '.' && isPlainHost(text[at+1:])
}

// isPlainHost takes labels of letters, digits and inner hyphens.
func isPlainHost(text []byte) bool {
	if len(text) == 0 || len(text) > 253 {
		return false
	}
	label := 0 // length so far
	for i, c := range text {
		switch {
		case isAlphanumeric(c):
			label++
		case c == '-' && label > 0 && i+1 < len(text) && text[i+1] != '.':
			label++
		case c == '.' && label > 0 && i+1 < len(text):
			label = 0
		default:
			return false
		}
		if label > 63 {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z'
}
