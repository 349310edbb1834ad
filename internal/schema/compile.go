package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// base is the address of a schema that has no $id. It is absolute, so that it never becomes a file's name.
const base = "hub:///schema"

// Compile checks src and makes it ready to validate. Its errors are [*payload.Problem] if src is no acceptable
// JSON, and [*Problem] otherwise. It keeps src, which must not change any more.
func Compile(src []byte, l Limits) (*Schema, error) {
	l = l.resolve()
	v, err := newValidator(src, l)
	if err != nil {
		return nil, err
	}
	s := &Schema{limits: l, source: src}
	q := quickener{rules: map[*jsonschema.Schema]*rule{}}
	s.rule = q.rule(v.root)
	if q.asks() {
		s.asked.always = v
	}
	return s, nil
}

// compile runs the validator's own compiler, which also checks the schema against its metaschema.
func compile(src []byte, f *facts) (root *jsonschema.Schema, p *Problem) {
	defer func() {
		if recover() != nil {
			root, p = nil, &Problem{Rule: Failed}
		}
	}()
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.Formats = formats()
	c.Decoders, c.MediaTypes = noContents()
	c.LoadURL = func(string) (io.ReadCloser, error) { return nil, errOutside }
	if err := c.AddResource(base, bytes.NewReader(src)); err != nil {
		return nil, &Problem{Rule: Failed}
	}
	root, err := c.Compile(base)
	if err != nil {
		return nil, f.explain(err)
	}
	return root, nil
}

var errOutside = errors.New("reference leads out of the schema")

// explain turns the compiler's error, whose text is not fit to be shown, into a Problem.
func (f *facts) explain(err error) *Problem {
	var (
		invalid *jsonschema.ValidationError
		endless jsonschema.InfiniteLoopError
	)
	switch {
	case errors.As(err, &invalid):
		return brokenRule(invalid)
	case errors.As(err, &endless):
		return &Problem{Rule: EndlessReference}
	case errors.Is(err, errOutside):
		return &Problem{Pointer: f.firstRef(func(ref string) bool { return !strings.HasPrefix(ref, "#") }), Rule: ExternalReference}
	case strings.HasSuffix(err.Error(), " not found"):
		missing := func(ref string) bool { return strings.HasSuffix(err.Error(), ref+" not found") }
		return &Problem{Pointer: f.firstRef(missing), Rule: DanglingReference}
	default: // such as an unknown $vocabulary, or one $id twice
		return &Problem{Rule: Invalid}
	}
}

// brokenRule picks one of the places where a schema breaks its metaschema: the first, whatever the order of the
// validator.
func brokenRule(e *jsonschema.ValidationError) *Problem {
	if len(e.Causes) == 0 {
		p := &Problem{Pointer: showPointer(e.InstanceLocation), Rule: Invalid}
		if strings.HasSuffix(e.KeywordLocation, "/format") && isPatternPlace(p.Pointer) {
			p.Rule = BadPattern
		}
		return p
	}
	var first *Problem
	for _, cause := range e.Causes {
		p := brokenRule(cause)
		if first == nil || p.Pointer < first.Pointer || p.Pointer == first.Pointer && p.Rule < first.Rule {
			first = p
		}
	}
	return first
}

func isPatternPlace(pointer string) bool {
	return strings.HasSuffix(pointer, "/pattern") || strings.Contains(pointer, "/patternProperties/")
}

// decode reads JSON and keeps numbers as they are written.
func decode(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
