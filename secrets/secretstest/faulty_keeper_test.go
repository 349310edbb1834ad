package secretstest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/secretstest"
)

// faultyKeeper replaces single methods of a keeper that keeps the contract.
type faultyKeeper struct {
	secrets.Keeper
	keyID func(context.Context) (string, error)
	seal  func(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error)
	open  func(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error)
}

func (f *faultyKeeper) KeyID(ctx context.Context) (string, error) {
	if f.keyID != nil {
		return f.keyID(ctx)
	}
	return f.Keeper.KeyID(ctx)
}

func (f *faultyKeeper) Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error) {
	if f.seal != nil {
		return f.seal(ctx, keyID, plaintext, aad)
	}
	return f.Keeper.Seal(ctx, keyID, plaintext, aad)
}

func (f *faultyKeeper) Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error) {
	if f.open != nil {
		return f.open(ctx, keyID, sealed, aad)
	}
	return f.Keeper.Open(ctx, keyID, sealed, aad)
}

// reAAD maps the aad of both directions.
func reAAD(change func([]byte) []byte) func(*faultyKeeper) {
	return func(f *faultyKeeper) {
		f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
			return f.Keeper.Seal(ctx, id, p, change(aad))
		}
		f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
			return f.Keeper.Open(ctx, id, s, change(aad))
		}
	}
}

