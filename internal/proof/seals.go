package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/integrationhub/hub"
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

// dying is a store whose process dies at its next Apply: before it is done, or right after.
type dying struct {
	storage.Store
	after bool
	dead  bool
	at    []storage.Key
}

var errKilled = errors.New("killed")

func (s *dying) Apply(ctx context.Context, changes ...storage.Change) error {
	if !s.dead && s.after {
		if err := s.Store.Apply(ctx, changes...); err != nil {
			return err
		}
	}
	if !s.dead {
		s.at = append(s.at, changes[0].Record.Key)
	}
	s.dead = true
	return errKilled
}

// perConnector is how many secrets a connector of the rotation has.
const perConnector = 50

// rotation kills a rotation at every record, and lets another process go on. All that is
// stored is read by the keys of before and after.
func rotation(ctx context.Context, t *trial) error {
	first, err := keyset.Generate()
	if err != nil {
		return err
	}
	both, fresh, err := first.Add()
	if err != nil {
		return err
	}
	promoted, err := both.Promote(fresh)
	if err != nil {
		return err
	}
	store := memory.New()
	cons, err := fill(ctx, t.size(1000, 10_000)/perConnector, store, both)
	if err != nil {
		return err
	}
	next := ""
	for n := 0; ; n++ {
		s := &dying{Store: store, after: n%2 == 1}
		report, err := rotate(ctx, s, promoted, next)
		if err == nil {
			break
		}
		if !s.dead {
			return err
		}
		t.tried++
		next = report.Next
		if _, err := store.Get(ctx, s.at[0]); err != nil {
			return err
		}
	}
	alone, err := promoted.Disable(first.Keys()[0].ID)
	if err != nil {
		return err
	}
	for _, keeper := range []secrets.Keeper{both, alone} {
		if err := t.readable(ctx, store, keeper, cons); err != nil {
			return err
		}
	}
	return errors.Join(ctx.Err(), store.Close())
}

// fill saves connectors with secrets.
func fill(ctx context.Context, n int, store storage.Store, keeper secrets.Keeper) (cons []string, err error) {
	h, err := hub.New(store, keeper, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	tpl, err := h.CreateTemplate(ctx, hub.Template{Name: "T", Methods: []string{"GET"}})
	if err != nil {
		return nil, err
	}
	for i := range n {
		con := hub.Connector{ID: fmt.Sprint("con-", i), Name: fmt.Sprint("con-", i), Template: tpl.ID, Hosts: []string{"api.example.com"}}
		con.Requests = []hub.Request{{Name: "all", Method: "GET", URL: "https://api.example.com/"}}
		for j := range perConnector {
			name := fmt.Sprint("s", j)
			con.Secrets = append(con.Secrets, hub.Secret{Name: name})
			con.Requests[0].Headers = append(con.Requests[0].Headers, hub.Header{Name: "X-" + name, Value: "[[" + name + "]]"})
		}
		if _, err := h.CreateConnector(ctx, con); err != nil {
			return nil, err
		}
		for j := range perConnector {
			if err := h.SetSecret(ctx, con.ID, fmt.Sprint("s", j), secrets.New(fmt.Sprintf("value-%d-of-%s", j, con.ID))); err != nil {
				return nil, err
			}
		}
		cons = append(cons, con.ID)
	}
	return cons, nil
}

func rotate(ctx context.Context, store storage.Store, keeper secrets.Keeper, after string) (report hub.RotateReport, err error) {
	h, err := hub.New(store, keeper, nil)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	return h.RotateKeys(ctx, &hub.RotateOptions{PerSecond: -1, After: after})
}

// readable demands that every connector's secrets can be had.
func (t *trial) readable(ctx context.Context, store storage.Store, keeper secrets.Keeper, cons []string) (err error) {
	h, err := hub.New(store, keeper, nil)
	if err != nil {
		t.failed++
		return nil
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	for _, con := range cons {
		t.tried++
		ready, err := h.Readiness(ctx, con)
		if err != nil || !ready.Ready {
			t.failed++
		}
	}
	return nil
}
