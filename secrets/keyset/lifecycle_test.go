package keyset_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
)

func TestLifeOfAKey(t *testing.T) {
	first, err := keyset.Generate()
	require.NoError(t, err)
	old := first.Keys()[0].ID
	box, err := first.Seal(t.Context(), old, []byte("kept"), nil)
	require.NoError(t, err)

	added, fresh, err := first.Add()
	require.NoError(t, err)
	assert.Equal(t, []keyset.KeyInfo{{ID: old, Primary: true}, {ID: fresh}}, added.Keys())
	assert.Len(t, first.Keys(), 1, "the set that it came from does not change")

	promoted, err := added.Promote(fresh)
	require.NoError(t, err)
	assert.Equal(t, []keyset.KeyInfo{{ID: old}, {ID: fresh, Primary: true}}, promoted.Keys())
	plain, err := promoted.Open(t.Context(), old, box, nil)
	require.NoError(t, err)
	assert.Equal(t, "kept", string(plain))

	off, err := promoted.Disable(old)
	require.NoError(t, err)
	_, err = off.Open(t.Context(), old, box, nil)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
	again, err := off.Enable(old)
	require.NoError(t, err)
	_, err = again.Open(t.Context(), old, box, nil)
	require.NoError(t, err)

	gone, err := off.Destroy(old)
	require.NoError(t, err)
	assert.Equal(t, []keyset.KeyInfo{{ID: fresh, Primary: true}}, gone.Keys())
	assert.Len(t, off.Keys(), 2, "nor here")
	read, err := keyset.Parse([]byte(off.Encode().Reveal()))
	require.NoError(t, err)
	assert.Equal(t, off.Keys(), read.Keys())
}

func TestStepsOutOfOrderAreRefused(t *testing.T) {
	first, err := keyset.Generate()
	require.NoError(t, err)
	set, fresh, err := first.Add()
	require.NoError(t, err)
	primary := first.Keys()[0].ID
	off, err := set.Disable(fresh)
	require.NoError(t, err)

	step := func(_ *keyset.Keyset, err error) error { return err }
	for name, tt := range map[string]struct{ got, want error }{
		"disabling the primary":     {step(set.Disable(primary)), keyset.ErrInUse},
		"destroying the primary":    {step(set.Destroy(primary)), keyset.ErrInUse},
		"destroying an enabled one": {step(set.Destroy(fresh)), keyset.ErrInUse},
		"promoting a disabled one":  {step(off.Promote(fresh)), secrets.ErrKeyNotFound},
		"promoting an unknown one":  {step(set.Promote("k_0")), secrets.ErrKeyNotFound},
		"disabling an unknown one":  {step(set.Disable("k_0")), secrets.ErrKeyNotFound},
		"enabling an unknown one":   {step(set.Enable("k_0")), secrets.ErrKeyNotFound},
		"destroying an unknown one": {step(set.Destroy("k_0")), secrets.ErrKeyNotFound},
	} {
		assert.ErrorIs(t, tt.got, tt.want, name)
	}
}

func TestASetDoesNotGrowForEver(t *testing.T) {
	set, err := keyset.Generate()
	require.NoError(t, err)
	for range 999 {
		set, _, err = set.Add()
		require.NoError(t, err)
	}
	_, err = keyset.Parse([]byte(set.Encode().Reveal()))
	require.NoError(t, err, "the largest set can be read")
	_, _, err = set.Add()
	require.Error(t, err)
}
