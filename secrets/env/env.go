package env

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/integrationhub/hub/secrets"
)

// DefaultPrefix is the prefix of all variables if Options names none.
const DefaultPrefix = "HUB_SECRET_"

// Options of [New]. Nil and zero values mean the defaults.
type Options struct {
	// Prefix begins the name of every variable that the vault reads: capital letters,
	// digits and underscores, not a digit first. Default: DefaultPrefix. Two vaults in
	// one process keep apart if neither prefix begins with the other.
	Prefix string

	// Lookup returns the value of a variable and whether it is set. Default:
	// os.LookupEnv. It must be safe for concurrent use.
	Lookup func(name string) (value string, ok bool)

	// Environ returns all variables as "name=value". Default: os.Environ. It must be
	// safe for concurrent use.
	Environ func() []string
}

// Vault is a read-only [secrets.Vault] over environment variables. It is safe for
// concurrent use. Variables are read at each call, so changes made with os.Setenv show.
type Vault struct {
	prefix  string
	lookup  func(string) (string, bool)
	environ func() []string
}

var _ secrets.Vault = (*Vault)(nil)

// New returns a vault over the variables of the process, or ErrInvalid for a prefix that
// breaks its rule.
func New(opts *Options) (*Vault, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	v := &Vault{prefix: cmp.Or(o.Prefix, DefaultPrefix), lookup: o.Lookup, environ: o.Environ}
	if !validPrefix(v.prefix) {
		return nil, fmt.Errorf("env: %w: Prefix is not capital letters, digits and underscores, not a digit first", secrets.ErrInvalid)
	}
	if v.lookup == nil {
		v.lookup = os.LookupEnv
	}
	if v.environ == nil {
		v.environ = os.Environ
	}
	return v, nil
}

// Variable returns the name of the variable that holds a secret. The package comment has
// the rule.
func (v *Vault) Variable(tenant, connector, name string) string {
	return v.prefix + encode(tenant, connector, name)
}

// Get implements [secrets.Vault]. Generation and Binding are disregarded: a variable has one
// value. A variable that is set but empty counts as not set; one above MaxValue is
// ErrInvalid.
func (v *Vault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := check(ctx, ref); err != nil {
		return secrets.Value{}, err
	}
	name := v.Variable(ref.Tenant, ref.Connector, ref.Name)
	text, _ := v.lookup(name)
	if text == "" {
		return secrets.Value{}, fmt.Errorf("%s: %w: environment variable %s is not set or empty", ref, secrets.ErrNotFound, name)
	}
	value := secrets.New(text)
	if err := secrets.CheckValue(value); err != nil {
		return secrets.Value{}, fmt.Errorf("%s: environment variable %s: %w", ref, name, err)
	}
	return value, nil
}

// Put implements [secrets.Vault]: it always fails, with ErrReadOnly for a valid ref.
func (v *Vault) Put(ctx context.Context, ref secrets.Ref, _ secrets.Value) error {
	return v.refuse(ctx, ref)
}

// Delete implements [secrets.Vault]: it always fails, with ErrReadOnly for a valid ref.
func (v *Vault) Delete(ctx context.Context, ref secrets.Ref) error {
	return v.refuse(ctx, ref)
}

// List implements [secrets.Vault]. Variables that are empty or whose names nobody could
// have asked for are left out. The generation of each is zero.
func (v *Vault) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := secrets.CheckScope(tenant, connector); err != nil {
		return nil, err
	}
	var refs []secrets.Ref
	for _, entry := range v.environ() {
		ref, ok := v.refOf(entry)
		if ok && ref.Tenant == tenant && ref.Connector == connector {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b secrets.Ref) int { return cmp.Compare(a.Name, b.Name) })
	return refs, nil
}

func (v *Vault) refOf(entry string) (secrets.Ref, bool) {
	variable, text, _ := strings.Cut(entry, "=")
	code, ours := strings.CutPrefix(variable, v.prefix)
	if !ours || text == "" {
		return secrets.Ref{}, false
	}
	parts, ok := decode(code)
	if !ok {
		return secrets.Ref{}, false
	}
	ref := secrets.Ref{Tenant: parts[0], Connector: parts[1], Name: parts[2]}
	return ref, ref.Check() == nil
}

func (v *Vault) refuse(ctx context.Context, ref secrets.Ref) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w: set environment variable %s and restart",
		ref, secrets.ErrReadOnly, v.Variable(ref.Tenant, ref.Connector, ref.Name))
}

func check(ctx context.Context, ref secrets.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ref.Check()
}

func validPrefix(s string) bool {
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if !isUpper(s[i]) && s[i] != '_' && (!digit || i == 0) {
			return false
		}
	}
	return true
}
