package secretstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/integrationhub/hub/secrets"
)

// checkList puts refs in an order that is not the one of the answer, as bytes and as
// numbers, and neighbours that must not appear in it.
func checkList(lacks []Lack) func(context.Context, secrets.Vault) error {
	var expect []secrets.Ref
	for _, name := range []string{"b", "a-b", "a", "B", "a b", "a 0", "ab", "_a", "é"} {
		expect = append(expect, ref("acme", "crm", name))
	}
	if !slices.Contains(lacks, LacksGenerations) {
		expect = append(expect, generation(expect[0], 10), generation(expect[0], 9))
	}
	strangers := []secrets.Ref{ref("acme", "crm2", "x"), ref("acme", "cr", "x"), ref("", "crm", "x"), ref("acm", "ecrm", "x")}
	return func(ctx context.Context, v secrets.Vault) error {
		return putAndList(ctx, v, expect, strangers, lacks)
	}
}

func checkListMany(lacks []Lack) func(context.Context, secrets.Vault) error {
	var expect []secrets.Ref
	for i := range 150 {
		expect = append(expect, ref("acme", "crm", fmt.Sprintf("name%d", i)))
	}
	return func(ctx context.Context, v secrets.Vault) error {
		return putAndList(ctx, v, expect, nil, lacks)
	}
}

// putAndList puts all refs, and wants those of the first list back.
func putAndList(ctx context.Context, v secrets.Vault, expect, strangers []secrets.Ref, lacks []Lack) error {
	for _, r := range slices.Concat(expect, strangers) {
		if err := put(ctx, v, r, "value"); err != nil {
			return err
		}
	}
	return lists(ctx, v, "acme", "crm", listed(expect, lacks))
}

// listed returns what List should make of refs.
func listed(refs []secrets.Ref, lacks []Lack) []secrets.Ref {
	refs = slices.Clone(refs)
	for i := range refs {
		refs[i].Binding = ""
		if slices.Contains(lacks, LacksGenerations) {
			refs[i].Generation = 0
		}
	}
	slices.SortFunc(refs, func(a, b secrets.Ref) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Generation, b.Generation))
	})
	return refs
}

func lists(ctx context.Context, v secrets.Vault, tenant, connector string, expect []secrets.Ref) error {
	got, err := v.List(ctx, tenant, connector)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if !slices.Equal(got, expect) {
		return fmt.Errorf("list returned %q, not %q", got, expect)
	}
	return nil
}

func checkListEmpty(ctx context.Context, v secrets.Vault) error {
	if err := put(ctx, v, ref("acme", "other", "x"), "value"); err != nil {
		return err
	}
	return lists(ctx, v, "acme", "crm", nil)
}
