package payload

import "bytes"

// Behind returns where the value ends that begins at i, in a text that [Valid] accepts; it looks at no
// more than it has to. Of other texts it may return any place from i+1 on within the text, or false.
func Behind(data []byte, i int) (end int, ok bool) {
	if i >= len(data) {
		return 0, false
	}
	switch c := data[i]; c {
	case '{', '[':
		end = structure(data, i)
	case '"':
		end = behindText(data, i+1)
	default:
		end = scalar(data, i+1, c)
	}
	return end, end <= len(data)
}

// What a byte means to structure.
const (
	opens = iota + 1
	closes
	quotes
)

var meanings = [256]byte{'{': opens, '[': opens, '}': closes, ']': closes, '"': quotes}

// structure goes behind an array or object that begins at i, whatever brackets it is closed with.
func structure(data []byte, i int) int {
	for depth := 0; i < len(data); {
		m := meanings[data[i]]
		i++
		switch m {
		case opens:
			depth++
		case closes:
			if depth--; depth == 0 {
				return i
			}
		case quotes:
			i = behindText(data, i)
		}
	}
	return wrong
}

// shortText is how many bytes of a string are looked at one by one, which is the quickest way through short ones.
const shortText = 24

// behindText goes behind a string whose quote is just before i.
func behindText(data []byte, i int) int {
	for short := min(i+shortText, len(data)); i < short; i++ {
		switch data[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	for i < len(data) {
		end := bytes.IndexByte(data[i:], '"')
		if end < 0 {
			return wrong
		}
		slash := bytes.IndexByte(data[i:i+end], '\\')
		if slash < 0 {
			return i + end + 1
		}
		i += slash + 2
	}
	return wrong
}
