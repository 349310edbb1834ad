// Package secrets holds what the hub needs to keep secrets: a [Value] that cannot be shown
// by accident, the [Vault] that keeps values, and the [Keeper] that seals them.
//
// What others keep is fetched by a [Source], and by a [Resolver] where tenants may name it:
// [Scoped] makes one of the other.
//
// Package secretstest turns the contracts of Vault and Keeper into checks. Package sealed is
// the Vault over any storage.Store, env the one over environment variables, files the one
// over directories, vault the one over HashiCorp Vault or OpenBao; chain makes one of
// several. Package keyset is the Keeper over a local file; those of vault, cloud and keyring
// are services'. Package cached stands before what is far away.
package secrets

import (
	"context"
	"errors"
)

// Sentinels. Implementations wrap them; their texts never hold a value.
var (
	// ErrNotFound: the vault holds no such secret.
	ErrNotFound = errors.New("secret not found")
	// ErrReadOnly: the vault cannot be written through this interface.
	ErrReadOnly = errors.New("secrets are read-only here")
	// ErrKeyNotFound: the keeper has no key of this id.
	ErrKeyNotFound = errors.New("key not found")
	// ErrSealBroken: what was given to open was not sealed with this key for this
	// associated data: it was moved, altered or cut.
	ErrSealBroken = errors.New("seal is broken")
	// ErrInvalid: an argument is outside the contract.
	ErrInvalid = errors.New("invalid argument")
)

// Limits of the contracts, in bytes.
const (
	MaxValue     = 64 << 10 // a secret that every vault takes, and no vault exceeds
	MaxPlaintext = 4 << 10  // a plaintext that every keeper takes
)

// Ref names one generation of one secret. Its texts are compared as bytes: no case folding,
// no normalisation, no trimming. [Ref.Check] tells which refs are valid.
type Ref struct {
	Tenant    string // may be empty
	Connector string // the connector's id
	Name      string

	// Generation grows with each setting of the secret; generations of one name are
	// kept side by side until deleted, so that a new one can be stored before the old
	// one is given up.
	Generation int64

	// Binding is the canonical text of the hosts and places the secret may go to. A
	// vault that seals makes it part of the associated data: a value put under one
	// binding cannot be read under another. Other vaults disregard it.
	Binding string
}

// Vault keeps the values of connectors' secrets. All methods are safe for concurrent use
// and honour ctx: once it has ended they return an error that wraps ctx.Err(); called with
// an ended ctx they do nothing. A ref that [Ref.Check] refuses is ErrInvalid. No error
// repeats a value.
//
// A vault that other software fills may know neither generations nor bindings: it then
// disregards them in Get, and List returns generation zero.
type Vault interface {
	// Get returns the value put under ref, or ErrNotFound; ErrSealBroken if the vault
	// seals and the value was put under another Binding.
	Get(ctx context.Context, ref Ref) (Value, error)

	// Put stores the value under ref and returns when it is durable. Putting the same
	// ref again replaces the value. ErrReadOnly if the vault takes no values; ErrInvalid
	// for an empty value or one above MaxValue.
	Put(ctx context.Context, ref Ref, v Value) error

	// Delete removes the value of ref; Binding is disregarded. One that is not there
	// is not an error. ErrReadOnly if the vault takes no values.
	Delete(ctx context.Context, ref Ref) error

	// List returns the refs the vault holds for one connector, without Binding, ordered
	// by name and generation. It never returns values.
	List(ctx context.Context, tenant, connector string) ([]Ref, error)
}

// Keeper seals and opens small pieces of data (keys of records, descriptors) with keys that
// never leave it. All methods are safe for concurrent use and honour ctx: once it has ended
// they return an error that wraps ctx.Err(). No error repeats a plaintext.
type Keeper interface {
	// KeyID returns the id of the key that Seal should use now: one that was known a
	// while ago has a rotation of keys believe that it is done. Ids are 1 to 255
	// bytes of printable ASCII without spaces and are no secret.
	KeyID(ctx context.Context) (string, error)

	// Seal encrypts plaintext under the named key and binds it to aad, which Open
	// must be given again; ErrKeyNotFound for an unknown key. Plaintexts of up to
	// MaxPlaintext bytes, also empty ones, and aad of any length are taken: a keeper
	// whose service takes less hashes aad first. A larger plaintext may be refused
	// with ErrInvalid. Sealing twice gives different bytes. Neither slice is kept or
	// changed.
	Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error)

	// Open returns the plaintext of what Seal made with the same key and aad,
	// ErrKeyNotFound for an unknown key, and ErrSealBroken for everything else that
	// it is given. A nil aad and an empty one are the same. The slices are not kept
	// or changed; the result is the caller's, to wipe.
	Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error)
}
