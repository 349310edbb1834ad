package payload

// scanner reads one JSON text from the left to the right. Open arrays and objects are kept in a stack
// of its own instead of the goroutine's, so that depth costs nothing but a limit.
type scanner struct {
	data   []byte
	pos    int
	limits Limits

	frames  []frame // the arrays and objects that are open, outermost first
	names   []name  // the member names of all open objects, frame by frame
	escaped []byte  // text of the names that were written with escapes
	index   *index  // gathers the values; nil: nobody wants them
}

// frame is one open array or object.
type frame struct {
	object bool
	names  int // where its names begin in scanner.names
	index  int // the element being read, in an array
	node   int // its own in scanner.index
}

// whole reads the whole input.
func (s *scanner) whole() *Problem {
	if p := s.start(); p != nil {
		return p
	}
	for {
		inside, p := s.value()
		if p != nil {
			return p
		}
		if inside {
			continue
		}
		more, p := s.next()
		if p != nil || !more {
			return p
		}
	}
}

func (s *scanner) start() *Problem {
	if len(s.data) >= 3 && string(s.data[:3]) == "\uFEFF" {
		return s.problem(ByteOrderMark)
	}
	if s.space(); s.pos == len(s.data) {
		return s.problem(Empty)
	}
	return nil
}

// value reads one scalar, or the beginning of an array or object. It reports true if it stands before the
// first value inside one.
func (s *scanner) value() (inside bool, p *Problem) {
	s.space()
	if s.pos == len(s.data) {
		return false, s.problem(Truncated)
	}
	begin := s.pos
	switch c := s.data[begin]; c {
	case '{':
		return s.open(true, '}')
	case '[':
		return s.open(false, ']')
	case '"':
		return false, s.text(begin)
	case 't':
		return false, s.scalar(True, begin, s.literal("true"))
	case 'f':
		return false, s.scalar(False, begin, s.literal("false"))
	case 'n':
		return false, s.scalar(Null, begin, s.literal("null"))
	default:
		return false, s.scalar(Number, begin, s.number())
	}
}

// text reads a string that is a value.
func (s *scanner) text(begin int) *Problem {
	escapes, p := s.str()
	if p == nil && s.index != nil {
		s.index.add(s, String, begin).Escaped = escapes
	}
	return p
}

// scalar notes a value that was read.
func (s *scanner) scalar(kind Kind, begin int, p *Problem) *Problem {
	if p == nil && s.index != nil {
		s.index.add(s, kind, begin)
	}
	return p
}

// open enters an array or object. An empty one is left again at once.
func (s *scanner) open(object bool, closing byte) (inside bool, p *Problem) {
	if len(s.frames) >= s.limits.Depth {
		return false, s.limited(TooDeep, s.limits.Depth)
	}
	node := s.index.open(s, object)
	s.pos++
	s.frames = append(s.frames, frame{object: object, names: len(s.names), node: node})
	s.space()
	switch {
	case s.pos == len(s.data):
		return false, s.problem(Truncated)
	case s.data[s.pos] == closing:
		s.close()
		return false, nil
	case object:
		return true, s.member()
	default:
		return true, nil
	}
}

// next stands behind a value. It closes what ends here, and reports true before the next value or false at
// the end of the text.
func (s *scanner) next() (more bool, p *Problem) {
	for len(s.frames) > 0 {
		s.space()
		if s.pos == len(s.data) {
			return false, s.problem(Truncated)
		}
		top := &s.frames[len(s.frames)-1]
		switch c := s.data[s.pos]; {
		case c == ',' && top.object:
			s.pos++
			s.space()
			return true, s.member()
		case c == ',':
			s.pos++
			top.index++
			return true, nil
		case c == '}' && top.object:
			if p := s.leave(top.names); p != nil {
				return false, p
			}
		case c == ']' && !top.object:
			s.names = s.names[:top.names]
		default:
			return false, s.problem(Syntax)
		}
		s.close()
	}
	if s.space(); s.pos < len(s.data) {
		return false, s.problem(TrailingData)
	}
	return false, nil
}

// close leaves the array or object that ends with the byte here.
func (s *scanner) close() {
	s.pos++
	last := len(s.frames) - 1
	s.index.close(s.frames[last].node, s.pos)
	s.frames = s.frames[:last]
}

func (s *scanner) literal(word string) *Problem {
	for i := range len(word) {
		if s.pos == len(s.data) {
			return s.problem(Truncated)
		}
		if s.data[s.pos] != word[i] {
			return s.problem(Syntax)
		}
		s.pos++
	}
	return nil
}

func (s *scanner) space() {
	if s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		s.skip()
	}
}

func (s *scanner) skip() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) problem(rule string) *Problem { return s.limited(rule, 0) }

func (s *scanner) limited(rule string, limit int) *Problem {
	return &Problem{Pointer: s.pointer(), Rule: rule, Limit: limit, Offset: s.pos}
}
