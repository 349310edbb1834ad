package sealed

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
)

// Rewrap returns what box holds, sealed anew under the key that keeper names now; box itself
// if it is sealed under that key already. The texts are those of [Seal]. Errors are those of
// [Open] and Seal.
func Rewrap(ctx context.Context, keeper secrets.Keeper, box []byte, aad ...string) ([]byte, error) {
	primary, err := keeper.KeyID(ctx)
	if err != nil {
		return nil, fmt.Errorf("sealed: key id: %w", err)
	}
	if keyID, err := KeyID(box); err != nil || keyID == primary {
		return box, err
	}
	plaintext, err := Open(ctx, keeper, box, aad...)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	return Seal(ctx, keeper, plaintext, aad...)
}

// Rewrap seals the value of ref anew under the key that the keeper names now, and reports
// whether it had to. It competes with nobody: if the value is written or deleted meanwhile,
// it starts over, and a writer loses at most one attempt of its own. ErrNotFound if there is
// no value; other errors are those of Get and Put.
func (v *Vault) Rewrap(ctx context.Context, ref secrets.Ref) (bool, error) {
	for range attempts {
		rec, err := v.find(ctx, ref)
		if err != nil {
			return false, err
		}
		box, err := Rewrap(ctx, v.keeper, rec.Data, aadOf(ref)...)
		if err != nil {
			return false, fmt.Errorf("%s: %w", ref, err)
		}
		keyID, err := KeyID(box)
		if err != nil {
			return false, err
		}
		if labels := Labelled(nil, keyID); slices.Equal(rec.Labels, labels) && string(box) == string(rec.Data) {
			return false, nil
		}
		next := rec
		next.Data, next.Labels, next.Revision = box, Labelled(nil, keyID), rec.Revision+1
		next.Updated = v.now()
		if err = v.store.Apply(ctx, storage.Update(next, rec.Revision)); err == nil {
			return true, nil
		}
		if !raced(err) {
			return false, fmt.Errorf("%s: %w", ref, err)
		}
	}
	return false, fmt.Errorf("%s: %w", ref, storage.ErrConflict)
}

// Labelled returns labels with those that name the keys of a record's boxes replaced by one
// for each of keyIDs.
func Labelled(labels []storage.Label, keyIDs ...string) []storage.Label {
	var out []storage.Label
	for _, l := range labels {
		if l.Key != LabelKey {
			out = append(out, l)
		}
	}
	for _, id := range keyIDs {
		out = append(out, storage.Label{Key: LabelKey, Value: id})
	}
	return storage.NormalLabels(out)
}

// Under returns the key of a record of any tenant and kind that is labelled as sealed under
// the key; false if the store has none. It reads all records.
func Under(ctx context.Context, store storage.Store, keyID string) (storage.Key, bool, error) {
	label := storage.Label{Key: LabelKey, Value: keyID}
	q := storage.Query{Everywhere: true, Limit: storage.MaxPage}
	for {
		page, err := store.List(ctx, q)
		if err != nil {
			return storage.Key{}, false, err
		}
		for _, rec := range page.Records {
			if slices.Contains(rec.Labels, label) {
				return rec.Key, true, nil
			}
		}
		if page.Next == "" {
			return storage.Key{}, false, nil
		}
		q.After = page.Next
	}
}

// sealAgain is how often Seal looks for the key anew when the one it was given is gone.
const sealAgain = 3

// wrap seals the data key under the key that keeper names now. A key that was disabled
// between its naming and its use has another one in its place.
func wrap(ctx context.Context, keeper secrets.Keeper, dataKey []byte, aad []string) (keyID string, wrapped []byte, err error) {
	for range sealAgain {
		if keyID, err = keeper.KeyID(ctx); err != nil {
			return "", nil, fmt.Errorf("sealed: key id: %w", err)
		}
		if err = secrets.CheckKeyID(keyID); err != nil {
			return "", nil, fmt.Errorf("sealed: %w", err)
		}
		wrapped, err = keeper.Seal(ctx, keyID, dataKey, keyAAD(keyID, aad))
		if !errors.Is(err, secrets.ErrKeyNotFound) {
			break
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("sealed: data key under key %s: %w", keyID, err)
	}
	return keyID, wrapped, nil
}
