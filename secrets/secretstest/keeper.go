package secretstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/integrationhub/hub/secrets"
)

// keeperChecks is the contract of a keeper, one sentence each.
var keeperChecks = []check[secrets.Keeper]{
	{"key-id", "KeyID returns 1 to 255 bytes of printable ASCII without spaces.", checkKeyID},
	{"seal-open", "Open returns the plaintext of what Seal made with the same key and aad.", checkSealOpen},
	{"fresh", "Sealing twice gives different bytes.", checkFresh},
	{"hidden", "What Seal makes does not show the plaintext.", checkHidden},
	{"key-missing", "An unknown key is ErrKeyNotFound, in Seal and in Open.", checkKeyMissing},
	{"aad", "Open with another aad is ErrSealBroken.", checkAAD},
	{"altered", "Open of altered bytes is ErrSealBroken, whichever they are.", checkAltered},
	{"cut", "Open of less or more than was sealed is ErrSealBroken.", checkCut},
	{"exchanged", "Open of what was sealed for another aad is ErrSealBroken, in both directions.", checkExchanged},
	{"ownership", "Slices given are not changed; slices returned are the caller's.", checkOwnership},
	{"ended-ctx", "Called with an ended ctx, a method wraps ctx.Err().", checkKeeperEndedCtx},
	{"races", "All methods are safe for concurrent use.", checkKeeperRaces},
	{"quiet", "No error repeats a plaintext.", checkKeeperQuiet},
}

// Constants, and so copied wherever they are passed: a keeper that changes what it is given
// spoils no other check.
const (
	somePlaintext = "plaintext of " + canary
	someAAD       = "what it belongs to"
)

// sealedBy is what Seal made of somePlaintext and someAAD under the key of the moment.
func sealedBy(ctx context.Context, k secrets.Keeper) (keyID string, sealed []byte, err error) {
	keyID, err = k.KeyID(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("key id: %w", err)
	}
	sealed, err = k.Seal(ctx, keyID, []byte(somePlaintext), []byte(someAAD))
	if err != nil {
		return "", nil, fmt.Errorf("seal: %w", err)
	}
	return keyID, sealed, nil
}

// opens returns an error unless Open gives plaintext.
func opens(ctx context.Context, k secrets.Keeper, keyID string, sealed, aad, plaintext []byte) error {
	got, err := k.Open(ctx, keyID, sealed, aad)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if !bytes.Equal(got, plaintext) {
		return fmt.Errorf("open returned %d other bytes", len(got))
	}
	return nil
}

// refuses returns an error unless Open fails with target, and gives no plaintext.
func refuses(ctx context.Context, k secrets.Keeper, keyID string, sealed, aad []byte, target error) error {
	got, err := k.Open(ctx, keyID, sealed, aad)
	if len(got) > 0 {
		return errors.New("open returned a plaintext")
	}
	return want("Open", err, target)
}

func checkKeyID(ctx context.Context, k secrets.Keeper) error {
	id, err := k.KeyID(ctx)
	if err != nil {
		return fmt.Errorf("key id: %w", err)
	}
	return secrets.CheckKeyID(id)
}

func checkSealOpen(ctx context.Context, k secrets.Keeper) error {
	keyID, _, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	long := bytes.Repeat([]byte{0xA5}, secrets.MaxPlaintext)
	for _, plaintext := range [][]byte{nil, {}, {0}, []byte(somePlaintext), bytes.Repeat([]byte{0}, 32), long} {
		for _, aad := range [][]byte{nil, {}, {0}, []byte(someAAD), bytes.Repeat([]byte("aad"), 20_000)} {
			sealed, err := k.Seal(ctx, keyID, plaintext, aad)
			if err != nil {
				return fmt.Errorf("seal of %d bytes with aad of %d: %w", len(plaintext), len(aad), err)
			}
			if err := opens(ctx, k, keyID, sealed, aad, plaintext); err != nil {
				return fmt.Errorf("%d bytes with aad of %d: %w", len(plaintext), len(aad), err)
			}
			if len(aad) > 0 {
				continue
			}
			if err := errors.Join(opens(ctx, k, keyID, sealed, nil, plaintext), opens(ctx, k, keyID, sealed, []byte{}, plaintext)); err != nil {
				return fmt.Errorf("nil and empty aad: %w", err)
			}
		}
	}
	return nil
}

func checkFresh(ctx context.Context, k secrets.Keeper) error {
	seen := map[string]bool{}
	for range 20 {
		_, sealed, err := sealedBy(ctx, k)
		if err != nil {
			return err
		}
		if seen[string(sealed)] {
			return errors.New("the same bytes came twice")
		}
		seen[string(sealed)] = true
	}
	return nil
}

func checkHidden(ctx context.Context, k secrets.Keeper) error {
	_, sealed, err := sealedBy(ctx, k)
	if err == nil && bytes.Contains(sealed, []byte(canary)) {
		return errors.New("the plaintext is in it")
	}
	return err
}

