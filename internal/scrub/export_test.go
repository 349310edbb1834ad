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

// Quotings are what is looked for, QuotingsSlowly what every style makes of a text.
var Quotings = quotings

func QuotingsSlowly(v string) []string {
	out := []string{v}
	for _, style := range styles {
		out = append(out, style(v))
	}
	return out
}
