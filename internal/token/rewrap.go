package token

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// Rewrap seals the grant in a stored record anew under the key that keeper names now, and
// changes nothing else: who holds a lease holds it still, for outcomes are written over a
// record that moved. A record without a grant stays as it is.
func Rewrap(ctx context.Context, keeper secrets.Keeper, stored *storage.Record) error {
	rec := &record{}
	if err := json.Unmarshal(stored.Data, rec); err != nil || rec.Format > recordFormat {
		return fmt.Errorf("%w: the record is damaged, or of a newer release: %w", ErrSeal, secrets.ErrSealBroken)
	}
	if len(rec.Box) == 0 {
		return nil
	}
	key := Key{Tenant: stored.Tenant, Connector: stored.ID}
	box, err := sealed.Rewrap(ctx, keeper, rec.Box, key.aad()...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	rec.Box = box
	keyID, err := sealed.KeyID(box)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	stored.Data, stored.Labels = data, sealed.Labelled(stored.Labels, keyID)
	return nil
}
