package secrets_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
)

// echo is a source whose secrets are their own locators.
type echo struct{ asked []string }

func (e *echo) Fetch(_ context.Context, locator string) (secrets.Value, error) {
	e.asked = append(e.asked, locator)
	return secrets.New(locator), nil
}

func TestScopedKeepsTenantsUnderTheirPrefix(t *testing.T) {
	prefixes := map[string]string{
		"acme": "kv/acme", "slash": "kv/slash/", "field": "kv/field#a", "climbs": "kv/../acme",
		"slashes": "kv/acme//", "root": "/", "none": "",
	}
	cases := []struct {
		name, tenant, locator string
		want                  error
	}{
		{"under the prefix", "acme", "kv/acme/crm#token", nil},
		{"deep under the prefix", "acme", "kv/acme/a/b/c", nil},
		{"a field of the prefix", "acme", "kv/acme#token", nil},
		{"the prefix", "acme", "kv/acme", nil},
		{"a prefix with a slash", "slash", "kv/slash/crm#token", nil},
		{"a neighbour that begins alike", "acme", "kv/acme2/crm#token", secrets.ErrForbidden},
		{"a neighbour with a dot", "acme", "kv/acme.d#token", secrets.ErrForbidden},
		{"above the prefix", "acme", "kv", secrets.ErrForbidden},
		{"another tenant's", "acme", "kv/slash/crm#token", secrets.ErrForbidden},
		{"in another case", "acme", "kv/ACME/crm", secrets.ErrForbidden},
		{"the prefix as a field", "acme", "other#kv/acme", secrets.ErrInvalid},
		{"climbing out", "acme", "kv/acme/../slash/crm", secrets.ErrInvalid},
		{"an escape", "acme", "kv/acme/%2e%2e/slash", secrets.ErrInvalid},
		{"a prefix with a field", "field", "kv/field#a", secrets.ErrForbidden},
		{"a prefix that climbs", "climbs", "acme/crm", secrets.ErrForbidden},
		{"a prefix with two slashes", "slashes", "kv/acme/crm", secrets.ErrForbidden},
		{"a slash alone", "root", "kv/acme", secrets.ErrForbidden},
		{"no prefix", "none", "kv/acme", secrets.ErrForbidden},
		{"an unknown tenant", "stranger", "kv/acme", secrets.ErrForbidden},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			source := &echo{}
			r := secrets.Scoped(source, func(tenant string) string { return prefixes[tenant] })
			v, err := r.Resolve(t.Context(), c.tenant, c.locator)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				assert.Empty(t, source.asked, "the source was asked all the same")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.locator, v.Reveal())
		})
	}
}

func TestScopedHonoursCtx(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	source := &echo{}
	_, err := secrets.Scoped(source, func(string) string { return "kv" }).Resolve(ctx, "acme", "kv/a")
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, source.asked)
}

func TestCheckLocator(t *testing.T) {
	for _, good := range []string{
		"a", "kv/crm#token", "kv/a-b_c.d~e@f:g+h=i!j,k#x.y", "..a/b..", "projects/p/secrets/s/versions/latest",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm", strings.Repeat("x", secrets.MaxLocator),
	} {
		assert.NoError(t, secrets.CheckLocator(good), good)
	}
	for _, bad := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/../b", "#", "#a", "a#", "a#b#c", "a#b/c", "a b", "a?b", "a%2fb",
		`a\b`, "a\x00", "ä", "a\n", "\xff", "a*", "a'b", strings.Repeat("x", secrets.MaxLocator+1),
	} {
		assert.ErrorIs(t, secrets.CheckLocator(bad), secrets.ErrInvalid, "%q", bad)
	}
}

func FuzzScoped(f *testing.F) {
	for _, seed := range []string{"kv/acme/crm#token", "kv/acme2", "kv/acme/../x", "kv/acme#a#b", "kv/acme"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, locator string) {
		r := secrets.Scoped(&echo{}, func(string) string { return "kv/acme" })
		if _, err := r.Resolve(t.Context(), "acme", locator); err != nil {
			return
		}
		path, _, _ := strings.Cut(locator, "#")
		segments := strings.Split(path, "/")
		require.GreaterOrEqual(t, len(segments), 2)
		assert.Equal(t, []string{"kv", "acme"}, segments[:2])
		for _, s := range segments {
			assert.NotContains(t, []string{"", ".", ".."}, s)
		}
	})
}
