package schema

import "regexp/syntax"

// patternSize estimates what a regular expression becomes when it is compiled, before it is compiled: its
// characters with repetitions written out. Counting ends when the size passes most.
func patternSize(text string, most int) int {
	if len(text) > most {
		return len(text)
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return len(text) // which the metaschema refuses, where it is a pattern at all
	}
	return max(len(text), treeSize(re))
}

func treeSize(re *syntax.Regexp) int {
	size := 0
	for _, sub := range re.Sub {
		size += treeSize(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass:
		return 1 + len(re.Rune)/16
	case syntax.OpConcat:
		return size
	case syntax.OpRepeat:
		// The parser allows at most 1,000 repetitions, nested ones together.
		return size * max(re.Min, re.Max, 1)
	default:
		return size + 1
	}
}
