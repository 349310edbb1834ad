package secrets

// Value is a secret that cannot be shown by accident.
type Value struct{ reveal func() string }

// New returns s as a Value.
func New(s string) Value { return Value{reveal: func() string { return s }} }

// Reveal returns the secret itself.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}
