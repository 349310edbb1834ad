package schema

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/internal/payload"
)

// facts is what a schema's JSON tells before it is compiled.
type facts struct {
	limits  Limits
	schemas int
	pattern int             // size of the regular expressions so far
	anchors map[string]bool // dynamic anchors; the recursive one, which has no name, is ""
	ids     int
	refs    []reference
}

type reference struct{ pointer, to string }

// inspect refuses what must not reach the compiler, because compiling it is where the harm is done.
// It does not know which objects are schemas, so it holds every object to the rules of one.
func inspect(doc any, l Limits) (*facts, *Problem) {
	f := &facts{limits: l, anchors: map[string]bool{}}
	if p := checkDraft(doc); p != nil {
		return nil, p
	}
	if p := f.value(doc, ""); p != nil {
		return nil, p
	}
	for _, ref := range f.refs {
		if p := f.resolve(doc, ref); p != nil {
			return nil, p
		}
	}
	return f, nil
}

func checkDraft(doc any) *Problem {
	root, _ := doc.(map[string]any)
	draft, ok := root["$schema"]
	if !ok {
		return nil
	}
	text, _ := draft.(string)
	if rest, ok := strings.CutPrefix(text, "http://"); ok {
		text = "https://" + rest
	}
	switch strings.TrimSuffix(text, "#") {
	case "https://json-schema.org/draft/2020-12/schema",
		"https://json-schema.org/draft/2019-09/schema",
		"https://json-schema.org/draft-07/schema",
		"https://json-schema.org/draft-06/schema",
		"https://json-schema.org/draft-04/schema":
		return nil
	}
	return &Problem{Pointer: "/$schema", Rule: UnknownDraft}
}

func (f *facts) value(v any, pointer string) *Problem {
	switch v := v.(type) {
	case bool:
		return f.count(pointer)
	case []any:
		for i, element := range v {
			if p := f.value(element, payload.AppendToken(pointer, strconv.Itoa(i))); p != nil {
				return p
			}
		}
	case map[string]any:
		return f.object(v, pointer)
	}
	return nil
}

func (f *facts) object(object map[string]any, pointer string) *Problem {
	if p := f.count(pointer); p != nil {
		return p
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := payload.AppendToken(pointer, name)
		if p := f.member(name, object[name], at); p != nil {
			return p
		}
		if p := f.value(object[name], at); p != nil {
			return p
		}
	}
	return nil
}

func (f *facts) count(pointer string) *Problem {
	if f.schemas++; f.schemas > f.limits.Schemas {
		return &Problem{Pointer: pointer, Rule: TooManySchemas, Limit: f.limits.Schemas}
	}
	return nil
}

// member looks at the keywords that matter before compilation. Members of another type are properties that
// only share a keyword's name, or are left to the metaschema.
func (f *facts) member(name string, v any, at string) *Problem {
	text, isText := v.(string)
	switch {
	case name == "pattern" && isText:
		return f.regexp(text, at)
	case name == "patternProperties":
		patterns, _ := v.(map[string]any)
		for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
			if p := f.regexp(pattern, payload.AppendToken(at, pattern)); p != nil {
				return p
			}
		}
	case (name == "$id" || name == "id") && isText:
		return f.id(text, at)
	case name == "$dynamicAnchor" && isText && text != "":
		return f.anchor(text, at)
	case name == "$recursiveAnchor" && v == true:
		return f.anchor("", at)
	case (name == "$ref" || name == "$dynamicRef" || name == "$recursiveRef") && isText:
		f.refs = append(f.refs, reference{at, text})
	}
	return nil
}

func (f *facts) regexp(text, at string) *Problem {
	f.pattern += patternSize(text, f.limits.Pattern-f.pattern)
	if f.pattern > f.limits.Pattern {
		return &Problem{Pointer: at, Rule: PatternTooLarge, Limit: f.limits.Pattern}
	}
	return nil
}

// id refuses names that would make the schema, or what it refers to, pass for a metaschema.
func (f *facts) id(text, at string) *Problem {
	u, err := url.Parse(text)
	if err != nil || strings.EqualFold(u.Hostname(), "json-schema.org") {
		return &Problem{Pointer: at, Rule: ExternalReference}
	}
	f.ids++
	return nil
}

func (f *facts) anchor(name, at string) *Problem {
	if f.anchors[name] {
		return &Problem{Pointer: at, Rule: AmbiguousAnchor}
	}
	f.anchors[name] = true
	return nil
}

func (f *facts) firstRef(match func(to string) bool) string {
	for _, ref := range f.refs {
		if match(ref.to) {
			return ref.pointer
		}
	}
	return ""
}

// resolve checks a reference as far as that is possible without knowing bases: with an $id in the document the
// compiler has the last word.
func (f *facts) resolve(doc any, ref reference) *Problem {
	address, fragment, _ := strings.Cut(ref.to, "#")
	u, err := url.Parse(ref.to)
	switch {
	case err != nil:
		return &Problem{Pointer: ref.pointer, Rule: DanglingReference}
	case strings.EqualFold(u.Hostname(), "json-schema.org"), address != "" && f.ids == 0:
		return &Problem{Pointer: ref.pointer, Rule: ExternalReference}
	case !strings.HasPrefix(fragment, "/") || fragment == "/":
		return nil
	case !isUsual(u):
		return &Problem{Pointer: ref.pointer, Rule: UnusualReference}
	case f.ids == 0 && !has(doc, u.Fragment):
		return &Problem{Pointer: ref.pointer, Rule: DanglingReference}
	}
	return nil
}

// isUsual reports whether a fragment's pointer is spelt as the compiler spells it. Any other spelling would
// get a copy of the subschema, with copies of all that it contains.
func isUsual(u *url.URL) bool {
	for token := range strings.SplitSeq(u.EscapedFragment()[1:], "/") {
		plain, err := unescapeToken(token)
		if err != nil || escapeToken(plain) != token {
			return false
		}
		if index, err := strconv.Atoi(plain); err == nil && strconv.Itoa(index) != plain {
			return false
		}
	}
	return true
}

func has(doc any, pointer string) bool {
	_, ok := lookup(doc, strings.Split(pointer[1:], "/"), unescapePlain)
	return ok
}
