package payload

// scanner reads one JSON text from the left to the right. Open arrays and objects are kept in a stack
// of its own instead of the goroutine's, so that depth costs nothing but a limit.
//
// What reads a piece of the text takes the place where it begins and returns the one behind it, or
// failed, after it said why in problem. The place is handed on, not kept here: the way of a text
// through memory would take longer than to read it.
type scanner struct {
	data    []byte
	limits  Limits
	problem *Problem // the first

	frames  []frame // the arrays and objects that are open, outermost first
	names   []name  // the member names of all open objects, frame by frame
	escaped []byte  // text of the names that were written with escapes
	index   *index  // gathers the values; nil: nobody wants them
}

const failed = -1

// frame is one open array or object.
type frame struct {
	object bool
	twins  bool   // two of its names are equal, or may be
	seen   uint64 // the kinds of its names
	names  int    // where its names begin in scanner.names
	index  int    // the element being read, in an array
	node   int    // its own in scanner.index
}

// whole reads the whole input.
func (s *scanner) whole() *Problem {
	at, more := s.start(), true
	for more && at != failed {
		var inside bool
		if at, inside = s.value(at); at != failed && !inside {
			at, more = s.next(at)
		}
	}
	return s.problem
}

func (s *scanner) start() int {
	if len(s.data) >= 3 && string(s.data[:3]) == "\uFEFF" {
		return s.fail(ByteOrderMark, 0)
	}
	at := s.space(0)
	if at == len(s.data) {
		return s.fail(Empty, at)
	}
	return at
}

// value reads one scalar, or the beginning of an array or object. It reports true if it stops before the
// first value inside one.
func (s *scanner) value(at int) (next int, inside bool) {
	at = s.space(at)
	if at == len(s.data) {
		return s.fail(Truncated, at), false
	}
	switch s.data[at] {
	case '{':
		return s.open(at, true, '}')
	case '[':
		return s.open(at, false, ']')
	case '"':
		next, escapes := s.str(at)
		return s.scalar(String, at, next, escapes), false
	case 't':
		return s.scalar(True, at, s.literal(at, "true"), false), false
	case 'f':
		return s.scalar(False, at, s.literal(at, "false"), false), false
	case 'n':
		return s.scalar(Null, at, s.literal(at, "null"), false), false
	default:
		return s.scalar(Number, at, s.number(at), false), false
	}
}

// scalar notes a value that was read.
func (s *scanner) scalar(kind Kind, from, to int, escaped bool) int {
	if to != failed && s.index != nil {
		s.index.add(s, kind, from, to, escaped)
	}
	return to
}

// open enters an array or object. An empty one is left again at once.
func (s *scanner) open(at int, object bool, closing byte) (next int, inside bool) {
	if len(s.frames) >= s.limits.Depth {
		return s.limited(TooDeep, at, s.limits.Depth), false
	}
	node := s.index.open(s, at, object)
	f := another(&s.frames)
	f.object, f.twins, f.seen = object, false, 0
	f.names, f.index, f.node = len(s.names), 0, node
	at = s.space(at + 1)
	switch {
	case at == len(s.data):
		return s.fail(Truncated, at), false
	case s.data[at] == closing:
		return s.close(at), false
	case object:
		return s.member(at), true
	default:
		return at, true
	}
}

// next stands behind a value. It closes what ends here, and reports true before the next value or false at
// the end of the text.
func (s *scanner) next(at int) (next int, more bool) {
	for len(s.frames) > 0 {
		at = s.space(at)
		if at == len(s.data) {
			return s.fail(Truncated, at), false
		}
		top := &s.frames[len(s.frames)-1]
		switch c := s.data[at]; {
		case c == ',' && top.object:
			return s.member(s.space(at + 1)), true
		case c == ',':
			top.index++
			return at + 1, true
		case c == '}' && top.object:
			if !s.leave(top) {
				return failed, false
			}
		case c == ']' && !top.object:
		default:
			return s.fail(Syntax, at), false
		}
		at = s.close(at)
	}
	if at = s.space(at); at < len(s.data) {
		return s.fail(TrailingData, at), false
	}
	return at, false
}

// close leaves the array or object that ends with the byte at.
func (s *scanner) close(at int) int {
	last := len(s.frames) - 1
	s.index.close(s.frames[last].node, at+1)
	s.frames = s.frames[:last]
	return at + 1
}

func (s *scanner) literal(at int, word string) int {
	for i := range len(word) {
		if at == len(s.data) {
			return s.fail(Truncated, at)
		}
		if s.data[at] != word[i] {
			return s.fail(Syntax, at)
		}
		at++
	}
	return at
}

func (s *scanner) space(at int) int {
	if at < len(s.data) && s.data[at] <= ' ' {
		return s.skip(at)
	}
	return at
}

func (s *scanner) skip(at int) int {
	for at < len(s.data) {
		switch s.data[at] {
		case ' ', '\t', '\r', '\n':
			at++
		default:
			return at
		}
	}
	return at
}

func (s *scanner) fail(rule string, at int) int { return s.limited(rule, at, 0) }

func (s *scanner) limited(rule string, at, limit int) int {
	s.problem = &Problem{Pointer: s.pointer(), Rule: rule, Limit: limit, Offset: at}
	return failed
}
