package secretstest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/secretstest"
)

// honest is the smallest vault that keeps the contract. The faulty ones embed it.
type honest struct {
	mu sync.Mutex
	// :: ref without binding → binding and value
	values map[secrets.Ref]entry
}

type entry struct {
	binding string
	value   secrets.Value
}

func newHonest() *honest { return &honest{values: map[secrets.Ref]entry{}} }

func unbound(r secrets.Ref) secrets.Ref {
	r.Binding = ""
	return r
}

func (h *honest) Get(ctx context.Context, r secrets.Ref) (secrets.Value, error) {
	if err := cmp.Or(ctx.Err(), r.Check()); err != nil {
		return secrets.Value{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.values[unbound(r)]
	if !ok {
		return secrets.Value{}, secrets.ErrNotFound
	}
	if e.binding != r.Binding {
		return secrets.Value{}, secrets.ErrSealBroken
	}
	return e.value, nil
}

func (h *honest) Put(ctx context.Context, r secrets.Ref, v secrets.Value) error {
	if err := cmp.Or(ctx.Err(), r.Check()); err != nil {
		return err
	}
	if err := secrets.CheckValue(v); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.values[unbound(r)] = entry{r.Binding, v}
	return nil
}

func (h *honest) Delete(ctx context.Context, r secrets.Ref) error {
	if err := cmp.Or(ctx.Err(), r.Check()); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.values, unbound(r))
	return nil
}

func (h *honest) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if err := cmp.Or(ctx.Err(), secrets.CheckScope(tenant, connector)); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var refs []secrets.Ref
	for r := range h.values {
		if r.Tenant == tenant && r.Connector == connector {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, func(a, b secrets.Ref) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Generation, b.Generation))
	})
	return refs, nil
}

// faulty replaces single methods of an honest vault.
type faulty struct {
	*honest
	get  func(context.Context, secrets.Ref) (secrets.Value, error)
	put  func(context.Context, secrets.Ref, secrets.Value) error
	del  func(context.Context, secrets.Ref) error
	list func(context.Context, string, string) ([]secrets.Ref, error)
}

func (f *faulty) Get(ctx context.Context, r secrets.Ref) (secrets.Value, error) {
	if f.get != nil {
		return f.get(ctx, r)
	}
	return f.honest.Get(ctx, r)
}

func (f *faulty) Put(ctx context.Context, r secrets.Ref, v secrets.Value) error {
	if f.put != nil {
		return f.put(ctx, r, v)
	}
	return f.honest.Put(ctx, r, v)
}

func (f *faulty) Delete(ctx context.Context, r secrets.Ref) error {
	if f.del != nil {
		return f.del(ctx, r)
	}
	return f.honest.Delete(ctx, r)
}

func (f *faulty) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if f.list != nil {
		return f.list(ctx, tenant, connector)
	}
	return f.honest.List(ctx, tenant, connector)
}

// rekeyed maps every ref before an honest vault sees it: keys that confuse.
func rekeyed(change func(*secrets.Ref)) func(*faulty) {
	return func(f *faulty) {
		h := f.honest
		f.get = func(ctx context.Context, r secrets.Ref) (secrets.Value, error) { change(&r); return h.Get(ctx, r) }
		f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error { change(&r); return h.Put(ctx, r, v) }
		f.del = func(ctx context.Context, r secrets.Ref) error { change(&r); return h.Delete(ctx, r) }
	}
}

func TestHonestVaultPasses(t *testing.T) {
	secretstest.RunVault(t, func(*testing.T) secrets.Vault { return newHonest() })
}

func TestVaultThatLacksPasses(t *testing.T) {
	forget := rekeyed(func(r *secrets.Ref) { r.Binding, r.Generation = "", min(r.Generation, 0) })
	secretstest.RunVault(t, func(*testing.T) secrets.Vault {
		f := &faulty{honest: newHonest()}
		forget(f)
		return f
	}, secretstest.LacksBinding, secretstest.LacksGenerations)
}

