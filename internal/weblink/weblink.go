// Package weblink reads the Link header of RFC 8288.
package weblink

import "strings"

// Next returns the target of the first link with the relation "next", as it is written: it may
// be relative. Links that speak of another resource (anchor) are passed over, and so is
// the rest of a line that breaks the syntax.
func Next(lines []string) (target string, ok bool) {
	for _, line := range lines {
		s := scanner{rest: line}
		for {
			target, rel, anchored, more := s.link()
			if !more {
				break
			}
			if !anchored && has(rel, "next") {
				return target, true
			}
		}
	}
	return "", false
}

// has reports whether a relation is among those of a list, without regard to case.
func has(list, relation string) bool {
	for word := range strings.FieldsSeq(list) {
		if strings.EqualFold(word, relation) {
			return true
		}
	}
	return false
}

type scanner struct{ rest string }

// link reads one link; ok is false at the end of the line, or of what can be read of it.
func (s *scanner) link() (target, rel string, anchored, ok bool) {
	s.skip(" \t,")
	if !s.take('<') {
		return "", "", false, false
	}
	target, after, found := strings.Cut(s.rest, ">")
	if !found {
		return "", "", false, false
	}
	s.rest = after
	related := false
	for {
		s.skip(" \t")
		if !s.take(';') {
			break
		}
		name, value := s.param()
		switch {
		case strings.EqualFold(name, "rel") && !related: // the first one counts
			rel, related = value, true
		case strings.EqualFold(name, "anchor"):
			anchored = true
		}
	}
	if s.rest != "" && s.rest[0] != ',' {
		return "", "", false, false
	}
	return strings.Trim(target, " \t"), rel, anchored, true
}

// param reads name=value, name="value" or name.
func (s *scanner) param() (name, value string) {
	s.skip(" \t")
	name = s.until("=;, \t")
	s.skip(" \t")
	if !s.take('=') {
		return name, ""
	}
	s.skip(" \t")
	if s.take('"') {
		return name, s.quoted()
	}
	return name, s.until(";, \t")
}

// quoted reads a quoted string, whose first quote has been read.
func (s *scanner) quoted() string {
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	s.rest = ""
	return b.String()
}

func (s *scanner) until(stops string) string {
	end := strings.IndexAny(s.rest, stops)
	if end < 0 {
		end = len(s.rest)
	}
	text := s.rest[:end]
	s.rest = s.rest[end:]
	return text
}

func (s *scanner) skip(chars string) { s.rest = strings.TrimLeft(s.rest, chars) }

func (s *scanner) take(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}
