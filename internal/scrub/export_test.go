package scrub

// JSONSlowly is JSON without a look at what may be there.
func (s *Scrubber) JSONSlowly(b []byte) ([]byte, int) {
	out, n := s.tokens(b)
	spans := find(s.automaton(), out)
	if len(spans) == 0 {
		return out, n
	}
	return replace(nil, out, spans), n + len(spans)
}
