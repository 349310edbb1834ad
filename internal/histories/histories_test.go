package histories_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/histories"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/sqlite"
)

// number names the variable that says how many histories each store lives through.
const number = "HUB_HISTORIES"

func lives(t *testing.T) uint64 {
	text := os.Getenv(number)
	if text == "" {
		return 30
	}
	n, err := strconv.ParseUint(text, 10, 32)
	require.NoError(t, err, number)
	return n
}

// live lets stores live through many histories and closes them.
func live(t *testing.T, s histories.Setting) {
	for seed := range lives(t) {
		require.NoError(t, s.Check(t.Context(), fmt.Sprint("tenant ", seed), seed))
	}
	for _, s := range s.Stores {
		require.NoError(t, s.Close())
	}
}

func TestMemory(t *testing.T) { live(t, histories.Setting{Stores: []storage.Store{memory.New()}}) }

func TestSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	var two []storage.Store // as in two processes
	for range 2 {
		s, err := sqlite.Open(t.Context(), path, nil)
		require.NoError(t, err)
		two = append(two, s)
	}
	live(t, histories.Setting{Stores: two})
}

func TestBolt(t *testing.T) {
	s, err := bolt.Open(t.Context(), filepath.Join(t.TempDir(), "hub.bolt"), nil)
	require.NoError(t, err)
	live(t, histories.Setting{Stores: []storage.Store{s}})
}

// forgetful serves reads from what it has read before, for a while.
type forgetful struct {
	*memory.Store
	mu   sync.Mutex // guards what follows
	old  map[storage.Key]storage.Record
	read int
}

func (f *forgetful) Get(ctx context.Context, k storage.Key) (storage.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.old[k]; ok && f.read%2 == 1 {
		f.read++
		return r, nil
	}
	f.read++
	r, err := f.Store.Get(ctx, k)
	if err == nil {
		f.old[k] = r
	}
	return r, err
}

// careless compares revisions before it writes, and not while it does.
type careless struct{ *memory.Store }

func (c careless) Apply(ctx context.Context, changes ...storage.Change) error {
	for i, change := range changes {
		r, err := c.Get(ctx, change.Record.Key)
		if err == nil && change.Action == storage.ActionUpdate && r.Revision == change.Expect {
			time.Sleep(time.Millisecond)
			if now, err := c.Get(ctx, change.Record.Key); err == nil && now.Revision < change.Record.Revision {
				changes[i].Expect = now.Revision
			}
		}
	}
	return c.Store.Apply(ctx, changes...)
}

// halving makes two changes one after the other.
type halving struct{ *memory.Store }

func (h halving) Apply(ctx context.Context, changes ...storage.Change) error {
	for i, change := range changes {
		if err := h.Store.Apply(ctx, change); err != nil {
			return &storage.ChangeError{Index: i, Key: change.Record.Key, Err: err}
		}
	}
	return nil
}

// lying says that what it was kept from doing is done.
type lying struct{ *memory.Store }

func (l lying) Apply(ctx context.Context, changes ...storage.Change) error {
	err := l.Store.Apply(ctx, changes...)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// A store that is not linearizable is found out within some histories.
func TestFaultyStoresAreFoundOut(t *testing.T) {
	for name, open := range map[string]func() storage.Store{
		"reads from the past": func() storage.Store {
			return &forgetful{Store: memory.New(), old: map[storage.Key]storage.Record{}}
		},
		"loses updates":       func() storage.Store { return careless{memory.New()} },
		"applies by halves":   func() storage.Store { return halving{memory.New()} },
		"lies when it is cut": func() storage.Store { return lying{memory.New()} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err error
			for seed := uint64(0); seed < 200 && err == nil; seed++ {
				err = histories.Setting{Stores: []storage.Store{open()}}.Check(t.Context(), "tenant", seed)
			}
			assert.ErrorContains(t, err, "no order explains")
		})
	}
}
