// Package chain makes one secrets.Vault of several: each secret lives in the one that its
// route names. It makes one secrets.Keeper of several, too, so that a host can move from one
// to another.
//
// A host that keeps the secrets of one customer in a vault of their own, and those of
// certain connectors in files:
//
//	chain.New(
//		chain.Route{Tenant: "acme", Vault: acmeVault},
//		chain.Route{Connector: "bank-*", Vault: mounted},
//		chain.Route{Vault: sealed.New(store, keeper)},
//	)
package chain

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/integrationhub/hub/secrets"
)

// Route sends secrets to a vault. A secret takes the first route that all three patterns of
// match. A pattern is a text that must be equal or, with a "*" at its end, a prefix; empty,
// it matches all.
type Route struct {
	Tenant    string
	Connector string
	Name      string
	Vault     secrets.Vault
}

// Vault is a [secrets.Vault] over others. It is immutable, and as safe for concurrent use as
// they are. A change of the routes moves no secret.
type Vault struct{ routes []Route }

var _ secrets.Vault = (*Vault)(nil)

// New returns a vault over routes. ErrInvalid for a route without a vault, for a "*" that is
// not at the end, and unless the last route matches all.
func New(routes ...Route) (*Vault, error) {
	for i, r := range routes {
		if r.Vault == nil {
			return nil, fmt.Errorf("chain: %w: route %d has no vault", secrets.ErrInvalid, i)
		}
		for _, pattern := range []string{r.Tenant, r.Connector, r.Name} {
			if strings.Contains(strings.TrimSuffix(pattern, "*"), "*") {
				return nil, fmt.Errorf("chain: %w: a * of route %d is not at the end", secrets.ErrInvalid, i)
			}
		}
	}
	if n := len(routes); n == 0 || routes[n-1] != (Route{Vault: routes[n-1].Vault}) {
		return nil, fmt.Errorf("chain: %w: the last route must match all", secrets.ErrInvalid)
	}
	return &Vault{slices.Clone(routes)}, nil
}

// Get implements [secrets.Vault].
func (v *Vault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := check(ctx, ref); err != nil {
		return secrets.Value{}, err
	}
	return v.vaultOf(ref).Get(ctx, ref)
}

// Put implements [secrets.Vault].
func (v *Vault) Put(ctx context.Context, ref secrets.Ref, value secrets.Value) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	return v.vaultOf(ref).Put(ctx, ref, value)
}

// Delete implements [secrets.Vault].
func (v *Vault) Delete(ctx context.Context, ref secrets.Ref) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	return v.vaultOf(ref).Delete(ctx, ref)
}

// List implements [secrets.Vault]. It asks each vault that can hold secrets of the connector,
// and leaves out what another route hides.
func (v *Vault) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := secrets.CheckScope(tenant, connector); err != nil {
		return nil, err
	}
	var all []secrets.Ref
	for i, r := range v.routes {
		if !matches(r.Tenant, tenant) || !matches(r.Connector, connector) {
			continue
		}
		refs, err := r.Vault.List(ctx, tenant, connector)
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			if v.route(ref) == i {
				all = append(all, ref)
			}
		}
		if r.Name == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b secrets.Ref) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Generation, b.Generation))
	})
	return all, nil
}

func (v *Vault) vaultOf(ref secrets.Ref) secrets.Vault { return v.routes[v.route(ref)].Vault }

// route returns the index of a secret's route. The last one matches all.
func (v *Vault) route(ref secrets.Ref) int {
	return slices.IndexFunc(v.routes, func(r Route) bool {
		return matches(r.Tenant, ref.Tenant) && matches(r.Connector, ref.Connector) && matches(r.Name, ref.Name)
	})
}

func matches(pattern, s string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(s, prefix)
	}
	return pattern == "" || pattern == s
}

func check(ctx context.Context, ref secrets.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ref.Check()
}
