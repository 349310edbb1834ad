package sealed

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/integrationhub/hub/secrets"
)

const (
	format1   = 1  // first byte of a box
	keySize   = 32 // AES-256
	nonceSize = 12
	tagSize   = 16
)

// What the two layers authenticate begins with a text of its own, so that neither can
// stand for the other.
const (
	domainKey  = "hub sealed box 1: data key"
	domainData = "hub sealed box 1: data"
)

// Seal encrypts plaintext under a fresh data key, and that key under the one that keeper
// names now, and returns both as one box (its bytes are described in the package comment).
// Both layers are bound to aad, which [Open] must be given again, in the same order and
// number: the texts are told apart by their lengths, so ("ab", "c") and ("a", "bc") differ.
//
// Sealing twice gives different bytes. Plaintext may be empty; it is neither kept nor
// changed. Errors are those of keeper; ErrInvalid means that keeper broke its contract.
func Seal(ctx context.Context, keeper secrets.Keeper, plaintext []byte, aad ...string) ([]byte, error) {
	dataKey := make([]byte, keySize)
	defer clear(dataKey)
	rand.Read(dataKey)
	keyID, wrapped, err := wrap(ctx, keeper, dataKey, aad)
	if err != nil {
		return nil, err
	}
	if len(wrapped) > math.MaxUint16 {
		return nil, fmt.Errorf("sealed: %w: the keeper made %d bytes of a data key", secrets.ErrInvalid, len(wrapped))
	}
	head := appendHead(nil, keyID, wrapped)
	gcm, err := newGCM(dataKey)
	if err != nil {
		return nil, err
	}
	return gcm.Seal(head, nil, plaintext, dataAAD(head, aad)), nil
}

// Open returns the plaintext of a box that [Seal] made with the same aad.
//
// ErrKeyNotFound means that keeper does not have the key that the box names, ErrSealBroken
// that box or aad is not what was sealed; other errors are those of keeper. The box is
// neither kept nor changed.
func Open(ctx context.Context, keeper secrets.Keeper, box []byte, aad ...string) ([]byte, error) {
	p, err := parse(box)
	if err != nil {
		return nil, err
	}
	dataKey, err := keeper.Open(ctx, p.keyID, p.wrapped, keyAAD(p.keyID, aad))
	if err != nil {
		return nil, fmt.Errorf("sealed: data key under key %s: %w", p.keyID, err)
	}
	defer clear(dataKey)
	if len(dataKey) != keySize {
		return nil, broken("the data key has %d bytes, not %d", len(dataKey), keySize)
	}
	gcm, err := newGCM(dataKey)
	if err != nil {
		return nil, err
	}
	plaintext, err := gcm.Open(nil, nil, p.data, dataAAD(p.head, aad))
	if err != nil {
		return nil, broken("the data was moved or altered")
	}
	return plaintext, nil
}

// KeyID returns the id of the key that box is sealed under, without opening it: nothing
// vouches for it. ErrSealBroken if box is not a box.
func KeyID(box []byte) (string, error) {
	p, err := parse(box)
	return p.keyID, err
}

// parts is a box taken apart. Its slices point into the box.
type parts struct {
	keyID   string
	wrapped []byte // the data key, sealed by the keeper
	head    []byte // everything before data
	data    []byte // nonce, ciphertext, tag
}

func appendHead(b []byte, keyID string, wrapped []byte) []byte {
	b = append(b, format1, byte(len(keyID)))
	b = append(b, keyID...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(wrapped)))
	return append(b, wrapped...)
}

func parse(box []byte) (parts, error) {
	if len(box) < 2 {
		return parts{}, broken("%d bytes are no box", len(box))
	}
	if box[0] != format1 {
		return parts{}, broken("format %d is not known", box[0])
	}
	keyID, rest, ok := cut(box[2:], int(box[1]))
	if !ok || secrets.CheckKeyID(string(keyID)) != nil {
		return parts{}, broken("the key id is not whole")
	}
	size, rest, ok := cut(rest, 2)
	if !ok {
		return parts{}, broken("the data key is not whole")
	}
	wrapped, data, ok := cut(rest, int(binary.BigEndian.Uint16(size)))
	if !ok {
		return parts{}, broken("the data key is not whole")
	}
	if len(data) < nonceSize+tagSize {
		return parts{}, broken("the data is not whole")
	}
	head := box[:len(box)-len(data)]
	return parts{keyID: string(keyID), wrapped: wrapped, head: head, data: data}, nil
}

func cut(b []byte, n int) (first, rest []byte, ok bool) {
	if len(b) < n {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

func keyAAD(keyID string, aad []string) []byte {
	return appendTexts(appendTexts(nil, domainKey, keyID), aad...)
}

// dataAAD covers the head as well: a wrapped key that a keeper would accept in two
// spellings is refused all the same.
func dataAAD(head []byte, aad []string) []byte {
	return appendTexts(appendTexts(nil, domainData, string(head)), aad...)
}

// appendTexts writes each text behind its length, eight bytes, big-endian. Of two different
// lists neither gives the same bytes as the other.
func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// newGCM returns AES-256-GCM that puts a random nonce before what it seals.
func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	return gcm, nil
}

func broken(format string, args ...any) error {
	return fmt.Errorf("sealed: %w: %s", secrets.ErrSealBroken, fmt.Sprintf(format, args...))
}