func TestFaultyKeepersFail(t *testing.T) {
	background := context.Background()
	tests := map[string]struct {
		failing string
		spoil   func(*faultyKeeper)
	}{
		"key id with a space": {"key-id", func(f *faultyKeeper) {
			f.keyID = func(context.Context) (string, error) { return "my key", nil }
		}},
		"empty key id": {"key-id", func(f *faultyKeeper) {
			f.keyID = func(context.Context) (string, error) { return "", nil }
		}},
		"opens something else": {"seal-open", func(f *faultyKeeper) {
			f.open = func(context.Context, string, []byte, []byte) ([]byte, error) { return []byte("else"), nil }
		}},
		"refuses empty plaintexts": {"seal-open", func(f *faultyKeeper) {
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				if len(p) == 0 {
					return nil, secrets.ErrInvalid
				}
				return f.Keeper.Seal(ctx, id, p, aad)
			}
		}},
		"refuses long aad": {"seal-open", func(f *faultyKeeper) {
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				if len(aad) > 8192 {
					return nil, secrets.ErrInvalid
				}
				return f.Keeper.Seal(ctx, id, p, aad)
			}
		}},
		"tells nil from empty aad": {"seal-open", reAAD(func(aad []byte) []byte {
			if aad == nil {
				return []byte("nil")
			}
			return aad
		})},
		"repeats itself": {"fresh", func(f *faultyKeeper) {
			var kept atomic.Pointer[[]byte]
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				sealed, err := f.Keeper.Seal(ctx, id, p, aad)
				kept.CompareAndSwap(nil, &sealed)
				return *kept.Load(), err
			}
		}},
		"shows the plaintext": {"hidden", func(f *faultyKeeper) {
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				sealed, err := f.Keeper.Seal(ctx, id, p, aad)
				return append(sealed, p...), err
			}
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				return f.Keeper.Open(ctx, id, s[:min(len(s), 61)], aad)
			}
		}},
		"seals under any key": {"key-missing", func(f *faultyKeeper) {
			f.seal = func(ctx context.Context, _ string, p, aad []byte) ([]byte, error) {
				id, err := f.Keeper.KeyID(ctx)
				return must(f.Keeper.Seal(ctx, id, p, aad)), err
			}
		}},
		"an unknown key is a broken seal": {"key-missing", func(f *faultyKeeper) {
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				p, err := f.Keeper.Open(ctx, id, s, aad)
				if errors.Is(err, secrets.ErrKeyNotFound) {
					err = secrets.ErrSealBroken
				}
				return p, err
			}
		}},
		"disregards aad":               {"aad", reAAD(func([]byte) []byte { return nil })},
		"cuts aad":                     {"aad", reAAD(func(aad []byte) []byte { return aad[:min(len(aad), 17)] })},
		"folds the case of aad":        {"aad", reAAD(bytes.ToLower)},
		"disregards aad's last zeros":  {"aad", reAAD(func(aad []byte) []byte { return bytes.TrimRight(aad, "\x00") })},
		"knows aad by its length only": {"aad", reAAD(func(aad []byte) []byte { return fmt.Append(nil, len(aad)) })},
		"disregards the first byte": {"altered", func(f *faultyKeeper) {
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				s = bytes.Clone(s)
				if len(s) > 0 {
					s[0] = 1
				}
				return f.Keeper.Open(ctx, id, s, aad)
			}
		}},
		"returns the plaintext with the error": {"altered", func(f *faultyKeeper) {
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				p, err := f.Keeper.Open(ctx, id, s, aad)
				if errors.Is(err, secrets.ErrSealBroken) {
					p = []byte("half a plaintext")
				}
				return p, err
			}
		}},
		"errors of its own for what is too short": {"cut", func(f *faultyKeeper) {
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				if len(s) < 61 {
					return nil, errors.New("too short")
				}
				return f.Keeper.Open(ctx, id, s, aad)
			}
		}},
		"disregards what follows": {"cut", func(f *faultyKeeper) {
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				return f.Keeper.Open(ctx, id, s[:min(len(s), 61+len("plaintext of canary-7Yq2Lw9"))], aad)
			}
		}},
		"takes any aad while it is hot": {"exchanged", func(f *faultyKeeper) {
			var last atomic.Pointer[[]byte]
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				last.Store(&aad)
				return f.Keeper.Seal(ctx, id, p, aad)
			}
			f.open = func(ctx context.Context, id string, s, _ []byte) ([]byte, error) {
				return f.Keeper.Open(ctx, id, s, *last.Load())
			}
		}},
		"wipes the plaintext it is given": {"ownership", func(f *faultyKeeper) {
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				defer clear(p)
				return f.Keeper.Seal(ctx, id, bytes.Clone(p), aad)
			}
		}},
		"opens in place": {"ownership", func(f *faultyKeeper) {
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				p, err := f.Keeper.Open(ctx, id, s, aad)
				return s[:copy(s, p)], err
			}
		}},
		"lends its cache": {"ownership", func(f *faultyKeeper) {
			var cache sync.Map // :: sealed → plaintext
			f.open = func(ctx context.Context, id string, s, aad []byte) ([]byte, error) {
				p, err := f.Keeper.Open(ctx, id, s, aad)
				if err != nil {
					return nil, err
				}
				kept, _ := cache.LoadOrStore(string(s), p)
				return kept.([]byte), nil
			}
		}},
		"ignores ctx in KeyID": {"ended-ctx", func(f *faultyKeeper) {
			f.keyID = func(context.Context) (string, error) { return f.Keeper.KeyID(background) }
		}},
		"ignores ctx in Seal": {"ended-ctx", func(f *faultyKeeper) {
			f.seal = func(_ context.Context, id string, p, aad []byte) ([]byte, error) {
				return f.Keeper.Seal(background, id, p, aad)
			}
		}},
		"ignores ctx in Open": {"ended-ctx", func(f *faultyKeeper) {
			f.open = func(_ context.Context, id string, s, aad []byte) ([]byte, error) {
				return f.Keeper.Open(background, id, s, aad)
			}
		}},
		"one call at a time": {"races", func(f *faultyKeeper) {
			var calls atomic.Int32
			f.keyID = func(ctx context.Context) (string, error) {
				if calls.Add(1) > 2 {
					return "", errors.New("busy")
				}
				return f.Keeper.KeyID(ctx)
			}
		}},
		"tells the plaintext it refuses": {"quiet", func(f *faultyKeeper) {
			f.seal = func(ctx context.Context, id string, p, aad []byte) ([]byte, error) {
				sealed, err := f.Keeper.Seal(ctx, id, p, aad)
				if err != nil {
					err = fmt.Errorf("%s: %w", strings.ToValidUTF8(string(p), "?"), err)
				}
				return sealed, err
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			failed := secretstest.FailedKeeper(t.Context(), func() secrets.Keeper {
				keys, err := keyset.Generate()
				require.NoError(t, err)
				f := &faultyKeeper{Keeper: keys}
				test.spoil(f)
				return f
			})
			assert.Contains(t, failed, test.failing)
		})
	}
}

func must(b []byte, _ error) []byte { return b }
