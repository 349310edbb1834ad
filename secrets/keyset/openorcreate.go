package keyset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// OpenOrCreate opens the keyset at path, or makes it with [Create] if there is no file and
// store holds no sealed record yet. If it does hold one, the file was lost or path is wrong,
// and a new key could not open what is there: the error, which wraps fs.ErrNotExist, names
// the key that is missed.
//
// Sealed are the records of package sealed, the key check of a hub, and those of the further
// kinds given. Of several processes that start at once with one path, one makes the file and
// all use it.
func OpenOrCreate(ctx context.Context, path string, store storage.Store, kinds ...string) (*Keyset, error) {
	s, err := Open(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	for _, kind := range append([]string{sealed.Kind, sealed.CheckKind}, kinds...) {
		rec, found, err := first(ctx, store, kind)
		if err != nil {
			return nil, fmt.Errorf("keyset: looking for sealed records: %w", err)
		}
		if found {
			return nil, missing(path, rec)
		}
	}
	s, err = Create(path)
	if errors.Is(err, fs.ErrExist) {
		return Open(path)
	}
	return s, err
}

// first returns one record of kind, of any tenant.
func first(ctx context.Context, store storage.Store, kind string) (rec storage.Record, found bool, err error) {
	q := storage.Query{Kind: kind, Everywhere: true, Limit: 1}
	for {
		page, err := store.List(ctx, q)
		if err != nil {
			return storage.Record{}, false, err
		}
		if len(page.Records) > 0 {
			return page.Records[0], true, nil
		}
		if page.Next == "" {
			return storage.Record{}, false, nil
		}
		q.After = page.Next
	}
}

func missing(path string, rec storage.Record) error {
	keyID := "of unknown id"
	for _, l := range rec.Labels {
		if l.Key == sealed.LabelKey {
			keyID = l.Value
		}
	}
	return fmt.Errorf("keyset: %w: %q, but the store holds records sealed under key %s: "+
		"put back the file with this key, or give its path; a new keyset could not open them",
		fs.ErrNotExist, path, keyID)
}
