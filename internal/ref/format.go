package ref

import "strings"

// Format writes segments so that [Parse] reads the same ones again.
func Format(segments []Segment) string {
	var b strings.Builder
	for i, s := range segments {
		if !s.Reference() {
			escape(&b, s.Text, opensNext(segments[i+1:]))
			continue
		}
		s.write(&b)
	}
	return b.String()
}

// opensNext returns the bracket that the text after a literal starts with, or 0.
func opensNext(rest []Segment) byte {
	switch {
	case len(rest) == 0 || !rest[0].Reference():
		return 0
	case rest[0].Kind == Payload:
		return '{'
	}
	return '['
}

func (s Segment) write(b *strings.Builder) {
	switch s.Kind {
	case Named:
		b.WriteString("[[" + s.Text + "]]")
	case Auth:
		b.WriteString("[[" + authPrefix + s.Text + "]]")
	case Payload:
		b.WriteString("{{" + s.Text)
		if s.AsString {
			b.WriteString(" as string")
		}
		if s.Default != "" {
			b.WriteString(" ?? " + s.Default + " ")
		}
		b.WriteString("}}")
	}
}

// escape writes a literal that is followed by the bracket next, if any: backslashes before a run of
// brackets that would open are doubled, and every two brackets of the literal get one.
func escape(b *strings.Builder, text string, next byte) {
	for i := 0; i < len(text); {
		slashes := run(text[i:], '\\')
		j := i + slashes
		brackets := 0
		if j < len(text) && (text[j] == '[' || text[j] == '{') {
			brackets = run(text[j:], text[j])
		}
		end := j + brackets
		opens := brackets
		if end == len(text) && next != 0 && (brackets == 0 || text[j] == next) {
			opens += 2
		}
		if opens >= 2 {
			b.WriteString(text[i:j])
		}
		b.WriteString(text[i:j])
		for k := range brackets / 2 {
			b.WriteString(`\` + text[j+2*k:j+2*k+2])
		}
		b.WriteString(text[end-brackets%2 : end])
		if end == i {
			b.WriteByte(text[i])
			end++
		}
		i = end
	}
}
