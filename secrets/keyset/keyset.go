package keyset

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/integrationhub/hub/secrets"
)

const (
	keySize  = 32 // AES-256
	saltSize = 32
	format1  = 1 // first byte of what Seal makes
)

// What is derived from a key, and for what.
const (
	infoID   = "hub keyset 1: id"
	infoSeal = "hub keyset 1: seal"
)

// Keyset is a [secrets.Keeper] over keys in memory. It never changes and is safe for
// concurrent use. Printing it shows key ids only.
type Keyset struct {
	primary string
	keys    []key
}

var _ secrets.Keeper = (*Keyset)(nil)

// key is one key of the set. The material is a Value so that printing the set, which
// reaches unexported fields too, cannot show it.
type key struct {
	id       string
	state    state
	material secrets.Value
}

// state is what a key may be used for.
type state string

const (
	enabled  state = "enabled"  // opens; seals if it is the primary, or when named
	disabled state = "disabled" // kept, but neither seals nor opens
)

// Generate returns a keyset of one fresh key, in memory only: what it seals is lost with
// the process unless [Keyset.Encode] is kept. The error is always nil with the random
// source of the standard library.
func Generate() (*Keyset, error) {
	material := make([]byte, keySize)
	defer clear(material)
	rand.Read(material)
	id, err := idOf(material)
	if err != nil {
		return nil, err
	}
	k := key{id: id, state: enabled, material: secrets.FromBytes(material)}
	return &Keyset{primary: id, keys: []key{k}}, nil
}

// KeyID implements [secrets.Keeper]: it returns the id of the primary key.
func (s *Keyset) KeyID(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return s.primary, nil
}

// Seal implements [secrets.Keeper]. The result is 61 bytes longer than plaintext. A disabled
// key counts as not found.
func (s *Keyset) Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error) {
	k, err := s.find(ctx, keyID)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+saltSize, 1+saltSize+len(plaintext)+28)
	out[0] = format1
	rand.Read(out[1:])
	gcm, err := k.derive(out[1:])
	if err != nil {
		return nil, err
	}
	return gcm.Seal(out, nil, plaintext, aad), nil
}

// Open implements [secrets.Keeper]. A disabled key counts as not found.
func (s *Keyset) Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error) {
	k, err := s.find(ctx, keyID)
	if err != nil {
		return nil, err
	}
	if len(sealed) <= 1+saltSize || sealed[0] != format1 {
		return nil, fmt.Errorf("keyset: %w: not sealed by a keyset", secrets.ErrSealBroken)
	}
	gcm, err := k.derive(sealed[1 : 1+saltSize])
	if err != nil {
		return nil, err
	}
	plaintext, err := gcm.Open(nil, nil, sealed[1+saltSize:], aad)
	if err != nil {
		return nil, fmt.Errorf("keyset: %w: moved, altered or cut", secrets.ErrSealBroken)
	}
	return plaintext, nil
}

// String names the primary key and the number of keys, never a key.
func (s *Keyset) String() string {
	return fmt.Sprintf("keyset(primary %s, keys: %d)", s.primary, len(s.keys))
}

// GoString returns what String does.
func (s *Keyset) GoString() string { return s.String() }

func (s *Keyset) find(ctx context.Context, id string) (key, error) {
	if err := ctx.Err(); err != nil {
		return key{}, err
	}
	for _, k := range s.keys {
		if k.id != id {
			continue
		}
		if k.state != enabled {
			return key{}, fmt.Errorf("keyset: %w: key %s is disabled", secrets.ErrKeyNotFound, id)
		}
		return k, nil
	}
	return key{}, fmt.Errorf("keyset: %w: %q", secrets.ErrKeyNotFound, id)
}

// derive returns the cipher of one seal: a key of its own, made from the salt.
func (k key) derive(salt []byte) (cipher.AEAD, error) {
	subkey, err := hkdf.Key(sha256.New, []byte(k.material.Reveal()), salt, infoSeal, keySize)
	if err != nil {
		return nil, fmt.Errorf("keyset: key %s: %w", k.id, err)
	}
	defer clear(subkey)
	block, err := aes.NewCipher(subkey)
	if err != nil {
		return nil, fmt.Errorf("keyset: key %s: %w", k.id, err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("keyset: key %s: %w", k.id, err)
	}
	return gcm, nil
}

// idOf derives the id from the key: a damaged keyset is noticed when it is read.
func idOf(material []byte) (string, error) {
	id, err := hkdf.Key(sha256.New, material, nil, infoID, 8)
	if err != nil {
		return "", fmt.Errorf("keyset: %w", err)
	}
	return "k_" + hex.EncodeToString(id), nil
}
