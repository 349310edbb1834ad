package secretstest

import (
	"context"
	"errors"
	"fmt"

	"github.com/integrationhub/hub/secrets"
)

// readOnlyChecks is the contract of a vault that takes no values, one sentence each.
func readOnlyChecks(seeded secrets.Ref, value secrets.Value, lacks []Lack) []check[secrets.Vault] {
	r := readOnly{seeded: seeded, value: value.Reveal(), lacks: lacks}
	all := []check[secrets.Vault]{
		{"get", "Get returns the very bytes that the vault holds.", r.checkGet},
		{"get-missing", "Get of what the vault does not hold is ErrNotFound.", r.checkGetMissing},
		{"generations", "Get of another generation is ErrNotFound.", r.checkGenerations},
		{"binding", "A value cannot be read under another binding: ErrSealBroken.", r.checkBinding},
		{"put", "Put is ErrReadOnly and changes nothing.", r.checkPut},
		{"delete", "Delete is ErrReadOnly and changes nothing.", r.checkDelete},
		{"list", "List returns the refs of the connector, without Binding.", r.checkList},
		{"list-empty", "List of a connector without secrets is empty, not an error.", r.checkListEmpty},
		{"invalid-refs", "A ref that Ref.Check refuses is ErrInvalid.", r.checkInvalidRefs},
		{"ended-ctx", "Called with an ended ctx, a method wraps ctx.Err().", r.checkEndedCtx},
		{"quiet", "No error repeats a value.", r.checkQuiet},
	}
	all = without(all, lacks, LacksBinding, "binding")
	return without(all, lacks, LacksGenerations, "generations")
}

type readOnly struct {
	seeded secrets.Ref
	value  string
	lacks  []Lack
}

func (r readOnly) checkGet(ctx context.Context, v secrets.Vault) error {
	return holds(ctx, v, r.seeded, r.value)
}

func (r readOnly) checkGetMissing(ctx context.Context, v secrets.Vault) error {
	var errs []error
	for _, change := range []func(*secrets.Ref){
		func(s *secrets.Ref) { s.Tenant += "x" },
		func(s *secrets.Ref) { s.Connector += "x" },
		func(s *secrets.Ref) { s.Name += "x" },
		func(s *secrets.Ref) { s.Name, s.Connector = s.Connector+"x", s.Name },
	} {
		other := r.seeded
		change(&other)
		errs = append(errs, lacks(ctx, v, other))
	}
	return errors.Join(errs...)
}

func (r readOnly) checkGenerations(ctx context.Context, v secrets.Vault) error {
	return lacks(ctx, v, generation(r.seeded, r.seeded.Generation+1))
}

func (r readOnly) checkBinding(ctx context.Context, v secrets.Vault) error {
	other := r.seeded
	other.Binding += "x"
	return refused(ctx, v, other, secrets.ErrSealBroken)
}

func (r readOnly) checkPut(ctx context.Context, v secrets.Vault) error {
	other := r.seeded
	other.Name += "x"
	return errors.Join(
		want("Put", v.Put(ctx, r.seeded, secrets.New("other")), secrets.ErrReadOnly),
		want("Put", v.Put(ctx, other, secrets.New("other")), secrets.ErrReadOnly),
		holds(ctx, v, r.seeded, r.value),
		lacks(ctx, v, other))
}

func (r readOnly) checkDelete(ctx context.Context, v secrets.Vault) error {
	return errors.Join(
		want("Delete", v.Delete(ctx, r.seeded), secrets.ErrReadOnly),
		holds(ctx, v, r.seeded, r.value))
}

func (r readOnly) checkList(ctx context.Context, v secrets.Vault) error {
	return lists(ctx, v, r.seeded.Tenant, r.seeded.Connector, listed([]secrets.Ref{r.seeded}, r.lacks))
}

func (r readOnly) checkListEmpty(ctx context.Context, v secrets.Vault) error {
	return errors.Join(
		lists(ctx, v, r.seeded.Tenant, r.seeded.Connector+"x", nil),
		lists(ctx, v, r.seeded.Tenant+"x", r.seeded.Connector, nil))
}

func (r readOnly) checkInvalidRefs(ctx context.Context, v secrets.Vault) error {
	var errs []error
	for i, bad := range invalidRefs {
		errs = append(errs, refused(ctx, v, bad, secrets.ErrInvalid),
			want(fmt.Sprintf("Put of invalid ref %d", i), v.Put(ctx, bad, secrets.New("value")), secrets.ErrInvalid),
			want(fmt.Sprintf("Delete of invalid ref %d", i), v.Delete(ctx, bad), secrets.ErrInvalid))
	}
	return errors.Join(append(errs, invalidScope(ctx, v))...)
}

func (r readOnly) checkEndedCtx(ctx context.Context, v secrets.Vault) error {
	var errs []error
	for target, over := range ended(ctx) {
		_, getErr := v.Get(over, r.seeded)
		_, listErr := v.List(over, r.seeded.Tenant, r.seeded.Connector)
		errs = append(errs,
			want("Get", getErr, target), want("List", listErr, target),
			want("Put", v.Put(over, r.seeded, secrets.New("x")), target),
			want("Delete", v.Delete(over, r.seeded), target))
	}
	return errors.Join(errs...)
}

func (r readOnly) checkQuiet(ctx context.Context, v secrets.Vault) error {
	errs := []error{
		quiet("Put", v.Put(ctx, r.seeded, secrets.New(canary)), canary),
		quiet("Delete", v.Delete(ctx, r.seeded), r.value),
	}
	for _, over := range ended(ctx) {
		_, err := v.Get(over, r.seeded)
		errs = append(errs, quiet("Get with an ended ctx", err, r.value))
	}
	return errors.Join(errs...)
}