func TestFaultyVaultsFail(t *testing.T) {
	background := context.Background()
	tests := map[string]struct {
		failing string // a check that must fail
		spoil   func(*faulty)
	}{
		"ignores ctx in Get": {"ended-ctx", func(f *faulty) {
			f.get = func(_ context.Context, r secrets.Ref) (secrets.Value, error) { return f.honest.Get(background, r) }
		}},
		"ignores ctx in Put": {"ended-ctx", func(f *faulty) {
			f.put = func(_ context.Context, r secrets.Ref, v secrets.Value) error { return f.honest.Put(background, r, v) }
		}},
		"ignores ctx in Delete": {"ended-ctx", func(f *faulty) {
			f.del = func(_ context.Context, r secrets.Ref) error { return f.honest.Delete(background, r) }
		}},
		"ignores ctx in List": {"ended-ctx", func(f *faulty) {
			f.list = func(_ context.Context, a, b string) ([]secrets.Ref, error) { return f.honest.List(background, a, b) }
		}},
		"answers an ended ctx and puts all the same": {"ended-ctx", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				return errors.Join(f.honest.Put(background, r, v), ctx.Err())
			}
		}},
		"hides why ctx ended": {"ended-ctx", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				if err := f.honest.Put(ctx, r, v); err != nil {
					return fmt.Errorf("put: %v", err)
				}
				return nil
			}
		}},
		"fails under way for a reason of its own": {"cancel", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				if ctx.Err() != nil {
					return errors.New("busy")
				}
				return f.honest.Put(ctx, r, v)
			}
		}},
		"returns an empty value for what is missing": {"get-missing", func(f *faulty) {
			f.get = func(ctx context.Context, r secrets.Ref) (secrets.Value, error) {
				v, err := f.honest.Get(ctx, r)
				if errors.Is(err, secrets.ErrNotFound) {
					return secrets.Value{}, nil
				}
				return v, err
			}
		}},
		"trims values": {"put-get", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				return f.honest.Put(ctx, r, secrets.New(strings.TrimRight(v.Reveal(), "\n ")+"."))
			}
		}},
		"repairs UTF-8": {"put-get", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				return f.honest.Put(ctx, r, secrets.New(strings.ToValidUTF8(v.Reveal(), "?")))
			}
		}},
		"keeps the first value": {"put-replaces", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				if _, err := f.honest.Get(ctx, r); err == nil {
					return nil
				}
				return f.honest.Put(ctx, r, v)
			}
		}},
		"refuses to replace": {"put-replaces", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				if _, err := f.honest.Get(ctx, r); err == nil {
					return errors.New("exists")
				}
				return f.honest.Put(ctx, r, v)
			}
		}},
		"shares values between tenants":   {"apart", rekeyed(func(r *secrets.Ref) { r.Tenant = "" })},
		"folds case":                      {"apart", rekeyed(func(r *secrets.Ref) { r.Name = strings.ToLower(r.Name) })},
		"joins connector and name":        {"apart", rekeyed(func(r *secrets.Ref) { r.Connector, r.Name = "c", r.Connector+"-"+r.Name })},
		"trims names":                     {"apart", rekeyed(func(r *secrets.Ref) { r.Name = strings.TrimSuffix(r.Name, " ") })},
		"disregards generations silently": {"generations", rekeyed(func(r *secrets.Ref) { r.Generation = min(r.Generation, 0) })},
		"disregards bindings silently":    {"binding", rekeyed(func(r *secrets.Ref) { r.Binding = "" })},
		"returns the value with the error of another binding": {"binding", func(f *faulty) {
			f.get = func(ctx context.Context, r secrets.Ref) (secrets.Value, error) {
				_, err := f.honest.Get(ctx, r)
				f.mu.Lock()
				defer f.mu.Unlock()
				return f.values[unbound(r)].value, err
			}
		}},
		"delete does nothing": {"delete", func(f *faulty) {
			f.del = func(ctx context.Context, r secrets.Ref) error { return cmp.Or(ctx.Err(), r.Check()) }
		}},
		"delete takes the connector's other secrets along": {"delete", func(f *faulty) {
			f.del = func(ctx context.Context, r secrets.Ref) error {
				refs, err := f.honest.List(ctx, r.Tenant, r.Connector)
				for _, other := range refs {
					err = cmp.Or(err, f.honest.Delete(ctx, other))
				}
				return err
			}
		}},
		"delete wants the binding": {"delete-binding", func(f *faulty) {
			f.del = func(ctx context.Context, r secrets.Ref) error {
				if _, err := f.honest.Get(ctx, r); errors.Is(err, secrets.ErrSealBroken) {
					return nil
				}
				return f.honest.Delete(ctx, r)
			}
		}},
		"delete misses what is not there": {"delete-missing", func(f *faulty) {
			f.del = func(ctx context.Context, r secrets.Ref) error {
				if _, err := f.honest.Get(ctx, r); err != nil {
					return err
				}
				return f.honest.Delete(ctx, r)
			}
		}},
		"list of nothing fails": {"list-empty", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				refs, err := f.honest.List(ctx, a, b)
				if len(refs) == 0 {
					err = cmp.Or(err, secrets.ErrNotFound)
				}
				return refs, err
			}
		}},
		"list is backwards": {"list", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				refs, err := f.honest.List(ctx, a, b)
				slices.Reverse(refs)
				return refs, err
			}
		}},
		"list orders generations as text": {"list", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				refs, err := f.honest.List(ctx, a, b)
				slices.SortFunc(refs, func(a, b secrets.Ref) int {
					return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(fmt.Sprint(a.Generation), fmt.Sprint(b.Generation)))
				})
				return refs, err
			}
		}},
		"list tells bindings": {"list", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				refs, err := f.honest.List(ctx, a, b)
				f.mu.Lock()
				defer f.mu.Unlock()
				for i := range refs {
					refs[i].Binding = f.values[refs[i]].binding
				}
				return refs, err
			}
		}},
		"list goes by the connector's prefix": {"list", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				own, err := f.honest.List(ctx, a, b)
				next, err2 := f.honest.List(ctx, a, b+"2")
				return append(own, next...), cmp.Or(err, err2)
			}
		}},
		"list stops after a page": {"list-many", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				refs, err := f.honest.List(ctx, a, b)
				return refs[:min(len(refs), 100)], err
			}
		}},
		"takes empty values": {"sizes", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				if v.IsZero() {
					return nil
				}
				return f.honest.Put(ctx, r, v)
			}
		}},
		"cuts large values": {"sizes", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				s := v.Reveal()
				return f.honest.Put(ctx, r, secrets.New(s[:min(len(s), secrets.MaxValue-1)]))
			}
		}},
		"takes odd refs": {"invalid-refs", rekeyed(func(r *secrets.Ref) { r.Name = strings.Trim(r.Name, "\x7f") })},
		"lists without a connector": {"invalid-refs", func(f *faulty) {
			f.list = func(ctx context.Context, a, b string) ([]secrets.Ref, error) {
				if b == "" {
					return nil, nil
				}
				return f.honest.List(ctx, a, b)
			}
		}},
		"loses a racing put": {"races", func(f *faulty) {
			var mu sync.Mutex
			busy := map[string]bool{} // :: name → a first Put came
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasPrefix(r.Name, "own") && !busy[r.Name] {
					busy[r.Name] = true
					return nil
				}
				return f.honest.Put(ctx, r, v)
			}
		}},
		"fails when others write": {"races", func(f *faulty) {
			var mu sync.Mutex
			last := "" // the value of the latest Put
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				mu.Lock()
				defer mu.Unlock()
				before := last
				if last = v.Reveal(); before != "" && r.Name == "apiKey" && before != last {
					return errors.New("conflict")
				}
				return f.honest.Put(ctx, r, v)
			}
		}},
		"tells the value it refuses": {"quiet", func(f *faulty) {
			f.put = func(ctx context.Context, r secrets.Ref, v secrets.Value) error {
				if err := f.honest.Put(ctx, r, v); err != nil {
					return fmt.Errorf("%q: %w", v.Reveal(), err)
				}
				return nil
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			failed := secretstest.FailedVault(t.Context(), func() secrets.Vault {
				f := &faulty{honest: newHonest()}
				test.spoil(f)
				return f
			})
			assert.Contains(t, failed, test.failing)
		})
	}
}
