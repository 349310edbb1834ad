package payload

import (
	"strings"
	"unicode/utf8"
)

const (
	maxToken   = 64  // bytes of one name that a pointer shows
	maxPointer = 512 // bytes of a whole pointer
	cutMark    = "…"

	// A pointer of this length may not have room for one more token, all of it escaped, and the mark.
	fullPointer = maxPointer - len("/") - 2*maxToken - len(cutMark) - len("/"+cutMark)
)

// AppendToken returns pointer extended by one reference token, escaped as RFC 6901
// says. A name longer than 64 bytes is cut at a character's edge and marked with an
// ellipsis. A pointer never grows beyond 512 bytes: an ellipsis stands for the tokens that have no room.
func AppendToken(pointer, token string) string {
	switch {
	case len(pointer) < fullPointer:
		return pointer + "/" + escapeToken(cut(token))
	case strings.HasSuffix(pointer, "/"+cutMark):
		return pointer
	default:
		return pointer + "/" + cutMark
	}
}

func cut(name string) string {
	if len(name) <= maxToken {
		return name
	}
	end := maxToken
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + cutMark
}

func escapeToken(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
