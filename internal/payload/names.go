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
	end      int // where its second quote is
	from, to int
	escaped  bool
}

// member reads a name and its colon.
func (s *scanner) member(at int) int {
	switch {
	case at == failed:
		return failed
	case at == len(s.data):
		return s.fail(Truncated, at)
	case s.data[at] != '"':
		return s.fail(Syntax, at)
	}
	next, escapes := s.str(at)
	if next == failed {
		return failed
	}
	s.named(at, next, escapes)
	next = s.space(next)
	switch {
	case next == len(s.data):
		return s.fail(Truncated, next)
	case s.data[next] != ':':
		return s.fail(Syntax, next)
	}
	return next + 1
}

// named adds the name between two places to those of the innermost object.
func (s *scanner) named(from, to int, escapes bool) {
	n := another(&s.names)
	n.offset, n.end, n.from, n.to, n.escaped = from, to-1, from+1, to-1, escapes
	if escapes {
		s.plain(n)
	}
	top := &s.frames[len(s.frames)-1]
	kind := kindOf(s.bytes(n))
	if top.seen&kind != 0 && !top.twins {
		top.twins = s.repeats(s.names[top.names:])
	}
	top.seen |= kind
}

// kindOf is one of 64 kinds of names, as a bit. Equal names are of one kind: only those are compared.
func kindOf(text []byte) uint64 {
	kind := uint(len(text))
	if kind > 0 {
		kind += 7*uint(text[0]) + 19*uint(text[len(text)-1]) + 37*uint(text[len(text)/2])
	}
	return 1 << (kind % 64)
}

// another makes a stack longer by one, which is to be written where it stays: to copy it there would cost
// more than all the rest.
func another[T any](stack *[]T) *T {
	n := len(*stack)
	if n < cap(*stack) {
		*stack = (*stack)[:n+1]
	} else {
		*stack = append(*stack, *new(T))
	}
	return &(*stack)[n]
}

// plain writes down the text of a name with escapes.
func (s *scanner) plain(n *name) {
	text := s.data[n.from:n.to]
	n.from = len(s.escaped)
	s.escaped = Unescape(s.escaped, text)
	n.to = len(s.escaped)
}

func (s *scanner) bytes(n *name) []byte {
	if n.escaped {
		return s.escaped[n.from:n.to]
	}
	return s.data[n.from:n.to]
}

// few is how many names are compared one by one.
const few = 64

// repeats reports whether the last of an object's names is equal to another one, or they are too many to be
// compared one by one.
func (s *scanner) repeats(names []name) bool {
	last := len(names) - 1
	if last >= few {
		return true
	}
	one := s.bytes(&names[last])
	for i := range names[:last] {
		if other := s.bytes(&names[i]); len(other) == len(one) && string(other) == string(one) {
			return true
		}
	}
	return false
}

// leave drops the names of the object that ends here and refuses it if two of them are equal.
func (s *scanner) leave(f *frame) bool {
	names := s.names[f.names:]
	if f.twins {
		if second := s.secondTwin(names); second >= 0 {
			return s.duplicate(names[second])
		}
	}
	s.names = s.names[:f.names]
	return true
}

// secondTwin sorts names and finds the first in the text that repeats an earlier one, or -1. Sorting
// needs no memory and, unlike a table, has no bad case for hostile names.
func (s *scanner) secondTwin(names []name) int {
	slices.SortFunc(names, func(a, b name) int {
		if c := bytes.Compare(s.bytes(&a), s.bytes(&b)); c != 0 {
			return c
		}
		return cmp.Compare(a.offset, b.offset)
	})
	second := -1
	for i := 1; i < len(names); i++ {
		if !bytes.Equal(s.bytes(&names[i-1]), s.bytes(&names[i])) {
			continue
		}
		if second < 0 || names[i].offset < names[second].offset {
			second = i
		}
	}
	return second
}

func (s *scanner) duplicate(n name) bool {
	// The object's last name stands for the member being read when the pointer is made.
	s.names[len(s.names)-1] = n
	s.fail(DuplicateMember, n.offset)
	return false
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
			pointer = AppendToken(pointer, string(s.bytes(&s.names[end-1])))
		}
	}
	return pointer
}

// Unescape appends what a string of a text that passed [Check] says, given without its quotes, to dst.
func Unescape(dst, src []byte) []byte {
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
