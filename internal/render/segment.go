package render

import "strings"

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

var (
	emptySegment = &refusal{"empty-segment", "a path segment cannot be empty"}
	dotSegment   = &refusal{"dot-segment", `a path segment cannot be "." or "..", also after decoding`}
	deepSegment  = &refusal{"encoded-too-often", "a path segment is percent-encoded more than eight times"}
)

// judgeSegment refuses a segment, as it goes on the wire, that some server could take for a step in
// the tree: it is decoded again and again, cut at both slashes, and each piece is looked at without
// its parameters and the blanks around it.
func judgeSegment(wire string) *refusal {
	for range 8 {
		if r := judgeDecoded(wire); r != nil {
			return r
		}
		next := unescape(wire)
		if next == wire {
			return nil
		}
		wire = next
	}
	return deepSegment
}

// harmless reports whether a segment is made of letters, digits, "-", "_" and "~" alone, as most are.
func harmless(wire []byte) bool {
	for _, c := range wire {
		if c == '.' || !unreserved(c) {
			return false
		}
	}
	return len(wire) > 0
}

func judgeDecoded(text string) *refusal {
	empty := true
	for part := range strings.FieldsFuncSeq(text, isSlash) {
		part, _, _ = strings.Cut(part, ";")
		part = strings.TrimFunc(part, func(r rune) bool { return r <= ' ' || r == 0x7f })
		if part == "." || part == ".." {
			return dotSegment
		}
		empty = empty && part == ""
	}
	if empty {
		return emptySegment
	}
	return nil
}

func isSlash(r rune) bool { return r == '/' || r == '\\' }

// unescape decodes the percent triplets of s once; what is none stays.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	dst := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			dst = append(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		dst = append(dst, s[i])
	}
	return string(dst)
}

func unhex(b byte) byte {
	if b >= 'a' {
		return b - 'a' + 10
	}
	if b >= 'A' {
		return b - 'A' + 10
	}
	return b - '0'
}
