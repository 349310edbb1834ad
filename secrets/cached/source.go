package cached

import (
	"context"

	"github.com/integrationhub/hub/secrets"
)

// Source is a [secrets.Source] with a cache before it. It is safe for concurrent use.
type Source struct{ cache *cache[string] }

var _ secrets.Source = (*Source)(nil)

// NewSource returns a cache before source, which stays the caller's, or ErrInvalid for
// options that contradict themselves. The caller closes it. It goes below secrets.Scoped, so
// that what a tenant may use is decided at each call.
func NewSource(source secrets.Source, opts *Options) (*Source, error) {
	c, err := newCache(opts, source.Fetch)
	if err != nil {
		return nil, err
	}
	return &Source{c}, nil
}

// Fetch implements [secrets.Source].
func (s *Source) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	return s.cache.get(ctx, locator)
}

// Forget drops the value of a locator, so that the next call fetches it.
func (s *Source) Forget(locator string) {
	s.cache.forget(func(key string) bool { return key == locator })
}

// Close cancels fetches under way and waits for them. Later calls fail.
func (s *Source) Close() { s.cache.close() }
