package secretstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/integrationhub/hub/secrets"
)

// canary is a value whose appearance in an error is noticed.
const canary = "canary-7Yq2Lw9"

// vaultChecks is the contract of a vault that can be written, one sentence each.
func vaultChecks(lacks []Lack) []check[secrets.Vault] {
	all := []check[secrets.Vault]{
		{"get-missing", "Get of what was never put is ErrNotFound.", checkGetMissing},
		{"put-get", "Get returns the very bytes that were put.", checkPutGet},
		{"put-replaces", "Putting the same ref again replaces the value.", checkPutReplaces},
		{"apart", "Refs that differ in tenant, connector or name share no value.", checkApart},
		{"generations", "Generations of one name are kept side by side.", checkGenerations},
		{"binding", "A value put under one binding cannot be read under another: ErrSealBroken.", checkBinding},
		{"delete", "Delete removes the value of its ref and of no other.", checkDelete},
		{"delete-binding", "Delete disregards Binding.", checkDeleteBinding},
		{"delete-missing", "Deleting what is not there is no error.", checkDeleteMissing},
		{"list", "List returns the connector's refs, without Binding, ordered by name and generation.", checkList(lacks)},
		{"list-empty", "List of a connector without secrets is empty, not an error.", checkListEmpty},
		{"list-many", "List returns every ref, however many there are.", checkListMany(lacks)},
		{"sizes", "Values of 1 to MaxValue bytes are taken; empty and larger ones are ErrInvalid.", checkSizes},
		{"invalid-refs", "A ref that Ref.Check refuses is ErrInvalid.", checkInvalidRefs},
		{"ended-ctx", "Called with an ended ctx, a method does nothing and wraps ctx.Err().", checkEndedCtx},
		{"cancel", "A Put that is cancelled under way fails with ctx.Err() or is done.", checkCancel},
		{"races", "All methods are safe for concurrent use; of racing Puts of one ref one value remains.", checkRaces},
		{"quiet", "No error repeats a value.", checkQuiet},
	}
	all = without(all, lacks, LacksBinding, "binding")
	return without(all, lacks, LacksGenerations, "generations")
}

func ref(tenant, connector, name string) secrets.Ref {
	return secrets.Ref{Tenant: tenant, Connector: connector, Name: name, Generation: 1, Binding: "https://api.example.com"}
}

var usual = ref("acme", "crm", "apiKey")

func put(ctx context.Context, v secrets.Vault, r secrets.Ref, value string) error {
	if err := v.Put(ctx, r, secrets.New(value)); err != nil {
		return fmt.Errorf("put of %s: %w", r, err)
	}
	return nil
}

// holds returns an error unless r has exactly this value.
func holds(ctx context.Context, v secrets.Vault, r secrets.Ref, value string) error {
	got, err := v.Get(ctx, r)
	if err != nil {
		return fmt.Errorf("get of %s: %w", r, err)
	}
	if got.Reveal() != value {
		return fmt.Errorf("get of %s returned another value (%d bytes, not %d)", r, got.Len(), len(value))
	}
	return nil
}

// lacks returns an error unless r is not found, and no value came with that answer.
func lacks(ctx context.Context, v secrets.Vault, r secrets.Ref) error {
	return refused(ctx, v, r, secrets.ErrNotFound)
}

func refused(ctx context.Context, v secrets.Vault, r secrets.Ref, target error) error {
	got, err := v.Get(ctx, r)
	if !got.IsZero() {
		return fmt.Errorf("get of %s returned a value", r)
	}
	return want("Get of "+r.String(), err, target)
}

func checkGetMissing(ctx context.Context, v secrets.Vault) error {
	return lacks(ctx, v, usual)
}

func checkPutGet(ctx context.Context, v secrets.Vault) error {
	var every [256]byte
	for i := range every {
		every[i] = byte(i)
	}
	for i, value := range []string{"x", "[secret]", " \t\r\n ", "ünïcødé 🗝", "\x00", "\xff\xfe", "'; DROP TABLE x; --", string(every[:])} {
		r := ref("acme", "crm", fmt.Sprintf("odd%d", i))
		if err := errors.Join(put(ctx, v, r, value), holds(ctx, v, r, value)); err != nil {
			return err
		}
	}
	return nil
}

func checkPutReplaces(ctx context.Context, v secrets.Vault) error {
	for _, value := range []string{"one", "a longer two", "3"} {
		if err := errors.Join(put(ctx, v, usual, value), holds(ctx, v, usual, value)); err != nil {
			return err
		}
	}
	refs, err := v.List(ctx, usual.Tenant, usual.Connector)
	if err == nil && len(refs) != 1 {
		return fmt.Errorf("list has %d refs of one secret", len(refs))
	}
	return err
}

