package storage

import (
	"fmt"
	"strings"
)

// CheckKey returns an error that wraps ErrInvalid unless k may identify a record.
func CheckKey(k Key) error {
	if k.Kind == "" {
		return invalid("Kind is empty")
	}
	if k.ID == "" {
		return invalid("ID is empty")
	}
	return checkTexts(
		text{"Tenant", k.Tenant, MaxKeyPart},
		text{"Kind", k.Kind, MaxKeyPart},
		text{"ID", k.ID, MaxKeyPart},
	)
}

// CheckQuery returns an error that wraps ErrInvalid unless q keeps to the limits and the
// rules written at [Query]. It does not read After; [Query.Position] does.
func CheckQuery(q Query) error {
	if q.Limit < 0 {
		return invalid("Limit is negative")
	}
	if q.Everywhere && (q.Name != "" || q.Prefix != "" || len(q.Labels) > 0) {
		return invalid("Everywhere excludes Name, Prefix and Labels")
	}
	if !q.Everywhere && q.Kind == "" {
		return invalid("Kind is empty")
	}
	if err := checkTexts(
		text{"Tenant", q.Tenant, MaxKeyPart},
		text{"Kind", q.Kind, MaxKeyPart},
		text{"Parent", q.Parent, MaxKeyPart},
		text{"Name", q.Name, MaxKeyPart},
		text{"Prefix", q.Prefix, MaxSearch},
	); err != nil {
		return err
	}
	return checkLabels(q.Labels)
}

// CheckChanges returns an error that wraps ErrInvalid unless the changes keep to the limits
// and no two have the same key. The fault of one change is a *[ChangeError] with its index.
func CheckChanges(changes []Change) error {
	if len(changes) > MaxChanges {
		return invalid("%d changes, the most are %d", len(changes), MaxChanges)
	}
	seen := make(map[Key]bool, len(changes))
	for i, c := range changes {
		err := checkChange(c)
		if err == nil && seen[c.Record.Key] {
			err = invalid("the key is changed twice")
		}
		if err != nil {
			return &ChangeError{Index: i, Key: c.Record.Key, Err: err}
		}
		seen[c.Record.Key] = true
	}
	return nil
}

func checkChange(c Change) error {
	if err := CheckKey(c.Record.Key); err != nil {
		return err
	}
	switch c.Action {
	case ActionCreate:
		if c.Expect != 0 {
			return invalid("a create expects no revision")
		}
		return checkRecord(c.Record)
	case ActionUpdate:
		if err := checkExpect(c.Expect); err != nil {
			return err
		}
		if c.Record.Revision <= c.Expect {
			return invalid("Revision is not above the expected one")
		}
		return checkRecord(c.Record)
	case ActionDelete:
		return checkExpect(c.Expect)
	default:
		return invalid("unknown action %.32q", c.Action)
	}
}

func checkExpect(revision int64) error {
	if revision < 1 {
		return invalid("the expected revision is not positive")
	}
	return nil
}

func checkRecord(r Record) error {
	if r.Revision < 1 {
		return invalid("Revision is not positive")
	}
	if y := r.Updated.UTC().Year(); y < 1 || y > 9999 {
		return invalid("the year of Updated is outside 1 to 9999")
	}
	if len(r.Data) > MaxData {
		return invalid("Data has %d bytes, the most are %d", len(r.Data), MaxData)
	}
	if err := checkTexts(
		text{"Parent", r.Parent, MaxKeyPart},
		text{"Name", r.Name, MaxKeyPart},
		text{"Search", r.Search, MaxSearch},
	); err != nil {
		return err
	}
	return checkLabels(r.Labels)
}

func checkLabels(labels []Label) error {
	if len(labels) > MaxLabels {
		return invalid("%d labels, the most are %d", len(labels), MaxLabels)
	}
	for _, l := range labels {
		if err := checkTexts(
			text{"Label.Key", l.Key, MaxKeyPart},
			text{"Label.Value", l.Value, MaxKeyPart},
		); err != nil {
			return err
		}
	}
	return nil
}

// text is a string of the contract with its name and its limit in bytes.
type text struct {
	name  string
	value string
	limit int
}

func checkTexts(texts ...text) error {
	for _, t := range texts {
		if len(t.value) > t.limit {
			return invalid("%s has %d bytes, the most are %d", t.name, len(t.value), t.limit)
		}
		if strings.IndexByte(t.value, 0) >= 0 {
			return invalid("%s holds a NUL byte", t.name)
		}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
