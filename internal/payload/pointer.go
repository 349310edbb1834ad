package payload

import (
	"strings"
	"unicode/utf8"
)

const (
	maxToken   = 64  // bytes of one name that a pointer shows
	maxPointer = 512 // bytes of a whole pointer
	cutMark    = "…"
)

// AppendToken returns pointer extended by one reference token, escaped as RFC 6901
// says. A name longer than 64 bytes is cut at a character's edge and marked with an
// ellipsis; so is the pointer as a whole at 512 bytes, after which tokens are dropped.
func AppendToken(pointer, token string) string {
	if strings.HasSuffix(pointer, "/"+cutMark) && len(pointer) > maxPointer {
		return pointer
	}
	if next := pointer + "/" + escapeToken(cut(token)); len(next) <= maxPointer {
		return next
	}
	// Padding to the full length would show half a token: the mark stands for all that is left out.
	return pointer + "/" + cutMark
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
