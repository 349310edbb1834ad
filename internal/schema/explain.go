package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/integrationhub/hub/internal/payload"
)

// explainer turns the validator's errors, whose texts hold values of the payload, into violations. It takes
// places from them, and nothing else.
type explainer struct {
	schema *validator
	value  any
	found  *Violations
}

func (e *explainer) walk(err *jsonschema.ValidationError) {
	place, rest := e.schema.place(err.AbsoluteKeywordLocation)
	if place != nil && (len(err.Causes) == 0 || len(rest) > 0 && isChoice(rest[0])) {
		e.tell(err, place, rest)
	}
	for _, cause := range err.Causes {
		e.walk(cause)
	}
}

// isChoice reports whether a keyword's failure says more than the failures under it.
func isChoice(keyword string) bool {
	return keyword == "anyOf" || keyword == "oneOf" || keyword == "minContains"
}

// place splits a location into the subschema and the keyword in it.
func (s *validator) place(location string) (place *jsonschema.Schema, rest []string) {
	for at := location; ; {
		place, ok := s.places[at]
		// Only a schema that is false fails as a whole.
		if ok && (len(rest) > 0 || place.Always != nil) {
			slices.Reverse(rest)
			return place, rest
		}
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			return nil, nil
		}
		rest = append(rest, tokens(at[i:])...)
		at = at[:i]
	}
}

func (e *explainer) tell(err *jsonschema.ValidationError, place *jsonschema.Schema, rest []string) {
	_, fragment, _ := strings.Cut(place.Location, "#")
	names := append(tokens(fragment), rest...)
	v := Violation{Pointer: showPointer(err.InstanceLocation), Schema: join(names)}
	if len(rest) == 0 {
		v.Keyword = falseKeyword(names)
		e.found.add(v)
		return
	}
	v.Keyword = e.written(rest[0], names)
	value, _ := lookup(e.value, tokens(err.InstanceLocation), literally)
	object, _ := value.(map[string]any)
	switch v.Keyword {
	case "required":
		e.missing(v, place, object)
	case "additionalProperties":
		e.unexpected(v, place, object)
	case "anyOf", "oneOf", "not", "contains": // their bounds are schemas
		e.found.add(v)
	default:
		v.Limit = e.limit(names)
		e.found.add(v)
	}
}

// written returns the keyword as it stands in the schema: the validator reports contains as minContains, its default.
func (e *explainer) written(keyword string, names []string) string {
	if _, ok := lookup(e.schema.source, names, literally); !ok && keyword == "minContains" {
		names[len(names)-1] = "contains"
		return "contains"
	}
	return keyword
}

// falseKeyword names the keyword whose schema is false, where the name alone tells what is wrong.
func falseKeyword(names []string) string {
	if len(names) > 0 {
		switch last := names[len(names)-1]; last {
		case "unevaluatedProperties", "unevaluatedItems", "additionalItems", "items", "propertyNames":
			return last
		}
	}
	return "false"
}

// missing tells each required member that object lacks.
func (e *explainer) missing(v Violation, place *jsonschema.Schema, object map[string]any) {
	for _, name := range place.Required {
		if _, ok := object[name]; !ok {
			v.Limit = cutText(name)
			e.found.add(v)
		}
	}
}

// unexpected tells each member that the schema does not know.
func (e *explainer) unexpected(v Violation, place *jsonschema.Schema, object map[string]any) {
	at := v.Pointer
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !knows(place, name) {
			v.Pointer = payload.AppendToken(at, name)
			e.found.add(v)
		}
	}
}

func knows(place *jsonschema.Schema, name string) bool {
	if _, ok := place.Properties[name]; ok {
		return true
	}
	for pattern := range place.PatternProperties {
		if pattern.MatchString(name) {
			return true
		}
	}
	return false
}

// limit returns what the schema says at names, as JSON.
func (e *explainer) limit(names []string) string {
	v, ok := lookup(e.schema.source, names, literally)
	if !ok {
		return ""
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return ""
	}
	return cutText(strings.TrimSuffix(b.String(), "\n"))
}

const maxLimit = 128 // bytes of Violation.Limit, before the mark

func cutText(text string) string {
	if len(text) <= maxLimit {
		return text
	}
	end := maxLimit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
