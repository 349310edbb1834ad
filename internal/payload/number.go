package payload

// number reads a number (RFC 8259, section 6). Any other byte is a syntax error here, because numbers
// are what is left when no other value begins.
func (s *scanner) number() *Problem {
	if s.data[s.pos] == '-' {
		s.pos++
	}
	zero := s.at('0')
	digits, p := s.digits(0)
	if p != nil {
		return p
	}
	if zero && digits > 1 {
		s.pos -= digits - 1
		return s.problem(Syntax)
	}
	if s.at('.') {
		s.pos++
		if _, p := s.digits(digits); p != nil {
			return p
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		return s.exponent()
	}
	return nil
}

// digits reads one or more digits, of which the number already has some.
func (s *scanner) digits(already int) (count int, p *Problem) {
	for s.pos < len(s.data) && isDigit(s.data[s.pos]) {
		if already+count == s.limits.Digits {
			return count, s.limited(NumberTooLong, s.limits.Digits)
		}
		count++
		s.pos++
	}
	switch {
	case count > 0:
		return count, nil
	case s.pos == len(s.data):
		return 0, s.problem(Truncated)
	default:
		return 0, s.problem(Syntax)
	}
}

func (s *scanner) exponent() *Problem {
	if s.at('+') || s.at('-') {
		s.pos++
	}
	begin := s.pos
	if _, p := s.digits(0); p != nil {
		return p
	}
	if s.limits.Exponent == unlimited {
		return nil
	}
	value := 0
	for _, c := range s.data[begin:s.pos] {
		// Beyond the limit the value no longer matters, and it must not overflow.
		if value = value*10 + int(c-'0'); value > s.limits.Exponent {
			s.pos = begin
			return s.limited(ExponentTooLarge, s.limits.Exponent)
		}
	}
	return nil
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
