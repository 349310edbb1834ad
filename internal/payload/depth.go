package payload

// CheckDepth returns a [*Problem] with rule [TooDeep] if arrays and objects in data nest deeper
// than max, and nil otherwise. It asks nothing else: data may be no JSON at
// all. Brackets in strings do not count, and brackets are not matched by kind.
//
// No parser that stops at the first syntax error goes deeper into accepted data than max. One that
// skips over errors may see other strings than CheckDepth does, so such a parser wants a
// validity check in between. Bytes that are never parsed as JSON (images,
// archives) should not be asked: they are full of stray brackets.
//
// The Problem has an Offset and no Pointer. A max of zero admits scalars only; a negative one admits everything.
func CheckDepth(data []byte, max int) error {
	if max < 0 {
		return nil
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '[', '{':
			if depth == max {
				return &Problem{Rule: TooDeep, Limit: max, Offset: i}
			}
			depth++
		case ']', '}':
			if depth > 0 {
				depth--
			}
		}
	}
	return nil
}

// skipString returns the index of the quote that ends the string beginning at i, or len(data).
func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(data)
}
