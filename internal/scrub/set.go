package scrub

import "net/http"

// Set is some Scrubbers, asked one after the other; those that are nil find nothing.
type Set []*Scrubber

// Bytes is [Scrubber.Bytes] of each in turn.
func (s Set) Bytes(b []byte) []byte {
	for _, one := range s {
		b, _ = one.Bytes(b)
	}
	return b
}

// JSON is [Scrubber.JSON] of each in turn.
func (s Set) JSON(b []byte) []byte {
	hides := s.hides(b)
	for _, one := range s {
		clean, n := one.json(b, hides)
		b, hides = clean, hides || n > 0
	}
	return b
}

// String is [Scrubber.String] of each in turn.
func (s Set) String(text string) string {
	for _, one := range s {
		text, _ = one.String(text)
	}
	return text
}

// Header is [Scrubber.Header] of each in turn.
func (s Set) Header(h http.Header) http.Header {
	if !s.mayFind(h) {
		return h
	}
	for _, one := range s {
		h, _ = one.Header(h)
	}
	return h
}

// mayFind looks through a header once: nearly all hold nothing.
func (s Set) mayFind(h http.Header) bool {
	for name, values := range h {
		if s.mayMask(name) {
			return true
		}
		for _, v := range values {
			if s.mayMask(v) {
				return true
			}
		}
	}
	return false
}

// mayMask reports whether one of the Scrubbers may mask something in a text.
func (s Set) mayMask(text string) bool {
	for _, one := range s {
		if one != nil && (one.isShort(text) || one.filter.passes(bytesOf(text))) {
			return true
		}
	}
	return false
}
