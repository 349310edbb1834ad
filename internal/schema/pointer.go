package schema

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/internal/payload"
)

// The validator writes pointers as URI fragments (RFC 6901, section 6), in locations of schemas and of
// instances alike.

func escapeToken(name string) string {
	return url.PathEscape(strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"))
}

func unescapeToken(token string) (string, error) {
	plain, err := url.PathUnescape(token)
	return unescapePlain(plain), err
}

func unescapePlain(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// tokens takes a fragment apart, decoded.
func tokens(fragment string) []string {
	if fragment == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(fragment, "/"), "/")
	for i, part := range parts {
		// What does not decode was not encoded either.
		if plain, err := unescapeToken(part); err == nil {
			parts[i] = plain
		}
	}
	return parts
}

// showPointer makes the bounded pointer that errors carry.
func showPointer(fragment string) string {
	return join(tokens(fragment))
}

func join(names []string) (pointer string) {
	for _, name := range names {
		pointer = payload.AppendToken(pointer, name)
	}
	return pointer
}

// lookup follows names, each passed through decode, into a decoded JSON value.
func lookup(v any, names []string, decode func(string) string) (any, bool) {
	for _, name := range names {
		switch container := v.(type) {
		case map[string]any:
			next, ok := container[decode(name)]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			v = container[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func literally(name string) string { return name }
