package payload

// number reads a number (RFC 8259, section 6). Any other byte is a syntax error here, because numbers
// are what is left when no other value begins.
func (s *scanner) number(at int) int {
	if s.data[at] == '-' {
		at++
	}
	begin := at
	at = s.digits(begin, 0)
	if at == failed {
		return failed
	}
	if at-begin > 1 && s.data[begin] == '0' {
		return s.fail(Syntax, begin+1)
	}
	if at < len(s.data) && s.data[at] == '.' {
		if at = s.digits(at+1, at-begin); at == failed {
			return failed
		}
	}
	if at < len(s.data) && s.data[at]|0x20 == 'e' {
		return s.exponent(at + 1)
	}
	return at
}

// digits reads one or more digits, of which the number already has some.
func (s *scanner) digits(at, already int) int {
	begin := at
	for at < len(s.data) && isDigit(s.data[at]) {
		at++
	}
	switch {
	case at-begin > s.limits.Digits-already:
		return s.limited(NumberTooLong, begin+s.limits.Digits-already, s.limits.Digits)
	case at > begin:
		return at
	case at == len(s.data):
		return s.fail(Truncated, at)
	default:
		return s.fail(Syntax, at)
	}
}

func (s *scanner) exponent(at int) int {
	if at < len(s.data) && (s.data[at] == '+' || s.data[at] == '-') {
		at++
	}
	begin := at
	at = s.digits(at, 0)
	if at == failed || s.limits.Exponent == unlimited {
		return at
	}
	value := 0
	for _, c := range s.data[begin:at] {
		// Beyond the limit the value no longer matters, and it must not overflow.
		if value = value*10 + int(c-'0'); value > s.limits.Exponent {
			return s.limited(ExponentTooLarge, begin, s.limits.Exponent)
		}
	}
	return at
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
