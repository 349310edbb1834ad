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

// LongestProbe is how many places of a Scrubber's table have to be looked at in a row, at most.
func LongestProbe(s *Scrubber) (longest int) {
	n := 0
	for range 2 { // rows go on at the beginning
		for _, key := range s.filter.keys {
			if n++; key == 0 {
				n = 0
			}
			longest = max(longest, n)
		}
	}
	return longest
}
