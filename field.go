package hub

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// problems collects every broken rule of a definition, each under its path.
type problems struct {
	list []FieldError
}

// add notes a broken rule.
func (p *problems) add(path, rule, format string, args ...any) {
	p.list = append(p.list, FieldError{Path: path, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// err is nil or an Invalid with all that was noted.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Fields: p.list}
}

// at returns path[i], the path of an element of a list.
func at(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// in returns path.name, the path of a member.
func in(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Lengths that rules share.
const (
	maxName = 255
	maxText = 4096 // descriptions and help texts, bytes
)

var (
	idPattern  = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	refPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// id checks an id that the caller supplied.
func (p *problems) id(path, id string) {
	if id != "" && !idPattern.MatchString(id) {
		p.add(path, "pattern", "must be 1 to 64 of a-z, 0-9, _ and -")
	}
}

// name checks the name of a thing that people see.
func (p *problems) name(path, name string) {
	if name == "" {
		p.add(path, "required", "must not be empty")
		return
	}
	p.line(path, name, maxName)
}

// given checks text that must not be empty.
func (p *problems) given(path, s string) {
	if s == "" {
		p.add(path, "required", "must not be empty")
	}
}

// refName checks a name that [[name]] can refer to.
func (p *problems) refName(path, name string) {
	switch {
	case name == "":
		p.add(path, "required", "must not be empty")
	case len(name) > maxName:
		p.add(path, "too-long", "must be at most %d bytes", maxName)
	case !refPattern.MatchString(name):
		p.add(path, "pattern", "must begin with a letter or _ and hold only letters, digits, _ and -")
	}
}

// line checks optional text of one line.
func (p *problems) line(path, s string, most int) {
	p.text(path, s, most)
	if strings.ContainsFunc(s, unicode.IsControl) {
		p.add(path, "control-character", "must not hold control characters")
	}
}

// text checks optional text.
func (p *problems) text(path, s string, most int) {
	if len(s) > most {
		p.add(path, "too-long", "must be at most %d bytes", most)
	}
}

// encodable notes every text of a definition that JSON could not hold as it is. Raw JSON has
// checks of its own.
func (p *problems) encodable(path string, definition any) {
	p.encodableValue(path, reflect.ValueOf(definition))
}

func (p *problems) encodableValue(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			p.add(path, "utf-8", "must be valid UTF-8")
		}
	case reflect.Pointer:
		if !v.IsNil() {
			p.encodableValue(path, v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			p.encodableValue(at(path, i), v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			member := in(path, shorten(key.String()))
			p.encodableValue(member, key)
			p.encodableValue(member, v.MapIndex(key))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				p.encodableValue(in(path, name), v.Field(i))
			}
		}
	}
}

// among checks a word of a closed list; it reports whether it is one of them.
func among[T ~string](p *problems, path string, v T, words ...T) bool {
	for _, w := range words {
		if v == w {
			return true
		}
	}
	p.add(path, "enum", "must be one of %s", joinWords(words))
	return false
}

func joinWords[T ~string](words []T) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = `"` + string(w) + `"`
	}
	return strings.Join(quoted, ", ")
}

// count checks the length of a list.
func (p *problems) count(path string, n, most int) {
	if n > most {
		p.add(path, "too-many", "must be at most %d", most)
	}
}

// within checks a number that may be absent (zero).
func (p *problems) within(path string, n, least, most int, unit string) {
	if n < least || n > most {
		p.add(path, "range", "must be from %d to %d %s", least, most, unit)
	}
}

// invalid is an Invalid of one field.
func invalid(path, rule, message string) error {
	return &Error{Code: Invalid, Fields: []FieldError{{Path: path, Rule: rule, Message: message}}}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
