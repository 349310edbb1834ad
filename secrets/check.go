package secrets

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// maxPart is the most bytes of each text of a Ref, its binding apart, and of a key id.
const maxPart = 255

// Check returns ErrInvalid, naming the field and the rule, for a ref that no vault can
// hold: Connector and Name are required; they and Tenant are valid UTF-8 of at most 255
// bytes without control characters; Generation is not negative. Every method of a Vault
// begins with it.
func (r Ref) Check() error {
	if r.Generation < 0 {
		return fmt.Errorf("%w: the generation of a secret is negative", ErrInvalid)
	}
	if r.Name == "" {
		return fmt.Errorf("%w: a secret has no name", ErrInvalid)
	}
	if err := checkText("name", r.Name); err != nil {
		return err
	}
	return CheckScope(r.Tenant, r.Connector)
}

// CheckScope is [Ref.Check] for the two texts that List takes.
func CheckScope(tenant, connector string) error {
	if connector == "" {
		return fmt.Errorf("%w: a secret has no connector", ErrInvalid)
	}
	if err := checkText("connector", connector); err != nil {
		return err
	}
	return checkText("tenant", tenant)
}

// CheckValue returns ErrInvalid for a value that no vault takes: an empty one, or one
// above MaxValue.
func CheckValue(v Value) error {
	if v.IsZero() {
		return fmt.Errorf("%w: the secret is empty", ErrInvalid)
	}
	if v.Len() > MaxValue {
		return fmt.Errorf("%w: the secret has %d bytes, more than %d", ErrInvalid, v.Len(), MaxValue)
	}
	return nil
}

// CheckKeyID returns ErrInvalid unless id is 1 to 255 bytes of printable ASCII without
// spaces.
func CheckKeyID(id string) error {
	if id == "" || len(id) > maxPart {
		return fmt.Errorf("%w: a key id has %d bytes, not 1 to %d", ErrInvalid, len(id), maxPart)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return fmt.Errorf("%w: byte %d of a key id is not printable ASCII", ErrInvalid, i)
		}
	}
	return nil
}

// String returns the ref for messages, without its binding.
func (r Ref) String() string {
	s := fmt.Sprintf("secret %q, generation %d, of connector %q", r.Name, r.Generation, r.Connector)
	if r.Tenant == "" {
		return s
	}
	return s + fmt.Sprintf(" of tenant %q", r.Tenant)
}

func checkText(field, s string) error {
	if len(s) > maxPart {
		return fmt.Errorf("%w: the %s of a secret has %d bytes, more than %d", ErrInvalid, field, len(s), maxPart)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: the %s of a secret is not valid UTF-8", ErrInvalid, field)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Errorf("%w: the %s of a secret holds a control character", ErrInvalid, field)
		}
	}
	return nil
}