// neighbours differ in ways that careless keys confuse: where one text ends and the next
// begins, case, spaces, separators, normal forms of Unicode.
var neighbours = []secrets.Ref{
	ref("acme", "crm", "apiKey"), ref("", "crm", "apiKey"), ref("crm", "acme", "apiKey"),
	ref("acme", "crm", "apikey"), ref("acme", "CRM", "apiKey"), ref("Acme", "crm", "apiKey"),
	ref("acme", "crm", "apiKey "), ref("acme", "crm ", "apiKey"), ref("acme ", "crm", "apiKey"),
	ref("acme/crm", "x", "k"), ref("acme", "crm/x", "k"), ref("acme", "crm", "x/k"),
	ref("acme-crm", "x", "k"), ref("acme", "crm-x", "k"), ref("acme", "crm", "x-k"),
	ref("acme_crm", "x", "k"), ref("acme", "crm_x", "k"), ref("acme", "crm", "x_k"),
	ref("acme", "crm", "k%"), ref("acme", "crm", "k%25"), ref("acme", "crm", "."), ref("acme", "crm", ".."),
	ref("acme", "crm", "é"), ref("acme", "crm", "e\u0301"), ref("acme", "crm", "'"), ref("acme", "crm", "1"),
}

func checkApart(ctx context.Context, v secrets.Vault) error {
	for i, r := range neighbours {
		if err := errors.Join(lacks(ctx, v, r), put(ctx, v, r, fmt.Sprintf("value-%d", i))); err != nil {
			return err
		}
	}
	for i, r := range neighbours {
		if err := holds(ctx, v, r, fmt.Sprintf("value-%d", i)); err != nil {
			return err
		}
	}
	return nil
}

func generation(r secrets.Ref, n int64) secrets.Ref {
	r.Generation = n
	return r
}

func checkGenerations(ctx context.Context, v secrets.Vault) error {
	numbers := []int64{0, 1, 2, 10, 1 << 40}
	for _, n := range numbers {
		r := generation(usual, n)
		if err := errors.Join(lacks(ctx, v, r), put(ctx, v, r, fmt.Sprint("generation ", n))); err != nil {
			return err
		}
	}
	for _, n := range numbers {
		if err := holds(ctx, v, generation(usual, n), fmt.Sprint("generation ", n)); err != nil {
			return err
		}
	}
	return nil
}

func checkBinding(ctx context.Context, v secrets.Vault) error {
	if err := put(ctx, v, usual, "bound"); err != nil {
		return err
	}
	for _, binding := range []string{"", "https://api.example.co", "https://api.example.com ", "https://API.example.com", "https://evil.example"} {
		other := usual
		other.Binding = binding
		if err := refused(ctx, v, other, secrets.ErrSealBroken); err != nil {
			return fmt.Errorf("binding %q: %w", binding, err)
		}
	}
	return holds(ctx, v, usual, "bound")
}

func checkDelete(ctx context.Context, v secrets.Vault) error {
	others := []secrets.Ref{ref("acme", "crm", "other"), ref("acme", "desk", "apiKey"), ref("beta", "crm", "apiKey")}
	for _, r := range append(others, usual) {
		if err := put(ctx, v, r, "value"); err != nil {
			return err
		}
	}
	if err := v.Delete(ctx, usual); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	err := lacks(ctx, v, usual)
	for _, r := range others {
		err = errors.Join(err, holds(ctx, v, r, "value"))
	}
	return errors.Join(err, put(ctx, v, usual, "again"), holds(ctx, v, usual, "again"))
}

func checkDeleteBinding(ctx context.Context, v secrets.Vault) error {
	if err := put(ctx, v, usual, "value"); err != nil {
		return err
	}
	unbound := usual
	unbound.Binding = ""
	if err := v.Delete(ctx, unbound); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return lacks(ctx, v, usual)
}

func checkDeleteMissing(ctx context.Context, v secrets.Vault) error {
	return v.Delete(ctx, usual)
}

func checkSizes(ctx context.Context, v secrets.Vault) error {
	large := strings.Repeat("x", secrets.MaxValue)
	for _, value := range []string{"x", large} {
		if err := errors.Join(put(ctx, v, usual, value), holds(ctx, v, usual, value)); err != nil {
			return err
		}
	}
	return errors.Join(
		want("Put of an empty value", v.Put(ctx, usual, secrets.Value{}), secrets.ErrInvalid),
		want("Put of a value above MaxValue", v.Put(ctx, usual, secrets.New(large+"x")), secrets.ErrInvalid),
		holds(ctx, v, usual, large),
	)
}

var invalidRefs = []secrets.Ref{
	{}, ref("acme", "", "k"), ref("acme", "crm", ""), generation(usual, -1),
	ref(strings.Repeat("x", 256), "crm", "k"), ref("acme", strings.Repeat("x", 256), "k"), ref("acme", "crm", strings.Repeat("x", 256)),
	ref("a\x00", "crm", "k"), ref("acme", "crm\n", "k"), ref("acme", "crm", "k\x7f"), ref("acme", "crm", "k\xff"),
}

