// Package keyring uses the keyring of the operating system (Keychain of macOS, Credential
// Manager of Windows, the Secret Service of D-Bus elsewhere), for hosts on somebody's desk.
//
// [OpenOrCreate] keeps a hub's keys there: the values of secrets stay sealed in the hub's
// store, of any number and size, and open only where that user is logged in. It is not a
// secrets.Vault itself, since keyrings hold as little as 2,500 bytes in an item and cannot
// list what they hold. [Source] fetches what the user or other software put there, as
// references.
//
// The keyrings' own calls take no context: one that waits for the user to unlock it is left
// behind when the caller's context ends.
//
// The tests run on a Secret Service, that of GNOME; of Keychain and Credential Manager they know
// no more than the library's keyring in memory.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zalando/go-keyring"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
)

// OpenOrCreate returns the keyset in the item of a service and user, and puts a fresh one
// there if there is no item. Create must be false where a store is known to hold sealed
// secrets: a new key opens none of them; the error is then ErrKeyNotFound. The call may wait
// for the user to unlock the keyring.
//
// Two processes that create at once could each see their own key; whoever starts second reads
// what the first wrote. The keyset is as [keyset.Parse] takes it: it can be exported, backed
// up and put back with the tools of the system.
func OpenOrCreate(ctx context.Context, service, user string, create bool) (*keyset.Keyset, error) {
	if service == "" || user == "" {
		return nil, fmt.Errorf("keyring: %w: service and user must not be empty", secrets.ErrInvalid)
	}
	text, err := get(ctx, service, user)
	if errors.Is(err, secrets.ErrNotFound) && create {
		return generate(ctx, service, user)
	}
	if errors.Is(err, secrets.ErrNotFound) {
		return nil, fmt.Errorf("keyring: %w: there is no item of service %q and user %q", secrets.ErrKeyNotFound, service, user)
	}
	if err != nil {
		return nil, err
	}
	return keyset.Parse([]byte(text))
}

// generate stores a fresh keyset and returns what is stored then.
func generate(ctx context.Context, service, user string) (*keyset.Keyset, error) {
	fresh, err := keyset.Generate()
	if err != nil {
		return nil, err
	}
	_, err = within(ctx, func() (string, error) { return "", keyring.Set(service, user, fresh.Encode().Reveal()) })
	if err != nil {
		return nil, err
	}
	text, err := get(ctx, service, user)
	if err != nil {
		return nil, err
	}
	return keyset.Parse([]byte(text))
}

// Source is a [secrets.Source] over the keyring: the locator "service/user" names an item,
// and what follows the first slash is the user. The zero Source is ready for use.
type Source struct{}

var _ secrets.Source = Source{}

// Fetch implements [secrets.Source].
func (Source) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	if err := ctx.Err(); err != nil {
		return secrets.Value{}, err
	}
	if err := secrets.CheckLocator(locator); err != nil {
		return secrets.Value{}, err
	}
	service, user, ok := strings.Cut(locator, "/")
	if !ok || strings.Contains(user, "#") {
		return secrets.Value{}, fmt.Errorf("keyring: %w: a locator is a service, a slash and a user", secrets.ErrInvalid)
	}
	text, err := get(ctx, service, user)
	if err != nil {
		return secrets.Value{}, err
	}
	value := secrets.New(text)
	if value.IsZero() {
		return value, fmt.Errorf("keyring: %w: the item is empty", secrets.ErrNotFound)
	}
	if err := secrets.CheckValue(value); err != nil {
		return secrets.Value{}, err
	}
	return value, nil
}

func get(ctx context.Context, service, user string) (string, error) {
	return within(ctx, func() (string, error) { return keyring.Get(service, user) })
}

// within waits for a call of the keyring until ctx ends.
func within(ctx context.Context, call func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	done := make(chan result, 1)
	go func() {
		text, err := call()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, failed(r.err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// failed translates what the keyring says; its own text may name more than the item.
func failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return fmt.Errorf("keyring: %w", secrets.ErrNotFound)
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return fmt.Errorf("keyring: %w: too large for an item", secrets.ErrInvalid)
	}
	return errors.New("keyring: the keyring of this system is not there, or is locked")
}
