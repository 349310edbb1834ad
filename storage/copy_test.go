package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// filled returns a store with n records in some tenants and kinds.
func filled(t *testing.T, n int) *memory.Store {
	s := memory.New()
	for i := range n {
		require.NoError(t, s.Apply(t.Context(), storage.Create(thing(i))))
	}
	return s
}

func thing(i int) storage.Record {
	return storage.Record{
		Key:    storage.Key{Tenant: fmt.Sprint("t", i%3), Kind: fmt.Sprint("k", i%2), ID: fmt.Sprintf("%05d", i)},
		Parent: "p", Name: fmt.Sprint("name ", i), Search: fmt.Sprint("s", i%7),
		Labels:   []storage.Label{{Key: "n", Value: fmt.Sprint(i % 5)}},
		Revision: int64(i + 1), Updated: time.UnixMicro(int64(i) * 1e9), Data: make([]byte, i%50),
	}
}

func sumOf(t *testing.T, s storage.Store) storage.Summary {
	sum, err := storage.Sum(t.Context(), s)
	require.NoError(t, err)
	return sum
}

func TestCopy(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 129, 2500} {
		src, dst := filled(t, n), memory.New()
		var last storage.CopyProgress
		sum, err := storage.Copy(t.Context(), dst, src, &storage.CopyOptions{Progress: func(p storage.CopyProgress) {
			assert.GreaterOrEqual(t, p.Seen, last.Seen)
			assert.GreaterOrEqual(t, p.Checked, last.Checked)
			last = p
		}})
		require.NoError(t, err, "%d records", n)
		assert.EqualValues(t, n, sum.Records)
		assert.Equal(t, sumOf(t, src), sum)
		assert.Equal(t, sumOf(t, dst), sum)
		assert.Equal(t, storage.CopyProgress{Seen: int64(n), Written: int64(n), Checked: int64(n)}, last)
	}
}

// dying fails for good after some Applies.
type dying struct {
	storage.Store
	left int
}

var errDead = errors.New("dead")

func (d *dying) Apply(ctx context.Context, changes ...storage.Change) error {
	if d.left--; d.left < 0 {
		return errDead
	}
	return d.Store.Apply(ctx, changes...)
}

func TestInterruptedCopyIsTakenUpAgain(t *testing.T) {
	const n = 1000
	src, dst := filled(t, n), memory.New()
	_, err := storage.Copy(t.Context(), &dying{dst, 5}, src, nil)
	require.ErrorIs(t, err, errDead)
	require.EqualValues(t, 5*storage.MaxChanges, sumOf(t, dst).Records)

	var last storage.CopyProgress
	sum, err := storage.Copy(t.Context(), dst, src, &storage.CopyOptions{Progress: func(p storage.CopyProgress) { last = p }})
	require.NoError(t, err)
	assert.Equal(t, sumOf(t, src), sum)
	assert.EqualValues(t, n-5*storage.MaxChanges, last.Written, "what is there is not written again")
	assert.Zero(t, last.Deleted)
}

func TestCopyKeepsWhatTheDestinationHolds(t *testing.T) {
	for name, other := range map[string]storage.Record{
		"another record":              {Key: storage.Key{Kind: "k", ID: "x"}, Revision: 1},
		"another form of a record":    {Key: thing(3).Key, Revision: 1},
		"a record with another label": func() storage.Record { r := thing(3); r.Labels[0].Value = "x"; return r }(),
	} {
		t.Run(name, func(t *testing.T) {
			src, dst := filled(t, 10), memory.New()
			require.NoError(t, dst.Apply(t.Context(), storage.Create(other)))
			_, err := storage.Copy(t.Context(), dst, src, nil)
			require.ErrorIs(t, err, storage.ErrExists)
			assert.ErrorContains(t, err, other.Key.String())
			kept, err := dst.Get(t.Context(), other.Key)
			require.NoError(t, err)
			assert.Equal(t, other.Normal(), kept)
		})
	}
}

