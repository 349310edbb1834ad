// Package path decides which gjson paths a definition may use, and reads values with them.
//
// A path is written by whoever saves a definition and runs on JSON from someone else, so what
// gjson offers is narrowed to what stays cheap on any document: see [Payload] and [Result].
package path

import (
	"encoding/json"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"
)

// Bounds of every path.
const (
	// MaxBytes is the longest path, in bytes.
	MaxBytes = 256
	// MaxComponents is the largest number of components, those inside queries included.
	MaxComponents = 32
)

// A Mode says where a path stands, and with that what it may hold.
type Mode uint8

const (
	// Payload paths pick a value out of what a caller handed over: member names, array
	// positions, "#" (the length of an array, or "each element": "items.#.id") and
	// backslash escapes.
	Payload Mode = iota
	// Result paths pick outputs out of answers. They add wildcards, queries
	// ("#(id==7).name", "#(id>7)#"), "|" and the modifiers @this, @keys, @values,
	// @flatten, @ugly and @tostr, each at most once and without arguments.
	Result
)

// Error tells why a path is refused. It quotes nothing of the path.
type Error struct {
	// Offset is where the path breaks the rule, in bytes from its start.
	Offset int
	// Rule is a stable word: "empty", "too-long", "too-many-components",
	// "empty-component", "control-character", "bad-escape", "modifier", "multipath",
	// "literal", "wildcard", "query", "pipe", "line-mode".
	Rule string
	// Message says in a sentence what is allowed instead.
	Message string
}

// Error returns the rule's message.
func (e *Error) Error() string { return "path: " + e.Message }

// Check reports whether p may be used in mode; the error is an [*Error].
func Check(p string, mode Mode) error {
	if p == "" {
		return &Error{0, "empty", "a path names at least one member"}
	}
	if len(p) > MaxBytes {
		return &Error{MaxBytes, "too-long", "a path has at most 256 bytes"}
	}
	c := checker{text: p, mode: mode}
	if err := c.path(false); err != nil {
		return err
	}
	return nil
}

// Get returns the value at p, a path that passed [Check], in doc, one valid JSON text. What it
// returns is valid JSON again.
//
// Nothing is copied for plain paths: the result and the strings in it share doc's memory. The caller
// keeps doc unchanged for as long as it uses them.
func Get(doc []byte, p string) gjson.Result {
	if p == "" || p[0] != '@' && !structured(doc) {
		return gjson.Result{}
	}
	r := gjson.Get(shared(doc), p)
	if strings.ContainsAny(p, "#|@") && !valid(r.Raw) {
		return gjson.Result{}
	}
	return r
}

// structured reports whether a JSON text is an object or array. In any other gjson looks for brackets
// inside the text of strings.
func structured(doc []byte) bool {
	for _, b := range doc {
		switch b {
		case ' ', '\t', '\n', '\r':
			continue
		}
		return b == '{' || b == '['
	}
	return false
}

// valid reports whether raw is JSON. Behind "#", "|" and "@" gjson goes on inside of strings as well, and
// may return what is none.
func valid(raw string) bool {
	return json.Valid(unsafe.Slice(unsafe.StringData(raw), len(raw)))
}
