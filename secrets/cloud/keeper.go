package cloud

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"gocloud.dev/gcerrors"
	gosecrets "gocloud.dev/secrets"
	_ "gocloud.dev/secrets/awskms"
	_ "gocloud.dev/secrets/azurekeyvault"
	_ "gocloud.dev/secrets/gcpkms"
	_ "gocloud.dev/secrets/localsecrets"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
)

// Key is a key of a service.
type Key struct {
	// ID is what records name the key by, for good: 1 to 255 bytes of printable ASCII
	// without spaces.
	ID string
	// URL is where the key is.
	URL string
}

// Keeper is a [secrets.Keeper] over keys of services. It is safe for concurrent use.
type Keeper struct {
	primary string
	keys    map[string]*gosecrets.Keeper
}

var _ secrets.Keeper = (*Keeper)(nil)

// Open returns a keeper that seals with primary and opens with all keys. It builds the
// services' clients and may ask for credentials. The caller closes it. ErrInvalid for an id
// that breaks its rule or is used twice, and for a URL that names no key.
func Open(ctx context.Context, primary Key, older ...Key) (*Keeper, error) {
	k := &Keeper{primary: primary.ID, keys: map[string]*gosecrets.Keeper{}}
	for _, key := range append([]Key{primary}, older...) {
		if err := k.add(ctx, key); err != nil {
			return nil, errors.Join(err, k.Close())
		}
	}
	return k, nil
}

func (k *Keeper) add(ctx context.Context, key Key) error {
	if err := secrets.CheckKeyID(key.ID); err != nil {
		return fmt.Errorf("cloud: %w", err)
	}
	if k.keys[key.ID] != nil {
		return fmt.Errorf("cloud: %w: two keys have the id %q", secrets.ErrInvalid, key.ID)
	}
	opened, err := gosecrets.OpenKeeper(ctx, key.URL)
	if err != nil { // its text repeats the URL, which may be a key
		return fmt.Errorf("cloud: %w: the URL of key %q cannot be opened", secrets.ErrInvalid, key.ID)
	}
	k.keys[key.ID] = opened
	return nil
}

// Close closes the services' clients.
func (k *Keeper) Close() error {
	var errs []error
	for _, one := range k.keys {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// KeyID implements [secrets.Keeper].
func (k *Keeper) KeyID(ctx context.Context) (string, error) { return k.primary, ctx.Err() }

// Seal implements [secrets.Keeper].
func (k *Keeper) Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error) {
	key, err := k.key(ctx, keyID)
	if err != nil {
		return nil, err
	}
	box, err := sealed.Seal(ctx, key, plaintext, string(aad))
	if err != nil {
		return nil, err
	}
	return append(box, checksum(box, aad)...), nil
}

// Open implements [secrets.Keeper].
func (k *Keeper) Open(ctx context.Context, keyID string, data, aad []byte) ([]byte, error) {
	key, err := k.key(ctx, keyID)
	if err != nil {
		return nil, err
	}
	end := len(data) - sha256.Size
	if end < 0 || subtle.ConstantTimeCompare(data[end:], checksum(data[:end], aad)) == 0 {
		return nil, fmt.Errorf("cloud: %w: it was moved, altered or cut", secrets.ErrSealBroken)
	}
	return sealed.Open(ctx, key, data[:end:end], string(aad))
}

func (k *Keeper) key(ctx context.Context, id string) (*wrapper, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := k.keys[id]
	if key == nil {
		return nil, fmt.Errorf("cloud: %w: %q", secrets.ErrKeyNotFound, id)
	}
	return &wrapper{id, key}, nil
}

// checksum recognises damage, and what belongs elsewhere; it keeps nobody from forging.
func checksum(box, aad []byte) []byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(aad))))
	h.Write(aad)
	h.Write(box)
	return h.Sum(nil)
}

// wrapper wraps data keys with one key of a service. The associated data is left to the box
// around the data key, which binds the wrapped one, too.
type wrapper struct {
	id  string
	key *gosecrets.Keeper
}

// KeyID implements [secrets.Keeper].
func (w *wrapper) KeyID(context.Context) (string, error) { return w.id, nil }

// Seal implements [secrets.Keeper].
func (w *wrapper) Seal(ctx context.Context, _ string, plaintext, _ []byte) ([]byte, error) {
	data, err := w.key.Encrypt(ctx, plaintext)
	return data, w.failed(ctx, err)
}

// Open implements [secrets.Keeper].
func (w *wrapper) Open(ctx context.Context, keyID string, data, _ []byte) ([]byte, error) {
	if keyID != w.id {
		return nil, fmt.Errorf("cloud: %w: it was sealed with another key", secrets.ErrSealBroken)
	}
	plaintext, err := w.key.Decrypt(ctx, data)
	if gcerrors.Code(err) == gcerrors.InvalidArgument {
		return nil, fmt.Errorf("cloud: %w: the service refuses the data key", secrets.ErrSealBroken)
	}
	return plaintext, w.failed(ctx, err)
}

// failed translates what a service says; its own text may name more than keys.
func (w *wrapper) failed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fmt.Errorf("cloud: %w: %q", secrets.ErrKeyNotFound, w.id)
	}
	return fmt.Errorf("cloud: key %q: the service answers %s", w.id, gcerrors.Code(err))
}
