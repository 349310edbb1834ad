package keyset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/integrationhub/hub/secrets"
)

const (
	formatName = "hub-keyset-1"
	maxEncoded = 1 << 20 // bytes of an encoded keyset
)

// encoded is a keyset as JSON.
type encoded struct {
	Format  string       `json:"format"`
	Primary string       `json:"primary"`
	Keys    []encodedKey `json:"keys"`
}

type encodedKey struct {
	ID    string `json:"id"`
	State state  `json:"state"`
	Key   []byte `json:"key"`
}

// Encode returns the keyset as JSON, keys included: what [Parse] reads.
func (s *Keyset) Encode() secrets.Value {
	e := encoded{Format: formatName, Primary: s.primary}
	for _, k := range s.keys {
		e.Keys = append(e.Keys, encodedKey{ID: k.id, State: k.state, Key: []byte(k.material.Reveal())})
	}
	defer e.wipe()
	// Strings and bytes only: this cannot fail.
	data, _ := json.Marshal(e)
	defer clear(data)
	return secrets.FromBytes(data)
}

// Parse reads what [Keyset.Encode] wrote. White space around it is allowed; members that
// the format does not have are not. Data is neither kept nor changed. Errors name the rule
// and, where it is sound, the key's id; they never repeat data.
func Parse(data []byte) (*Keyset, error) {
	if len(data) > maxEncoded {
		return nil, fmt.Errorf("keyset: %d bytes, more than %d", len(data), maxEncoded)
	}
	var e encoded
	defer e.wipe()
	if err := decode(data, &e); err != nil {
		return nil, err
	}
	if e.Format != formatName {
		return nil, fmt.Errorf("keyset: the format is not %q", formatName)
	}
	s := &Keyset{primary: e.Primary}
	for i, k := range e.Keys {
		if err := s.add(k); err != nil {
			return nil, fmt.Errorf("keyset: keys[%d]: %w", i, err)
		}
	}
	if err := s.checkPrimary(); err != nil {
		return nil, err
	}
	return s, nil
}

// decode reports a place, not the decoder's own text: that may repeat the input.
func decode(data []byte, e *encoded) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(e); err != nil {
		return fmt.Errorf("keyset: not a keyset in JSON, or cut (near byte %d)", d.InputOffset())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("keyset: more follows the keyset (at byte %d)", d.InputOffset())
	}
	return nil
}

func (s *Keyset) add(k encodedKey) error {
	if len(k.Key) != keySize {
		return fmt.Errorf("the key has %d bytes, not %d", len(k.Key), keySize)
	}
	id, err := idOf(k.Key)
	if err != nil {
		return err
	}
	if id != k.ID {
		return errors.New("the id is not the one of the key: one of them is damaged")
	}
	if k.State != enabled && k.State != disabled {
		return fmt.Errorf("the state of %s is neither %q nor %q", id, enabled, disabled)
	}
	for _, other := range s.keys {
		if other.id == id {
			return fmt.Errorf("%s is there twice", id)
		}
	}
	s.keys = append(s.keys, key{id: id, state: k.State, material: secrets.FromBytes(k.Key)})
	return nil
}

func (s *Keyset) checkPrimary() error {
	for _, k := range s.keys {
		if k.id != s.primary {
			continue
		}
		if k.state != enabled {
			return fmt.Errorf("keyset: the primary key %s is disabled", k.id)
		}
		return nil
	}
	return errors.New("keyset: the primary is none of the keys")
}

func (e *encoded) wipe() {
	for _, k := range e.Keys {
		clear(k.Key)
	}
}
