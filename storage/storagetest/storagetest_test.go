package storagetest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/storagetest"
)

func TestHealthyStorePasses(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New() })
}

// Each fault must be noticed by the check that its line names.
func TestFaultyStoresFail(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, storagetest.Names(), f.check)
			broken := storagetest.BrokenIn(t.Context(), f.check, time.Minute, f.store)
			assert.Error(t, broken, "the check %q did not notice", f.check)
		})
	}
}

// A call that never returns is an error of the suite, not the end of the test binary.
func TestHangingStoreFails(t *testing.T) {
	release, released := make(chan struct{}), make(chan error)
	store := in(func(f *faulty) {
		f.close = func(s storage.Store) error {
			<-release
			err := s.Close()
			released <- err
			return err
		}
	})
	err := storagetest.BrokenIn(t.Context(), "get", 50*time.Millisecond, store)
	assert.ErrorContains(t, err, "did not return")
	close(release)
	assert.NoError(t, <-released)
}

// kept is a store that lives on after Close and can be opened again.
type kept struct{ *memory.Store }

func (k kept) Close() error { return nil }

func TestOneMemoryPassesTheChecksOfSharedPlaces(t *testing.T) {
	broken := storagetest.BrokenBetween(t.Context(), time.Minute, func() func() storage.Store {
		s := kept{memory.New()}
		return func() storage.Store { return s }
	})
	assert.Empty(t, broken)
}

func TestForgetfulStoreFailsTheChecksOfSharedPlaces(t *testing.T) {
	broken := storagetest.BrokenBetween(t.Context(), 8*time.Second, func() func() storage.Store {
		return func() storage.Store { return memory.New() }
	})
	assert.ElementsMatch(t, []string{"reopen", "reopen-rules", "reopen-cursor", "shared-view", "shared-races", "shared-counting", "shared-watch"}, keys(broken))
}

func TestNamesAreUnique(t *testing.T) {
	names := storagetest.Names()
	slices.Sort(names)
	assert.Equal(t, slices.Compact(slices.Clone(names)), names)
}

func keys(m map[string]error) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
