package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrForbidden: a locator is outside what the tenant may use. Resolvers wrap it.
var ErrForbidden = errors.New("locator is out of bounds")

// MaxLocator is the most bytes of a locator.
const MaxLocator = 1024

// Source fetches secrets that other software keeps, by locators of the source's own making,
// which [CheckLocator] describes. It knows no tenants, so whoever holds a Source can fetch
// all that it reaches: [Scoped] makes of it a [Resolver] for a hub.
//
// Fetch is safe for concurrent use and honours ctx: once it has ended, it returns an error
// that wraps ctx.Err(). ErrNotFound if the source holds no such secret, ErrInvalid for a
// locator that it cannot read and for a value that [CheckValue] refuses. Every other error
// means that the source did not answer. No error repeats a value.
type Source interface {
	Fetch(ctx context.Context, locator string) (Value, error)
}

// Resolver fetches the secret that a tenant's locator names, or returns ErrForbidden if the
// locator is not among those that the tenant may use; it decides that before it asks
// anybody. In all else it keeps the contract of [Source].
type Resolver interface {
	Resolve(ctx context.Context, tenant, locator string) (Value, error)
}

// Scoped returns a resolver that fetches from source what lies under the tenant's prefix:
// with the prefix "kv/acme" the locators "kv/acme#token" and "kv/acme/crm#token", not
// "kv/acme2#token". A prefix consists of whole segments; one slash at its end changes
// nothing. A tenant whose prefix is empty, or breaks the rules of locators, may fetch
// nothing.
//
// PrefixFor must be safe for concurrent use. It should not build prefixes from tenant names
// that hold slashes: a tenant "a/b" would be a part of tenant "a".
func Scoped(source Source, prefixFor func(tenant string) string) Resolver {
	return scoped{source, prefixFor}
}

type scoped struct {
	source    Source
	prefixFor func(string) string
}

// Resolve implements [Resolver].
func (s scoped) Resolve(ctx context.Context, tenant, locator string) (Value, error) {
	if err := ctx.Err(); err != nil {
		return Value{}, err
	}
	if err := CheckLocator(locator); err != nil {
		return Value{}, err
	}
	if !under(strings.TrimSuffix(s.prefixFor(tenant), "/"), locator) {
		return Value{}, fmt.Errorf("%w of tenant %q", ErrForbidden, tenant)
	}
	return s.source.Fetch(ctx, locator)
}

// under reports whether a valid locator lies under prefix. Both have one spelling only, so
// comparing bytes is enough.
func under(prefix, locator string) bool {
	if CheckLocator(prefix) != nil || strings.Contains(prefix, "#") {
		return false
	}
	rest, ok := strings.CutPrefix(locator, prefix)
	return ok && (rest == "" || rest[0] == '/' || rest[0] == '#')
}

// CheckLocator returns ErrInvalid, naming the rule, unless locator is made of segments with
// one slash between each two, and perhaps a "#" and the name of a field: "kv/crm#token".
// Segments and fields are letters and digits of ASCII and the characters -_.~@:+=!, (the comma, too), and no
// segment is "." or "..". So every place has one spelling, in which nothing is escaped and
// nothing climbs. A locator has at most MaxLocator bytes.
func CheckLocator(locator string) error {
	if len(locator) > MaxLocator {
		return fmt.Errorf("%w: a locator has %d bytes, more than %d", ErrInvalid, len(locator), MaxLocator)
	}
	path, field, hasField := strings.Cut(locator, "#")
	for _, segment := range strings.Split(path, "/") {
		if segment == "." || segment == ".." || !isLocatorText(segment) {
			return fmt.Errorf("%w: a segment of a locator is empty, a dot, two dots, or holds other characters than letters, digits and -_.~@:+=!,", ErrInvalid)
		}
	}
	if hasField && !isLocatorText(field) {
		return fmt.Errorf("%w: the field of a locator is empty, or holds other characters than letters, digits and -_.~@:+=!,", ErrInvalid)
	}
	return nil
}

func isLocatorText(s string) bool {
	return s != "" && strings.IndexFunc(s, notLocatorRune) < 0
}

func notLocatorRune(r rune) bool {
	alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !alphanumeric && !strings.ContainsRune("-_.~@:+=!,", r)
}
