package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/integrationhub/hub/secrets"
)

// Options of [New]. Nil and zero values mean the defaults.
type Options struct {
	// TrimNewline takes one line break off the end of each file, such as editors and
	// echo leave there. Default: a value is every byte of its file.
	TrimNewline bool
}

// Vault is a read-only [secrets.Vault] and a [secrets.Source] over a directory. It is safe
// for concurrent use.
type Vault struct {
	root *os.Root
	trim bool
}

var (
	_ secrets.Vault  = (*Vault)(nil)
	_ secrets.Source = (*Vault)(nil)
)

// New returns a vault over the directory dir, which must exist. The caller closes it.
func New(dir string, opts *Options) (*Vault, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	v := &Vault{root: root}
	if opts != nil {
		v.trim = opts.TrimNewline
	}
	return v, nil
}

// Close lets go of the directory. Later calls fail.
func (v *Vault) Close() error { return v.root.Close() }

// Path returns the file of a secret, relative to the directory. The package comment has the
// rule.
func (v *Vault) Path(tenant, connector, name string) string {
	return folder(tenant, connector) + "/" + encode(name, isFileByte)
}

// Get implements [secrets.Vault]. Generation and Binding are disregarded: a file has one
// value. An empty file counts as missing; one above MaxValue is ErrInvalid.
func (v *Vault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := check(ctx, ref); err != nil {
		return secrets.Value{}, err
	}
	value, err := v.read(ctx, v.Path(ref.Tenant, ref.Connector, ref.Name))
	if err != nil {
		return secrets.Value{}, fmt.Errorf("%s: %w", ref, err)
	}
	return value, nil
}

// Fetch implements [secrets.Source]: the locator is a path below the directory. One with a
// field is ErrInvalid.
func (v *Vault) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	if err := ctx.Err(); err != nil {
		return secrets.Value{}, err
	}
	if err := secrets.CheckLocator(locator); err != nil {
		return secrets.Value{}, err
	}
	if strings.Contains(locator, "#") {
		return secrets.Value{}, fmt.Errorf("%w: a file has no fields", secrets.ErrInvalid)
	}
	return v.read(ctx, locator)
}

// Put implements [secrets.Vault]: it always fails, with ErrReadOnly for a valid ref.
func (v *Vault) Put(ctx context.Context, ref secrets.Ref, _ secrets.Value) error {
	return v.refuse(ctx, ref)
}

// Delete implements [secrets.Vault]: it always fails, with ErrReadOnly for a valid ref.
func (v *Vault) Delete(ctx context.Context, ref secrets.Ref) error {
	return v.refuse(ctx, ref)
}

// List implements [secrets.Vault]. Empty files, folders, and files whose names nobody could
// have asked for are left out. The generation of each is zero.
func (v *Vault) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := secrets.CheckScope(tenant, connector); err != nil {
		return nil, err
	}
	dir := folder(tenant, connector)
	entries, err := fs.ReadDir(v.root.FS(), dir)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	var refs []secrets.Ref
	for _, entry := range entries {
		ref := secrets.Ref{Tenant: tenant, Connector: connector}
		var ok bool
		if ref.Name, ok = decode(entry.Name(), isFileByte); ok && ref.Check() == nil && v.holds(dir+"/"+entry.Name()) {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b secrets.Ref) int { return cmp.Compare(a.Name, b.Name) })
	return refs, nil
}

// holds reports whether there is a value at path.
func (v *Vault) holds(path string) bool {
	info, err := v.root.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

func (v *Vault) refuse(ctx context.Context, ref secrets.Ref) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w: write file %q", ref, secrets.ErrReadOnly, v.Path(ref.Tenant, ref.Connector, ref.Name))
}

func check(ctx context.Context, ref secrets.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ref.Check()
}

// isMissing reports whether an error says that there is no such file, or could not be one.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.ENOTDIR)
}
