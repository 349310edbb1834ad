package render

import (
	"strings"

	"github.com/integrationhub/hub/internal/ref"
)

// The functions here cut a text at its literal bytes. A reference is never looked into: whatever its
// value holds, the cuts are made.

// cut returns what stands before and after the first literal sep.
func cut(segments []ref.Segment, sep byte) (before, after []ref.Segment, found bool) {
	before, after = splitAt(segments, string(sep))
	if len(after) == 0 {
		return before, nil, false
	}
	return before, withFirst(after[0].Text[1:], after[1:]), true
}

// splitAt returns what stands before the first literal byte of seps, and the rest from there on.
func splitAt(segments []ref.Segment, seps string) (before, rest []ref.Segment) {
	for i, s := range segments {
		if s.Reference() {
			continue
		}
		if at := strings.IndexAny(s.Text, seps); at >= 0 {
			before = append(before, segments[:i]...)
			if at > 0 {
				before = append(before, ref.Segment{Text: s.Text[:at]})
			}
			return before, withFirst(s.Text[at:], segments[i+1:])
		}
	}
	return segments, nil
}

// split cuts at every literal sep; the pieces hold none.
func split(segments []ref.Segment, sep byte) [][]ref.Segment {
	var pieces [][]ref.Segment
	var piece []ref.Segment
	for _, s := range segments {
		if s.Reference() {
			piece = append(piece, s)
			continue
		}
		for i, text := range strings.Split(s.Text, string(sep)) {
			if i > 0 {
				pieces = append(pieces, piece)
				piece = nil
			}
			if text != "" {
				piece = append(piece, ref.Segment{Text: text})
			}
		}
	}
	return append(pieces, piece)
}

// withFirst puts a literal, unless it is empty, before segments.
func withFirst(text string, segments []ref.Segment) []ref.Segment {
	if text == "" {
		return segments
	}
	return append([]ref.Segment{{Text: text}}, segments...)
}
