package schema

import (
	"maps"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// maxDuration is the length from which on a string is no duration. The validator's own check takes
// quadratic time.
const maxDuration = 256

// formats are the validator's, but that those are replaced which a hostile string could make slow.
func formats() map[string]func(any) bool {
	all := maps.Clone(standard)
	all["regex"] = isRegexp
	all["duration"] = short(standard["duration"])
	all["period"] = short(standard["period"])
	return all
}

// isRegexp parses only: to compile costs time and memory in proportion to the repetitions.
func isRegexp(v any) bool {
	text, ok := v.(string)
	if !ok {
		return true
	}
	_, err := syntax.Parse(text, syntax.Perl)
	return err == nil
}

func short(check func(any) bool) func(any) bool {
	return func(v any) bool {
		if text, ok := v.(string); ok && len(text) > maxDuration {
			return false
		}
		return check(v)
	}
}

// noContents switches off the checks of contents, which draft 7 of the validator makes unasked.
func noContents() (map[string]func(string) ([]byte, error), map[string]func([]byte) error) {
	decoders := map[string]func(string) ([]byte, error){}
	for name := range jsonschema.Decoders {
		decoders[name] = nil
	}
	mediaTypes := map[string]func([]byte) error{}
	for name := range jsonschema.MediaTypes {
		mediaTypes[name] = nil
	}
	return decoders, mediaTypes
}
