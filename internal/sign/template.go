package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Part is one part of a canonical string or of a header's value: literal text or, if Field is
// not empty, a fact of the request.
type Part struct {
	Literal string
	Field   string // method, path, header …
	Arg     string // of header: its name
}

var (
	field  = regexp.MustCompile(`\{([a-z][a-z0-9-]*)(?::([^{}]*))?\}`)
	fields = []string{
		"method", "scheme", "host", "path", "query", "sorted-query", "url", "body", "body-sha256", "body-sha256-base64",
		"header", "timestamp", "nonce", "signature",
	}
)

// Cut cuts a text at its fields: {method}, {header:Content-Type}. Braces that hold no field's
// name are text. A {{ is refused, since it means a payload value elsewhere.
func Cut(text string) ([]Part, error) {
	if strings.Contains(text, "{{") {
		return nil, errors.New("holds {{, which has no meaning here")
	}
	var parts []Part
	last := 0
	for _, m := range field.FindAllStringSubmatchIndex(text, -1) {
		p, hasArg := Part{Field: text[m[2]:m[3]]}, m[4] >= 0
		if hasArg {
			p.Arg = text[m[4]:m[5]]
		}
		if !slices.Contains(fields, p.Field) {
			continue
		}
		if (p.Field == "header") != hasArg || hasArg && p.Arg == "" {
			return nil, errors.New("{header:NAME} needs a name, and no other field takes one")
		}
		if m[0] > last {
			parts = append(parts, Part{Literal: text[last:m[0]]})
		}
		parts, last = append(parts, p), m[1]
	}
	if last < len(text) {
		parts = append(parts, Part{Literal: text[last:]})
	}
	return parts, nil
}

// Message is what the fields of a request are read from.
type Message struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
	// Timestamp, Nonce and Signature are texts made for the attempt.
	Timestamp, Nonce, Signature string
}

// Value returns the value of a part.
func (m *Message) Value(p Part) string {
	switch p.Field {
	case "":
		return p.Literal
	case "method":
		return m.Method
	case "scheme":
		return m.URL.Scheme
	case "host":
		return m.URL.Host
	case "path":
		return pathOf(m.URL)
	case "query":
		return m.URL.RawQuery
	case "sorted-query":
		sorted, _ := sortedQuery(m.URL.RawQuery) // what cannot be read is left out
		return sorted
	case "url":
		return m.URL.String()
	case "header":
		return joined(m.Header.Values(p.Arg))
	case "timestamp":
		return m.Timestamp
	case "nonce":
		return m.Nonce
	case "signature":
		return m.Signature
	default:
		return m.body(p.Field)
	}
}

func (m *Message) body(field string) string {
	sum := sha256.Sum256(m.Body)
	switch field {
	case "body-sha256":
		return hexHash(m.Body)
	case "body-sha256-base64":
		return base64.StdEncoding.EncodeToString(sum[:])
	default:
		return string(m.Body)
	}
}

func pathOf(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// clock writes times in the forms that APIs ask for, by name.
var clock = map[string]func(time.Time) string{
	"unix":    func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
	"unix-ms": func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
	"rfc3339": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"http":    func(t time.Time) string { return t.UTC().Format(http.TimeFormat) },
}

// IsTimestamp reports whether a word names a form of time.
func IsTimestamp(form string) bool { return clock[form] != nil }

// Timestamp writes a time in a form that IsTimestamp knows; empty in any other.
func Timestamp(form string, at time.Time) string {
	if write := clock[form]; write != nil {
		return write(at)
	}
	return ""
}
