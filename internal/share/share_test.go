package share_test

import (
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/share"
)

type thing struct{ name string }

func made(name string) func() (*thing, error) {
	return func() (*thing, error) { return &thing{name: name}, nil }
}

func keyOf(t *testing.T, parts ...any) share.Key {
	t.Helper()
	key, length, err := share.KeyOf(parts...)
	require.Positive(t, length)
	require.NoError(t, err)
	return key
}

func TestOneOfAKey(t *testing.T) {
	var table share.Table[thing]
	first, err := table.Get(keyOf(t, "a"), made("first"))
	require.NoError(t, err)
	again, err := table.Get(keyOf(t, "a"), made("second"))
	require.NoError(t, err)
	require.Same(t, first, again)
	other, err := table.Get(keyOf(t, "b"), made("other"))
	require.NoError(t, err)
	require.NotSame(t, first, other)
	require.Equal(t, 2, table.Len())
	runtime.KeepAlive(first)
}

func TestAnErrorKeepsNothing(t *testing.T) {
	var table share.Table[thing]
	broken := errors.New("broken")
	_, err := table.Get(keyOf(t, "a"), func() (*thing, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	require.Zero(t, table.Len())
}

// What nobody uses is made anew, and a table does not grow by what is gone.
func TestWhatNobodyUsesGoes(t *testing.T) {
	var table share.Table[thing]
	used, err := table.Get(keyOf(t, "used"), made("used"))
	require.NoError(t, err)
	for i := range 10_000 {
		_, err := table.Get(keyOf(t, i), made(strconv.Itoa(i)))
		require.NoError(t, err)
		if i%50 == 0 {
			runtime.GC()
		}
	}
	require.Less(t, table.Len(), 1000)
	again, err := table.Get(keyOf(t, "used"), made("another"))
	require.NoError(t, err)
	require.Same(t, used, again)
	anew, err := table.Get(keyOf(t, 0), made("anew"))
	require.NoError(t, err)
	require.Equal(t, "anew", anew.name)
}

func TestOfManyAtOnceAllGetOne(t *testing.T) {
	var table share.Table[thing]
	got := make([]*thing, 64)
	var running sync.WaitGroup
	for i := range got {
		running.Go(func() { got[i], _ = table.Get(share.Key{}, made(strconv.Itoa(i))) })
	}
	running.Wait()
	for _, v := range got {
		require.Same(t, got[0], v)
	}
}

func TestKeysTellPartsApart(t *testing.T) {
	seen := map[share.Key]int{}
	for i, parts := range [][]any{{}, {""}, {"a", "b"}, {"ab"}, {"b", "a"}, {"a", "b", nil}, {"a,b"}, {[]string{"a", "b"}}, {1}, {"1"}} {
		key := keyOf(t, parts...)
		require.NotContains(t, seen, key, "%v", parts)
		seen[key] = i
	}
}
