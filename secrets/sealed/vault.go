package sealed

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
)

const (
	// Kind is the kind of the records that a Vault keeps.
	Kind = "secret"
	// CheckKind is the kind of the record by which a hub knows the keeper that sealed its
	// store: the box of nothing, labelled like a vault's records.
	CheckKind = "key-check"

	// LabelKey is the label that tells the id of the key a record is sealed under.
	// Others who keep boxes in a store set it too, so that the records of a key are
	// found by it.
	LabelKey = "key"
)

// attempts is how often a write is tried while others write the same secret. Each lost
// attempt is another writer's success.
const attempts = 100

// Vault is a [secrets.Vault] over any store: one record per generation of a secret, each
// in a box of its own. It is safe for concurrent use and holds no state.
type Vault struct {
	// Now is the clock for the Updated of records; nil means time.Now. Set it before
	// the vault is used.
	Now func() time.Time

	store  storage.Store
	keeper secrets.Keeper
}

var _ secrets.Vault = (*Vault)(nil)

// New returns a vault that keeps its records in store and seals them with keeper. Neither
// is closed by the vault.
func New(store storage.Store, keeper secrets.Keeper) *Vault {
	return &Vault{store: store, keeper: keeper}
}

// Get implements [secrets.Vault]. ErrSealBroken means that ref carries another binding
// than the one of Put, or that the record was moved or altered; ErrKeyNotFound that the
// keeper lacks the key of the record.
func (v *Vault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	rec, err := v.find(ctx, ref)
	if err != nil {
		return secrets.Value{}, err
	}
	plaintext, err := Open(ctx, v.keeper, rec.Data, aadOf(ref)...)
	if err != nil {
		return secrets.Value{}, fmt.Errorf("%s: %w", ref, err)
	}
	defer clear(plaintext)
	return secrets.FromBytes(plaintext), nil
}

// Put implements [secrets.Vault].
func (v *Vault) Put(ctx context.Context, ref secrets.Ref, value secrets.Value) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	if err := secrets.CheckValue(value); err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	rec, err := v.seal(ctx, ref, value)
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	for range attempts {
		if err = v.write(ctx, rec); !raced(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	return nil
}

// Delete implements [secrets.Vault]. It needs no key.
func (v *Vault) Delete(ctx context.Context, ref secrets.Ref) error {
	for range attempts {
		rec, err := v.find(ctx, ref)
		if errors.Is(err, secrets.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		err = v.store.Apply(ctx, storage.Delete(rec.Key, rec.Revision))
		if err == nil {
			return nil
		}
		if !raced(err) {
			return fmt.Errorf("%s: %w", ref, err)
		}
	}
	return fmt.Errorf("%s: %w", ref, storage.ErrConflict)
}

// List implements [secrets.Vault]. It needs no key. ErrSealBroken means that a record does
// not carry the name that its id was made from.
func (v *Vault) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := secrets.CheckScope(tenant, connector); err != nil {
		return nil, err
	}
	var refs []secrets.Ref
	q := storage.Query{Tenant: tenant, Kind: Kind, Parent: connector, Limit: storage.MaxPage}
	for {
		page, err := v.store.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("secrets of connector %q: %w", connector, err)
		}
		for _, rec := range page.Records {
			ref, err := RefOf(rec)
			if err != nil {
				return nil, err
			}
			refs = append(refs, ref)
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	slices.SortFunc(refs, byNameAndGeneration)
	return refs, nil
}

func (v *Vault) find(ctx context.Context, ref secrets.Ref) (storage.Record, error) {
	if err := check(ctx, ref); err != nil {
		return storage.Record{}, err
	}
	rec, err := v.store.Get(ctx, keyOf(ref))
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Record{}, fmt.Errorf("%s: %w", ref, secrets.ErrNotFound)
	}
	if err != nil {
		return storage.Record{}, fmt.Errorf("%s: %w", ref, err)
	}
	return rec, nil
}

func (v *Vault) seal(ctx context.Context, ref secrets.Ref, value secrets.Value) (storage.Record, error) {
	plaintext := []byte(value.Reveal())
	defer clear(plaintext)
	box, err := Seal(ctx, v.keeper, plaintext, aadOf(ref)...)
	if err != nil {
		return storage.Record{}, err
	}
	keyID, err := KeyID(box)
	if err != nil {
		return storage.Record{}, err
	}
	return storage.Record{
		Key:     keyOf(ref),
		Parent:  ref.Connector,
		Search:  searchOf(ref),
		Labels:  []storage.Label{{Key: LabelKey, Value: keyID}},
		Updated: v.now().UTC().Truncate(time.Microsecond),
		Data:    box,
	}, nil
}

// write creates the record, or replaces the one that is there.
func (v *Vault) write(ctx context.Context, rec storage.Record) error {
	rec.Revision = 1
	err := v.store.Apply(ctx, storage.Create(rec))
	if !errors.Is(err, storage.ErrExists) {
		return err
	}
	old, err := v.store.Get(ctx, rec.Key)
	if err != nil {
		return err
	}
	rec.Revision = old.Revision + 1
	return v.store.Apply(ctx, storage.Update(rec, old.Revision))
}

func (v *Vault) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

// raced reports whether a write failed only because another one came first.
func raced(err error) bool {
	return errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrNotFound)
}

func check(ctx context.Context, ref secrets.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ref.Check()
}

// aadOf is what the box of a secret is bound to. The format and the key id are added by
// Seal.
func aadOf(ref secrets.Ref) []string {
	return []string{
		Kind, ref.Tenant, ref.Connector, ref.Name,
		strconv.FormatInt(ref.Generation, 10), ref.Binding,
	}
}

func keyOf(ref secrets.Ref) storage.Key {
	sum := sha256.Sum256(appendTexts(nil, ref.Connector, ref.Name, strconv.FormatInt(ref.Generation, 10)))
	return storage.Key{Tenant: ref.Tenant, Kind: Kind, ID: hex.EncodeToString(sum[:])}
}

// generationDigits is the width of a generation in the search key: that of the largest.
const generationDigits = 19

func searchOf(ref secrets.Ref) string {
	return fmt.Sprintf("%s %0*d", ref.Name, generationDigits, ref.Generation)
}

// RefOf returns the ref, without Binding, under which a vault keeps a record of [Kind].
// ErrSealBroken means that the record does not carry the name that its id was made from.
func RefOf(rec storage.Record) (secrets.Ref, error) {
	ref := secrets.Ref{Tenant: rec.Tenant, Connector: rec.Parent}
	if at := len(rec.Search) - generationDigits; at > 0 {
		generation, err := strconv.ParseInt(rec.Search[at:], 10, 64)
		if err != nil {
			return secrets.Ref{}, broken("%s has no generation", rec.Key)
		}
		ref.Name, ref.Generation = rec.Search[:at-1], generation
	}
	if searchOf(ref) != rec.Search || keyOf(ref) != rec.Key {
		return secrets.Ref{}, broken("%s does not carry its own name", rec.Key)
	}
	return ref, nil
}

func byNameAndGeneration(a, b secrets.Ref) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Generation, b.Generation))
}
