package cached

import (
	"context"

	"github.com/integrationhub/hub/secrets"
)

// Vault is a [secrets.Vault] with a cache before its Get. It is safe for concurrent use.
// What is put or deleted through it shows at once; what others change, after the life of a
// value.
type Vault struct {
	vault secrets.Vault
	cache *cache[secrets.Ref]
}

var _ secrets.Vault = (*Vault)(nil)

// NewVault returns a cache before vault, which stays the caller's, or ErrInvalid for options
// that contradict themselves. The caller closes it.
func NewVault(vault secrets.Vault, opts *Options) (*Vault, error) {
	c, err := newCache(opts, vault.Get)
	if err != nil {
		return nil, err
	}
	return &Vault{vault: vault, cache: c}, nil
}

// Get implements [secrets.Vault].
func (v *Vault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := ctx.Err(); err != nil {
		return secrets.Value{}, err
	}
	if err := ref.Check(); err != nil {
		return secrets.Value{}, err
	}
	return v.cache.get(ctx, ref)
}

// Put implements [secrets.Vault].
func (v *Vault) Put(ctx context.Context, ref secrets.Ref, value secrets.Value) error {
	defer v.forget(ref)
	return v.vault.Put(ctx, ref, value)
}

// Delete implements [secrets.Vault].
func (v *Vault) Delete(ctx context.Context, ref secrets.Ref) error {
	defer v.forget(ref)
	return v.vault.Delete(ctx, ref)
}

// List implements [secrets.Vault]. It asks the vault each time.
func (v *Vault) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	return v.vault.List(ctx, tenant, connector)
}

// forget drops what was read of a generation, under whatever binding.
func (v *Vault) forget(ref secrets.Ref) {
	ref.Binding = ""
	v.cache.forget(func(key secrets.Ref) bool {
		key.Binding = ""
		return key == ref
	})
}

// Close cancels fetches under way and waits for them. Later calls of Get fail.
func (v *Vault) Close() { v.cache.close() }
