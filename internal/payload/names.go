package payload

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// name is a member name: a piece of the input or, if it was written with escapes, of scanner.escaped.
type name struct {
	offset   int // where it begins in the input, with its quote
	from, to int
	escaped  bool
}

// member reads a name and its colon.
func (s *scanner) member() *Problem {
	if s.pos == len(s.data) {
		return s.problem(Truncated)
	}
	if s.data[s.pos] != '"' {
		return s.problem(Syntax)
	}
	begin := s.pos
	escapes, p := s.str()
	if p != nil {
		return p
	}
	s.names = append(s.names, s.newName(begin, escapes))
	s.space()
	switch {
	case s.pos == len(s.data):
		return s.problem(Truncated)
	case s.data[s.pos] != ':':
		return s.problem(Syntax)
	}
	s.pos++
	return nil
}

func (s *scanner) newName(begin int, escapes bool) name {
	n := name{offset: begin, from: begin + 1, to: s.pos - 1, escaped: escapes}
	if escapes {
		text := s.data[n.from:n.to]
		n.from = len(s.escaped)
		s.escaped = unescape(s.escaped, text)
		n.to = len(s.escaped)
	}
	return n
}

func (s *scanner) bytes(n name) []byte {
	if n.escaped {
		return s.escaped[n.from:n.to]
	}
	return s.data[n.from:n.to]
}

// few is how many names are compared one by one.
const few = 16

// twins reports whether two of a few names are equal.
func (s *scanner) twins(names []name) bool {
	for i := 1; i < len(names); i++ {
		one := s.bytes(names[i])
		for _, other := range names[:i] {
			if same := s.bytes(other); len(same) == len(one) && string(same) == string(one) {
				return true
			}
		}
	}
	return false
}

// leave drops the names of the object that ends here and refuses it if two of them are equal. Sorting needs
// no memory and, unlike a table, has no bad case for hostile names.
func (s *scanner) leave(first int) *Problem {
	names := s.names[first:]
	if len(names) <= few && !s.twins(names) {
		s.names = s.names[:first]
		return nil
	}
	slices.SortFunc(names, func(a, b name) int {
		if c := bytes.Compare(s.bytes(a), s.bytes(b)); c != 0 {
			return c
		}
		return cmp.Compare(a.offset, b.offset)
	})
	second := -1
	for i := 1; i < len(names); i++ {
		if !bytes.Equal(s.bytes(names[i-1]), s.bytes(names[i])) {
			continue
		}
		if second < 0 || names[i].offset < names[second].offset {
			second = i
		}
	}
	if second >= 0 {
		return s.duplicate(names[second])
	}
	s.names = s.names[:first]
	return nil
}

func (s *scanner) duplicate(n name) *Problem {
	// The object's last name stands for the member being read when the pointer is made.
	s.names[len(s.names)-1] = n
	s.pos = n.offset
	return s.problem(DuplicateMember)
}

// pointer says where the scanner stands.
func (s *scanner) pointer() string {
	pointer := ""
	for i, f := range s.frames {
		end := len(s.names)
		if i+1 < len(s.frames) {
			end = s.frames[i+1].names
		}
		switch {
		case !f.object:
			pointer = AppendToken(pointer, strconv.Itoa(f.index))
		case end > f.names:
			pointer = AppendToken(pointer, string(s.bytes(s.names[end-1])))
		}
	}
	return pointer
}

// unescape appends the text of a string's inside that str has accepted.
func unescape(dst, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		if src[i] != '\\' {
			dst = append(dst, src[i])
			continue
		}
		i++
		if src[i] != 'u' {
			dst = append(dst, plainEscape(src[i]))
			continue
		}
		unit := hexUnit(src[i+1:])
		i += 4
		if utf16.IsSurrogate(unit) {
			unit = utf16.DecodeRune(unit, hexUnit(src[i+3:]))
			i += 6
		}
		dst = utf8.AppendRune(dst, unit)
	}
	return dst
}

func plainEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

func hexUnit(src []byte) (unit rune) {
	for _, c := range src[:4] {
		digit, _ := hexDigit(c)
		unit = unit<<4 | digit
	}
	return unit
}