// A copy made while the source was in use is brought up to date: records are gone, new,
// changed, and names have changed hands.
func TestCopyWithReplace(t *testing.T) {
	src, dst := filled(t, 500), memory.New()
	_, err := storage.Copy(t.Context(), dst, src, nil)
	require.NoError(t, err)
	a, b := thing(6), thing(12) // of one tenant and kind
	a.Name, b.Name = b.Name, ""
	require.NoError(t, src.Apply(t.Context(),
		storage.Update(revised(b, 1000), 13), storage.Update(revised(a, 1000), 7),
		storage.Delete(thing(20).Key, 21), storage.Create(thing(900))))
	require.NoError(t, dst.Apply(t.Context(), storage.Update(revised(thing(30), 5000), 31)))

	var last storage.CopyProgress
	sum, err := storage.Copy(t.Context(), dst, src, &storage.CopyOptions{Replace: true, Progress: func(p storage.CopyProgress) { last = p }})
	require.NoError(t, err)
	assert.Equal(t, sumOf(t, src), sum)
	assert.Equal(t, sumOf(t, dst), sum)
	assert.Equal(t, storage.CopyProgress{Seen: 500, Written: 4, Deleted: 4, Checked: 500}, last)
}

func revised(r storage.Record, revision int64) storage.Record {
	r.Revision = revision
	return r
}

// lossy acknowledges what it does not keep.
type lossy struct{ storage.Store }

func (l lossy) Apply(ctx context.Context, changes ...storage.Change) error {
	for i := range changes {
		changes[i].Record.Labels = nil
	}
	return l.Store.Apply(ctx, changes...)
}

func TestCopyNoticesWhatTheDestinationLost(t *testing.T) {
	_, err := storage.Copy(t.Context(), lossy{memory.New()}, filled(t, 10), nil)
	assert.ErrorContains(t, err, "digests differ")
}

func TestCopyWhileTheSourceIsWritten(t *testing.T) {
	src, dst := filled(t, 3000), memory.New()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for i := 10_000; err == nil; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				err = src.Apply(context.Background(), storage.Create(thing(i)))
			}
		}
		stopped <- err
	}()
	_, err := storage.Copy(t.Context(), dst, src, nil)
	close(stop)
	require.NoError(t, <-stopped)
	require.NoError(t, err)
	sum, err := storage.Copy(t.Context(), dst, src, &storage.CopyOptions{Replace: true})
	require.NoError(t, err)
	assert.Equal(t, sumOf(t, src), sum)
}

func TestCopyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := storage.Copy(ctx, memory.New(), filled(t, 1000), &storage.CopyOptions{Progress: func(storage.CopyProgress) { cancel() }})
	assert.ErrorIs(t, err, context.Canceled)
	_, err = storage.Sum(ctx, memory.New())
	assert.ErrorIs(t, err, context.Canceled)
}

// Any difference in any field shows.
func TestSumTellsRecordsApart(t *testing.T) {
	seen := map[storage.Summary]string{}
	for name, edit := range map[string]func(*storage.Record){
		"nothing":        func(*storage.Record) {},
		"tenant":         func(r *storage.Record) { r.Tenant += "x" },
		"kind":           func(r *storage.Record) { r.Kind += "x" },
		"id":             func(r *storage.Record) { r.ID += "x" },
		"parent":         func(r *storage.Record) { r.Parent += "x" },
		"name":           func(r *storage.Record) { r.Name += "x" },
		"parent to name": func(r *storage.Record) { r.Parent, r.Name = "", r.Parent+r.Name },
		"search":         func(r *storage.Record) { r.Search += "x" },
		"label key":      func(r *storage.Record) { r.Labels = []storage.Label{{Key: "nx", Value: "0"}} },
		"label value":    func(r *storage.Record) { r.Labels = []storage.Label{{Key: "n", Value: "x"}} },
		"no label":       func(r *storage.Record) { r.Labels = nil },
		"revision":       func(r *storage.Record) { r.Revision++ },
		"updated":        func(r *storage.Record) { r.Updated = r.Updated.Add(time.Microsecond) },
		"data":           func(r *storage.Record) { r.Data = append(r.Data, 0) },
	} {
		r := thing(45)
		edit(&r)
		s := memory.New()
		require.NoError(t, s.Apply(t.Context(), storage.Create(r)))
		sum := sumOf(t, s)
		assert.Empty(t, seen[sum], "%s looks the same", name)
		seen[sum] = name
	}
}
