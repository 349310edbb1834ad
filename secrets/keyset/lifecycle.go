package keyset

import (
	"errors"
	"fmt"
	"slices"

	"github.com/integrationhub/hub/secrets"
)

// ErrInUse: a key cannot be taken away, because it is needed: the primary, one that is not
// disabled, or one that a record names.
var ErrInUse = errors.New("key is in use")

// maxKeys is the most keys of a set, so that it stays far below what a file may hold.
const maxKeys = 1000

// KeyInfo is what can be known of a key. Its id is no secret.
type KeyInfo struct {
	ID       string
	Primary  bool // new seals are made under it
	Disabled bool // it neither seals nor opens
}

// Keys lists the keys of the set, in the order in which they were added.
func (s *Keyset) Keys() []KeyInfo {
	list := make([]KeyInfo, len(s.keys))
	for i, k := range s.keys {
		list[i] = KeyInfo{ID: k.id, Primary: k.id == s.primary, Disabled: k.state == disabled}
	}
	return list
}

// Add returns the set with one more key, which is fresh, enabled and not the primary, and the
// id of the key. The set itself does not change. A key is added before it is promoted, so
// that every process that may meet what it seals can have it by then.
func (s *Keyset) Add() (*Keyset, string, error) {
	if len(s.keys) >= maxKeys {
		return nil, "", fmt.Errorf("keyset: a set has at most %d keys: destroy some", maxKeys)
	}
	fresh, err := Generate()
	if err != nil {
		return nil, "", err
	}
	return &Keyset{primary: s.primary, keys: append(slices.Clone(s.keys), fresh.keys[0])}, fresh.primary, nil
}

// Promote returns the set with the key as its primary. The primary before stays enabled, and
// opens what it sealed. An unknown key is secrets.ErrKeyNotFound, and so is a disabled one.
func (s *Keyset) Promote(id string) (*Keyset, error) {
	i, err := s.position(id)
	if err != nil {
		return nil, err
	}
	if s.keys[i].state != enabled {
		return nil, fmt.Errorf("keyset: %w: key %s is disabled", secrets.ErrKeyNotFound, id)
	}
	return &Keyset{primary: id, keys: s.keys}, nil
}

// Disable returns the set with the key disabled: it neither seals nor opens until Enable.
// What is still sealed under it shows as secrets.ErrKeyNotFound, and nothing is lost. The
// primary is ErrInUse.
func (s *Keyset) Disable(id string) (*Keyset, error) {
	if id == s.primary {
		return nil, fmt.Errorf("keyset: %w: %s is the primary: promote another first", ErrInUse, id)
	}
	return s.with(id, disabled)
}

// Enable returns the set with the key enabled again.
func (s *Keyset) Enable(id string) (*Keyset, error) { return s.with(id, enabled) }

// Destroy returns the set without the key, which must be disabled: ErrInUse if it is not.
// What is sealed under it is lost; [File.Destroy] looks for that first.
func (s *Keyset) Destroy(id string) (*Keyset, error) {
	i, err := s.position(id)
	if err != nil {
		return nil, err
	}
	if s.keys[i].state != disabled {
		return nil, fmt.Errorf("keyset: %w: %s is not disabled", ErrInUse, id)
	}
	return &Keyset{primary: s.primary, keys: slices.Delete(slices.Clone(s.keys), i, i+1)}, nil
}

func (s *Keyset) with(id string, to state) (*Keyset, error) {
	i, err := s.position(id)
	if err != nil {
		return nil, err
	}
	next := &Keyset{primary: s.primary, keys: slices.Clone(s.keys)}
	next.keys[i].state = to
	return next, nil
}

func (s *Keyset) position(id string) (int, error) {
	i := slices.IndexFunc(s.keys, func(k key) bool { return k.id == id })
	if i < 0 {
		return 0, fmt.Errorf("keyset: %w: %q", secrets.ErrKeyNotFound, id)
	}
	return i, nil
}
