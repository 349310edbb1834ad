package scrub

import (
	"net/http"
	"slices"
	"sync"
	"unsafe"
	"weak"
)

const (
	// MinLength is the length in bytes from which a secret is found anywhere.
	MinLength = 8
	// Mask stands where a secret stood.
	Mask = "[secret]"
)

// Secret is one text to find. Name takes no part in the search; it tells
// callers' secrets apart in tests and tools.
type Secret struct {
	Name  string
	Value string
}

// Scrubber finds a set of secrets. It does not change after New and is safe
// for concurrent use. A nil Scrubber finds nothing.
type Scrubber struct {
	long   []string            // secrets from MinLength on
	filter *filter             // of all forms of these; nil without any
	short  map[string]struct{} // secrets under MinLength

	mu   sync.Mutex
	made weak.Pointer[automaton] // kept while it is in use
}

// New returns a Scrubber for the secrets. Empty values are ignored. A caller
// who sends a secret as part of a credential, such as the base64 of
// "user:password", gives the credential as a secret of its own if it shall
// vanish whole.
func New(secrets []Secret) *Scrubber {
	s := &Scrubber{long: longValues(secrets)}
	for _, secret := range secrets {
		if n := len(secret.Value); 0 < n && n < MinLength {
			s.addShort(secret.Value)
		}
	}
	if len(s.long) > 0 {
		s.filter = newFilter(heads(s.long))
	}
	return s
}

// automaton finds long secrets; nil without any. It is made for the first text that may hold
// one, and again when nobody has used it for a while: most answers hold none, and for these
// the filter is enough.
func (s *Scrubber) automaton() *automaton {
	if s == nil || len(s.long) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.made.Value()
	if a == nil {
		a = newAutomaton(heads(s.long))
		s.made = weak.Make(a)
	}
	return a
}

// spans returns all spans of text that long secrets cover.
func (s *Scrubber) spans(text []byte) []span {
	if !s.filter.passes(text) {
		return nil
	}
	return find(s.automaton(), text)
}

func (s *Scrubber) addShort(value string) {
	if s.short == nil {
		s.short = make(map[string]struct{})
	}
	s.short[value] = struct{}{}
}

// Size is the memory the Scrubber holds, in bytes, nearly, but for the secrets themselves.
func (s *Scrubber) Size() int {
	if s == nil || s.filter == nil {
		return 0
	}
	return s.filter.size() + 16*len(s.long)
}

// Bytes returns b with each secret replaced, and how many were. Secrets that
// overlap are replaced by one mask. Without a find the result is b itself;
// with one it is new, and b is unchanged.
func (s *Scrubber) Bytes(b []byte) ([]byte, int) {
	if s == nil {
		return b, 0
	}
	if len(b) < MinLength && s.isShort(string(b)) {
		return []byte(Mask), 1
	}
	spans := s.spans(b)
	if len(spans) == 0 {
		return b, 0
	}
	return replace(nil, b, spans), len(spans)
}

// String is Bytes for a string.
func (s *Scrubber) String(text string) (string, int) {
	if s == nil {
		return text, 0
	}
	if s.isShort(text) {
		return Mask, 1
	}
	spans := s.spans(bytesOf(text)) // which only reads
	if len(spans) == 0 {
		return text, 0
	}
	return string(replace(nil, text, spans)), len(spans)
}

// Header returns h with the secrets in names and values replaced, and how many
// were. Without a find the result is h itself; with one it is a copy, and h is
// unchanged.
func (s *Scrubber) Header(h http.Header) (http.Header, int) {
	total := 0
	out := h
	for name, values := range h {
		cleanName, n := s.String(name)
		cleanValues, m := s.values(values)
		if n+m == 0 {
			continue
		}
		if total == 0 {
			out = h.Clone()
		}
		total += n + m
		delete(out, name)
		out[cleanName] = append(out[cleanName], cleanValues...)
	}
	return out, total
}

func (s *Scrubber) values(values []string) ([]string, int) {
	total := 0
	out := values
	for i, v := range values {
		clean, n := s.String(v)
		if n == 0 {
			continue
		}
		if total == 0 {
			out = slices.Clone(values)
		}
		total += n
		out[i] = clean
	}
	return out, total
}

func (s *Scrubber) isShort(text string) bool {
	if len(text) >= MinLength {
		return false
	}
	_, ok := s.short[text]
	return ok
}

// bytesOf is a text without a copy, to be read only.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }
