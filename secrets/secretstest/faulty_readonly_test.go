package secretstest_test

import (
	"cmp"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/secretstest"
)

var (
	seeded      = secrets.Ref{Tenant: "acme", Connector: "crm", Name: "apiKey", Generation: 4, Binding: "https://api.example.com"}
	seededValue = secrets.New("seeded-value")
)

// newReadOnly returns an honest vault that holds the seeded value and takes no other.
func newReadOnly(ctx context.Context) *faulty {
	f := &faulty{honest: newHonest()}
	if err := f.honest.Put(ctx, seeded, seededValue); err != nil {
		panic(err)
	}
	f.put = func(ctx context.Context, r secrets.Ref, _ secrets.Value) error { return refuse(ctx, r) }
	f.del = refuse
	return f
}

func refuse(ctx context.Context, r secrets.Ref) error {
	return cmp.Or(ctx.Err(), r.Check(), secrets.ErrReadOnly)
}

func TestHonestReadOnlyVaultPasses(t *testing.T) {
	secretstest.RunReadOnlyVault(t, func(t *testing.T) secrets.Vault { return newReadOnly(t.Context()) }, seeded, seededValue)
}

func TestFaultyReadOnlyVaultsFail(t *testing.T) {
	tests := map[string]struct {
		failing string
		spoil   func(*faulty)
	}{
		"holds another value": {"get", func(f *faulty) {
			f.get = func(context.Context, secrets.Ref) (secrets.Value, error) { return secrets.New("other"), nil }
		}},
		"finds everything": {"get-missing", func(f *faulty) {
			f.get = func(context.Context, secrets.Ref) (secrets.Value, error) { return seededValue, nil }
		}},
		"shares values between tenants":   {"get-missing", rekeyed(func(r *secrets.Ref) { r.Tenant = "acme" })},
		"disregards generations silently": {"generations", rekeyed(func(r *secrets.Ref) { r.Generation = 4 })},
		"disregards bindings silently":    {"binding", rekeyed(func(r *secrets.Ref) { r.Binding = seeded.Binding })},
		"takes values":                    {"put", func(f *faulty) { f.put = nil }},
		"refuses and takes values": {"put", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				return errors.Join(secrets.ErrReadOnly, f.honest.Put(ctx, r, v))
			}
		}},
		"deletes": {"delete", func(f *faulty) { f.del = nil }},
		"refuses and deletes": {"delete", func(f *faulty) {
			f.del = func(ctx context.Context, r secrets.Ref) error {
				return errors.Join(secrets.ErrReadOnly, f.honest.Delete(ctx, r))
			}
		}},
		"lists nothing": {"list", func(f *faulty) {
			f.list = func(context.Context, string, string) ([]secrets.Ref, error) { return nil, nil }
		}},
		"lists one connector for all": {"list-empty", func(f *faulty) {
			f.list = func(ctx context.Context, _, _ string) ([]secrets.Ref, error) {
				return f.honest.List(ctx, "acme", "crm")
			}
		}},
		"refuses before it checks": {"invalid-refs", func(f *faulty) {
			f.del = func(context.Context, secrets.Ref) error { return secrets.ErrReadOnly }
		}},
		"ignores ctx": {"ended-ctx", func(f *faulty) {
			f.get = func(_ context.Context, r secrets.Ref) (secrets.Value, error) {
				return f.honest.Get(context.Background(), r)
			}
		}},
		"tells the value it refuses": {"quiet", func(f *faulty) {
			f.put = func(_ context.Context, _ secrets.Ref, v secrets.Value) error {
				return errors.Join(secrets.ErrReadOnly, errors.New(v.Reveal()))
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			failed := secretstest.FailedReadOnly(t.Context(), func() secrets.Vault {
				f := newReadOnly(t.Context())
				test.spoil(f)
				return f
			}, seeded, seededValue)
			assert.Contains(t, failed, test.failing)
		})
	}
}