func checkInvalidRefs(ctx context.Context, v secrets.Vault) error {
	longest := ref(strings.Repeat("t", 255), strings.Repeat("c", 255), strings.Repeat("n", 255))
	err := errors.Join(put(ctx, v, longest, "value"), holds(ctx, v, longest, "value"))
	for i, r := range invalidRefs {
		err = errors.Join(err,
			refused(ctx, v, r, secrets.ErrInvalid),
			want(fmt.Sprintf("Put of invalid ref %d", i), v.Put(ctx, r, secrets.New("value")), secrets.ErrInvalid),
			want(fmt.Sprintf("Delete of invalid ref %d", i), v.Delete(ctx, r), secrets.ErrInvalid))
	}
	return errors.Join(err, invalidScope(ctx, v))
}

func invalidScope(ctx context.Context, v secrets.Vault) error {
	_, noConnector := v.List(ctx, "acme", "")
	_, oddTenant := v.List(ctx, "a\n", "crm")
	return errors.Join(
		want("List without a connector", noConnector, secrets.ErrInvalid),
		want("List of an invalid tenant", oddTenant, secrets.ErrInvalid))
}

func checkEndedCtx(ctx context.Context, v secrets.Vault) error {
	if err := put(ctx, v, usual, "value"); err != nil {
		return err
	}
	fresh := ref("acme", "crm", "fresh")
	var errs []error
	for target, over := range ended(ctx) {
		_, getErr := v.Get(over, usual)
		_, listErr := v.List(over, usual.Tenant, usual.Connector)
		errs = append(errs,
			want("Get", getErr, target), want("List", listErr, target),
			want("Put", v.Put(over, fresh, secrets.New("value")), target),
			want("Delete", v.Delete(over, usual), target))
	}
	return errors.Join(append(errs, holds(ctx, v, usual, "value"), lacks(ctx, v, fresh))...)
}

// checkCancel puts one secret after the other until the cancellation arrives, wherever it
// finds the vault.
func checkCancel(ctx context.Context, v secrets.Vault) error {
	for round := range 8 {
		short, cancel := context.WithCancel(ctx)
		go cancel()
		for i := range 1000 {
			r := ref("acme", "crm", fmt.Sprintf("r%d-%d", round, i))
			err := v.Put(short, r, secrets.New("value"))
			if err == nil {
				if err := holds(ctx, v, r, "value"); err != nil {
					return err
				}
				continue
			}
			if err := want("Put", err, context.Canceled); err != nil {
				return err
			}
			break
		}
		cancel()
	}
	return nil
}

const writers = 8

func checkRaces(ctx context.Context, v secrets.Vault) error {
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		wg.Go(func() { errs[i] = raceOne(ctx, v, i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	got, err := v.Get(ctx, usual)
	if err != nil {
		return fmt.Errorf("after the race: %w", err)
	}
	if !strings.HasPrefix(got.Reveal(), "writer ") {
		return errors.New("after the race: a value that nobody put")
	}
	for i := range writers {
		own := ref("acme", "crm", fmt.Sprintf("own%d", i))
		if err := holds(ctx, v, own, fmt.Sprintf("own %d", i)); err != nil {
			return err
		}
	}
	return nil
}

func raceOne(ctx context.Context, v secrets.Vault, i int) error {
	own := ref("acme", "crm", fmt.Sprintf("own%d", i))
	doomed := ref("acme", "crm", "doomed")
	for range 5 {
		_, listErr := v.List(ctx, usual.Tenant, usual.Connector)
		err := errors.Join(listErr,
			put(ctx, v, usual, fmt.Sprintf("writer %d", i)),
			put(ctx, v, own, fmt.Sprintf("own %d", i)),
			holds(ctx, v, own, fmt.Sprintf("own %d", i)),
			put(ctx, v, doomed, "value"),
			v.Delete(ctx, doomed))
		if err != nil {
			return fmt.Errorf("writer %d: %w", i, err)
		}
	}
	return nil
}

func checkQuiet(ctx context.Context, v secrets.Vault) error {
	if err := put(ctx, v, usual, canary); err != nil {
		return err
	}
	value, large := secrets.New(canary), secrets.New(canary+strings.Repeat("x", secrets.MaxValue))
	other := usual
	other.Binding = "https://evil.example"
	_, bindingErr := v.Get(ctx, other)
	errs := []error{
		quiet("Put of too large a value", v.Put(ctx, usual, large), canary),
		quiet("Put under an invalid ref", v.Put(ctx, secrets.Ref{}, value), canary),
		quiet("Get under another binding", bindingErr, canary),
	}
	for _, over := range ended(ctx) {
		errs = append(errs, quiet("Put with an ended ctx", v.Put(over, usual, value), canary))
	}
	return errors.Join(errs...)
}
