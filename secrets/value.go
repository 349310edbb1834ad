package secrets

import (
	"crypto/subtle"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
)

// mask is what stands for a Value wherever one is shown.
const mask = "[secret]"

// errOpaque is what encoders for storage and all decoders answer.
var errOpaque = errors.New("a secrets.Value is not encoded or decoded: use Reveal and secrets.New where that is meant")

// Value is a secret that cannot be shown by accident. The zero Value is empty. Values are
// immutable and safe for concurrent use; they can be copied freely.
//
// The bytes sit behind a closure, where neither fmt nor an encoder nor reflection finds
// them, not even in an unexported field, on which no method is called; for the same reason
// a Value can be neither compared with == nor be the key of a map. Only [Value.Reveal]
// opens it, so a search for that word finds every place where a secret comes out.
//
// What is meant for people (fmt with any verb, log/slog, JSON, XML and other text
// encodings, templates) shows "[secret]", also for an empty Value. What is meant for storage
// (encoding.BinaryMarshaler and with it gob, database/sql) fails, as the mask would replace
// the secret for good. Decoding always fails, so a mask is never taken for a secret.
//
// A Value does not protect against code that reads the memory of the process.
type Value struct{ reveal func() string }

// New returns s as a Value. An empty s gives the zero Value.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{reveal: func() string { return s }}
}

// FromBytes returns a copy of b as a Value. The caller keeps b and may wipe it. An empty b
// gives the zero Value.
func FromBytes(b []byte) Value { return New(string(b)) }

// Reveal returns the secret itself.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// IsZero reports whether the Value is empty. The option omitzero of encoding/json uses it.
func (v Value) IsZero() bool { return v.reveal == nil }

// Len returns the length of the secret in bytes.
func (v Value) Len() int { return len(v.Reveal()) }

// Equal reports whether both hold the same bytes. For values of one length the time it
// takes does not depend on their content.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(w.Reveal())) == 1
}

// String returns "[secret]".
func (Value) String() string { return mask }

// GoString returns "[secret]".
func (Value) GoString() string { return mask }

// Format writes "[secret]" for every verb. Of the flags it heeds the width and "-".
func (Value) Format(s fmt.State, _ rune) {
	width, _ := s.Width()
	if s.Flag('-') {
		width = -width
	}
	fmt.Fprintf(s, "%*s", width, mask)
}

// LogValue returns "[secret]" for log/slog.
func (Value) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns "[secret]". Encoders of XML, YAML and others use it.
func (Value) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText always fails.
func (*Value) UnmarshalText([]byte) error { return errOpaque }

// MarshalJSON returns "[secret]" as a JSON string.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// UnmarshalJSON fails for everything but null, which changes nothing, as encoding/json
// wants it.
func (*Value) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return errOpaque
}

// MarshalBinary always fails. Package encoding/gob uses it.
func (Value) MarshalBinary() ([]byte, error) { return nil, errOpaque }

// UnmarshalBinary always fails.
func (*Value) UnmarshalBinary([]byte) error { return errOpaque }

// Value always fails. It makes database/sql refuse a secret as a query argument.
func (Value) Value() (driver.Value, error) { return nil, errOpaque }
