package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// instead is a store that gives other data for the one record it is asked for.
type instead struct {
	storage.Store
	data []byte
}

func (s *instead) Get(ctx context.Context, k storage.Key) (storage.Record, error) {
	rec, err := s.Store.Get(ctx, k)
	rec.Data = s.data
	return rec, err
}

// valuesOf keeps n secrets, of several tenants, connectors, names and bindings.
func valuesOf(ctx context.Context, n int, store storage.Store, keeper secrets.Keeper) ([]secrets.Ref, [][]byte, error) {
	vault := sealed.New(store, keeper)
	refs := make([]secrets.Ref, n)
	for i := range refs {
		refs[i] = secrets.Ref{
			Tenant: fmt.Sprint("tenant-", i%3), Connector: fmt.Sprint("con-", i%5), Name: fmt.Sprint("name-", i/30),
			Generation: int64(i), Binding: fmt.Sprint("host-", i%2),
		}
		if err := vault.Put(ctx, refs[i], secrets.New(fmt.Sprint("value-", i))); err != nil {
			return nil, nil, err
		}
	}
	data := make([][]byte, n)
	for i, ref := range refs {
		q := storage.Query{Tenant: ref.Tenant, Kind: sealed.Kind, Parent: ref.Connector, Prefix: fmt.Sprintf("%s %019d", ref.Name, ref.Generation)}
		page, err := store.List(ctx, q)
		if err != nil || len(page.Records) != 1 {
			return nil, nil, errors.Join(err, fmt.Errorf("%d records of %s", len(page.Records), ref))
		}
		data[i] = page.Records[0].Data
	}
	return refs, data, nil
}

// moved puts every sealed value in the place of every other.
func moved(ctx context.Context, t *trial) error {
	keeper, err := keyset.Generate()
	if err != nil {
		return err
	}
	store := memory.New()
	refs, data, err := valuesOf(ctx, 200, store, keeper)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		for j := range data {
			if i != j {
				t.accepts(ctx, store, keeper, ref, data[j])
			}
		}
	}
	return errors.Join(ctx.Err(), store.Close())
}

// accepts tries whether a vault takes data for the value of ref.
func (t *trial) accepts(ctx context.Context, store storage.Store, keeper secrets.Keeper, ref secrets.Ref, data []byte) {
	t.tried++
	_, err := sealed.New(&instead{store, data}, keeper).Get(ctx, ref)
	if err == nil {
		t.failed++
	}
}

// flipped changes every bit of sealed values, and cuts them at every length.
func flipped(ctx context.Context, t *trial) error {
	keeper, err := keyset.Generate()
	if err != nil {
		return err
	}
	store := memory.New()
	refs, data, err := valuesOf(ctx, t.size(10, 200), store, keeper)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		for bit := range 8 * len(data[i]) {
			changed := append([]byte(nil), data[i]...)
			changed[bit/8] ^= 1 << (bit % 8)
			t.accepts(ctx, store, keeper, ref, changed)
		}
		for n := range data[i] {
			t.accepts(ctx, store, keeper, ref, data[i][:n])
		}
	}
	return errors.Join(ctx.Err(), store.Close())
}
