package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/integrationhub/hub/secrets"
)

// Keeper is a [secrets.Keeper] over others: the first names the key to seal with now, and
// each opens what it has sealed. It is immutable, and as safe for concurrent use as they are.
type Keeper struct{ keepers []secrets.Keeper }

var _ secrets.Keeper = (*Keeper)(nil)

// NewKeeper returns a keeper that seals with primary and still opens what the older ones
// sealed. No two of them should have a key of the same id.
func NewKeeper(primary secrets.Keeper, older ...secrets.Keeper) *Keeper {
	return &Keeper{append([]secrets.Keeper{primary}, slices.Clone(older)...)}
}

// KeyID implements [secrets.Keeper].
func (k *Keeper) KeyID(ctx context.Context) (string, error) { return k.keepers[0].KeyID(ctx) }

// Seal implements [secrets.Keeper].
func (k *Keeper) Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error) {
	return k.first(keyID, func(one secrets.Keeper) ([]byte, error) { return one.Seal(ctx, keyID, plaintext, aad) })
}

// Open implements [secrets.Keeper].
func (k *Keeper) Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error) {
	return k.first(keyID, func(one secrets.Keeper) ([]byte, error) { return one.Open(ctx, keyID, sealed, aad) })
}

// first returns what the first keeper says that knows the key. One that does not answer ends
// the search: the key may be its.
func (k *Keeper) first(keyID string, do func(secrets.Keeper) ([]byte, error)) ([]byte, error) {
	for _, one := range k.keepers {
		data, err := do(one)
		if !errors.Is(err, secrets.ErrKeyNotFound) {
			return data, err
		}
	}
	return nil, fmt.Errorf("chain: %w: %q", secrets.ErrKeyNotFound, keyID)
}