func checkKeyMissing(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	for _, other := range []string{"no-such-key", strings.ToUpper(keyID) + "x", keyID + "x", "x" + keyID} {
		_, sealErr := k.Seal(ctx, other, []byte(somePlaintext), []byte(someAAD))
		err = errors.Join(err, want("Seal", sealErr, secrets.ErrKeyNotFound),
			refuses(ctx, k, other, sealed, []byte(someAAD), secrets.ErrKeyNotFound))
	}
	return err
}

func checkAAD(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	flipped := someAAD[:len(someAAD)-1] + string(someAAD[len(someAAD)-1]^1)
	for _, aad := range []string{"", "\x00", flipped, someAAD[:len(someAAD)-1], someAAD + "\x00", strings.ToUpper(someAAD)} {
		err = errors.Join(err, refuses(ctx, k, keyID, sealed, []byte(aad), secrets.ErrSealBroken))
	}
	return errors.Join(err, opens(ctx, k, keyID, sealed, []byte(someAAD), []byte(somePlaintext)))
}

// checkAltered flips one bit of each byte in turn, another bit in each.
func checkAltered(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1 << (i % 8)
		if err := refuses(ctx, k, keyID, altered, []byte(someAAD), secrets.ErrSealBroken); err != nil {
			return fmt.Errorf("byte %d: %w", i, err)
		}
	}
	return nil
}

func checkCut(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	for n := range sealed {
		if err := refuses(ctx, k, keyID, sealed[:n:n], []byte(someAAD), secrets.ErrSealBroken); err != nil {
			return fmt.Errorf("the first %d bytes: %w", n, err)
		}
	}
	return errors.Join(
		refuses(ctx, k, keyID, nil, []byte(someAAD), secrets.ErrSealBroken),
		refuses(ctx, k, keyID, sealed[1:], []byte(someAAD), secrets.ErrSealBroken),
		refuses(ctx, k, keyID, append(bytes.Clone(sealed), 0), []byte(someAAD), secrets.ErrSealBroken),
		refuses(ctx, k, keyID, append([]byte{0}, sealed...), []byte(someAAD), secrets.ErrSealBroken))
}

func checkExchanged(ctx context.Context, k secrets.Keeper) error {
	keyID, one, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	otherAAD := []byte("another owner")
	other, err := k.Seal(ctx, keyID, []byte(somePlaintext), otherAAD)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return errors.Join(
		refuses(ctx, k, keyID, one, otherAAD, secrets.ErrSealBroken),
		refuses(ctx, k, keyID, other, []byte(someAAD), secrets.ErrSealBroken))
}

func checkOwnership(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	plaintext, aad := []byte(somePlaintext), []byte(someAAD)
	fresh, err := k.Seal(ctx, keyID, plaintext, aad)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	before := bytes.Clone(fresh)
	first, err := k.Open(ctx, keyID, fresh, aad)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if string(plaintext) != somePlaintext || string(aad) != someAAD || !bytes.Equal(fresh, before) {
		return errors.New("a slice that was given has changed")
	}
	// Whoever still looks at these slices sees zeros from here on.
	clear(first)
	clear(plaintext)
	clear(aad)
	return errors.Join(
		opens(ctx, k, keyID, fresh, []byte(someAAD), []byte(somePlaintext)),
		opens(ctx, k, keyID, sealed, []byte(someAAD), []byte(somePlaintext)))
}

func checkKeeperEndedCtx(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	for target, over := range ended(ctx) {
		_, idErr := k.KeyID(over)
		_, sealErr := k.Seal(over, keyID, []byte(somePlaintext), []byte(someAAD))
		err = errors.Join(err, want("KeyID", idErr, target), want("Seal", sealErr, target),
			refuses(over, k, keyID, sealed, []byte(someAAD), target))
	}
	return err
}

func checkKeeperRaces(ctx context.Context, k secrets.Keeper) error {
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		wg.Go(func() { errs[i] = sealMany(ctx, k, i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func sealMany(ctx context.Context, k secrets.Keeper, worker int) error {
	for i := range 20 {
		plaintext, aad := fmt.Appendf(nil, "plaintext %d of %d", i, worker), fmt.Appendf(nil, "aad %d of %d", i, worker)
		keyID, err := k.KeyID(ctx)
		if err != nil {
			return fmt.Errorf("key id: %w", err)
		}
		sealed, err := k.Seal(ctx, keyID, plaintext, aad)
		if err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		if err := opens(ctx, k, keyID, sealed, aad, plaintext); err != nil {
			return err
		}
	}
	return nil
}

func checkKeeperQuiet(ctx context.Context, k secrets.Keeper) error {
	keyID, sealed, err := sealedBy(ctx, k)
	if err != nil {
		return err
	}
	_, sealErr := k.Seal(ctx, "no-such-key", []byte(somePlaintext), []byte(someAAD))
	_, openErr := k.Open(ctx, keyID, sealed, nil)
	err = errors.Join(quiet("Seal", sealErr, canary), quiet("Open", openErr, canary))
	for _, over := range ended(ctx) {
		_, sealErr := k.Seal(over, keyID, []byte(somePlaintext), []byte(someAAD))
		err = errors.Join(err, quiet("Seal with an ended ctx", sealErr, canary))
	}
	return err
}
