package schema

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// pattern matches texts, by one of its fields. The zero pattern matches any.
type pattern struct {
	plain plainPattern
	re    *regexp.Regexp // takes kilobytes
}

func patternOf(re *regexp.Regexp) pattern {
	if re == nil {
		return pattern{}
	}
	if plain := plainPatternOf(re.String()); plain != nil {
		return pattern{plain: plain}
	}
	return pattern{re: re}
}

func (p pattern) any() bool { return p.plain == nil && p.re == nil }

func (p pattern) matches(text []byte) bool {
	switch {
	case p.plain != nil:
		return p.plain.matches(text)
	case p.re != nil:
		return p.re.Match(text)
	}
	return true
}

// plainPattern is a regular expression for whole texts that is a row of classes of ASCII characters, each
// with how often it may stand there, such as ^[A-Z]{2}-[0-9]+$. It can be matched without looking back
// or ahead: where the number of characters is not fixed, what may follow is no character of the class.
type plainPattern []class

type class struct {
	ascii    [2]uint64 // a bit for each character
	min, max int32     // max negative: none
}

func (c *class) has(char byte) bool {
	return char < utf8.RuneSelf && c.ascii[char/64]>>(char%64)&1 == 1
}

func (p plainPattern) matches(text []byte) bool {
	for i := range p {
		c, n := &p[i], 0
		for n < len(text) && n != int(c.max) && c.has(text[n]) {
			n++
		}
		if n < int(c.min) {
			return false
		}
		text = text[n:]
	}
	return len(text) == 0
}

// plainPatternOf returns nil for any other expression.
func plainPatternOf(text string) plainPattern {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat {
		return nil
	}
	last := len(re.Sub) - 1
	if re.Sub[0].Op != syntax.OpBeginText || re.Sub[last].Op != syntax.OpEndText {
		return nil
	}
	p := plainPattern{}
	for _, sub := range re.Sub[1:last] {
		next, ok := classesOf(sub)
		if !ok {
			return nil
		}
		p = append(p, next...)
	}
	if !p.deterministic() {
		return nil
	}
	return slices.Clip(p)
}

// classesOf reads a literal, a class, or a repetition of one character or class.
func classesOf(re *syntax.Regexp) (classes []class, ok bool) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, char := range re.Rune {
			classes = append(classes, classOf(char, char))
		}
		return classes, re.Flags&syntax.FoldCase == 0 && slices.Max(re.Rune) < utf8.RuneSelf
	case syntax.OpCharClass:
		if len(re.Rune) == 0 || slices.Max(re.Rune) >= utf8.RuneSelf {
			return nil, false
		}
		return []class{classOf(re.Rune...)}, true
	}
	least, most, ok := repetition(re)
	if !ok {
		return nil, false
	}
	classes, ok = classesOf(re.Sub[0])
	if !ok || len(classes) != 1 || classes[0].min != 1 || classes[0].max != 1 {
		return nil, false
	}
	classes[0].min, classes[0].max = int32(least), int32(most)
	return classes, true
}

func repetition(re *syntax.Regexp) (least, most int, ok bool) {
	switch re.Op {
	case syntax.OpStar:
		return 0, -1, true
	case syntax.OpPlus:
		return 1, -1, true
	case syntax.OpQuest:
		return 0, 1, true
	case syntax.OpRepeat:
		return re.Min, re.Max, true
	}
	return 0, 0, false
}

// classOf makes a class of ranges, each two characters.
func classOf(ranges ...rune) class {
	c := class{min: 1, max: 1}
	for i := 0; i < len(ranges); i += 2 {
		for char := ranges[i]; char <= min(ranges[i+1], utf8.RuneSelf-1); char++ {
			c.ascii[char/64] |= 1 << (char % 64)
		}
	}
	return c
}

// deterministic reports whether each class ends where the next begins.
func (p plainPattern) deterministic() bool {
	for i := range p {
		if p[i].min == p[i].max {
			continue
		}
		for k := i + 1; k < len(p); k++ {
			if p[i].ascii[0]&p[k].ascii[0] != 0 || p[i].ascii[1]&p[k].ascii[1] != 0 {
				return false
			}
			if p[k].min > 0 {
				break
			}
		}
	}
	return true
}
