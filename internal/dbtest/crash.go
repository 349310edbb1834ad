package dbtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/integrationhub/hub/storage"
)

// crashRounds names the variable that says how often KillUnderLoad kills.
const crashRounds = "HUB_CRASH_ROUNDS"

const (
	defaultRounds = 20
	writers       = 4
	longestLife   = 300 * time.Millisecond
)

// KillUnderLoad kills the server at random moments, 20 times or as often as HUB_CRASH_ROUNDS
// says, while several goroutines write to a store. After each start every acknowledged write
// must be there, none may be there in part, the store that was open must go on by itself, and
// another must open.
func KillUnderLoad(t testing.TB, s *Server, open func() (storage.Store, error)) {
	t.Helper()
	store := opened(t, open)
	all := make([]*writer, writers)
	for i := range all {
		all[i] = &writer{store: store, name: strconv.Itoa(i)}
	}
	for round := range rounds(t) {
		killRound(t, s, all)
		another := opened(t, open)
		for _, w := range all {
			if err := w.inspect(t.Context(), another); err != nil {
				t.Fatalf("dbtest: round %d: writer %s: %v", round, w.name, err)
			}
			if err := w.once(t.Context()); err != nil {
				t.Fatalf("dbtest: round %d: the store that was open does not go on: %v", round, err)
			}
		}
		check(t, another.Close())
	}
	total := int64(0)
	for _, w := range all {
		check(t, w.count(t.Context()))
		total += w.acknowledged
	}
	check(t, store.Close())
	if total == 0 {
		t.Fatalf("dbtest: nothing was written")
	}
	t.Logf("%d writes in %d rounds", total, rounds(t))
}

func rounds(t testing.TB) int {
	text := os.Getenv(crashRounds)
	if text == "" {
		return defaultRounds
	}
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

func opened(t testing.TB, open func() (storage.Store, error)) storage.Store {
	t.Helper()
	store, err := open()
	check(t, err)
	return store
}

// killRound lets all write until the server dies, and starts it again.
func killRound(t testing.TB, s *Server, all []*writer) {
	t.Helper()
	var writing sync.WaitGroup
	for _, w := range all {
		writing.Go(func() { w.failure = w.write(t.Context()) })
	}
	time.Sleep(rand.N(longestLife))
	s.Kill()
	writing.Wait()
	for _, w := range all {
		for _, about := range []error{storage.ErrConflict, storage.ErrExists, storage.ErrNotFound, storage.ErrInvalid} {
			if errors.Is(w.failure, about) {
				t.Fatalf("dbtest: a write to a dead server fails with %v, which says something about records", w.failure)
			}
		}
	}
	s.Start()
}

// writer makes write after write, each of three records: its head, whose revision is the
// write's number, and two that have the number as their id.
type writer struct {
	store        storage.Store
	name         string
	acknowledged int64 // number of the last write that was acknowledged, or found after a crash
	inspected    int64 // number up to which inspect has looked
	failure      error
}

// write writes until the store fails.
func (w *writer) write(ctx context.Context) error {
	for {
		if err := w.once(ctx); err != nil {
			return err
		}
	}
}

func (w *writer) once(ctx context.Context) error {
	if err := w.store.Apply(ctx, w.changes(w.acknowledged+1)...); err != nil {
		return err
	}
	w.acknowledged++
	return nil
}

func (w *writer) head() storage.Key { return storage.Key{Tenant: w.name, Kind: "head", ID: "head"} }

// sides are the kinds of the other two records.
var sides = [...]string{"left", "right"}

func (w *writer) changes(n int64) []storage.Change {
	head := storage.Record{Key: w.head(), Revision: n}
	first := storage.Create(head)
	if n > 1 {
		first = storage.Update(head, n-1)
	}
	changes := []storage.Change{first}
	for _, kind := range sides {
		changes = append(changes, storage.Create(storage.Record{
			Key:      storage.Key{Tenant: w.name, Kind: kind, ID: strconv.FormatInt(n, 10)},
			Labels:   []storage.Label{{Key: "of", Value: kind}},
			Revision: 1,
			Data:     make([]byte, n*37%9000),
		}))
	}
	return changes
}

// inspect finds out which write is the last. It is the last acknowledged one or the one
// after it, whose acknowledgement the crash may have swallowed.
func (w *writer) inspect(ctx context.Context, s storage.Store) error {
	last := int64(0)
	head, err := s.Get(ctx, w.head())
	if err == nil {
		last = head.Revision
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if last != w.acknowledged && last != w.acknowledged+1 {
		return fmt.Errorf("write %d is the last, %d was acknowledged", last, w.acknowledged)
	}
	for n := w.inspected + 1; n <= last+1; n++ {
		for _, kind := range sides {
			_, err := s.Get(ctx, storage.Key{Tenant: w.name, Kind: kind, ID: strconv.FormatInt(n, 10)})
			if there := err == nil; there != (n <= last) {
				return fmt.Errorf("write %d is the last, of write %d the %s record: %v", last, n, kind, err)
			}
		}
	}
	w.acknowledged, w.inspected = last, last
	return nil
}

// count fails unless there are as many records as writes, by kind and by label.
func (w *writer) count(ctx context.Context) error {
	for _, kind := range sides {
		for _, labels := range [][]storage.Label{nil, {{Key: "of", Value: kind}}} {
			q := storage.Query{Tenant: w.name, Kind: kind, Labels: labels, Limit: storage.MaxPage}
			n := int64(0)
			for more := true; more; more = q.After != "" {
				page, err := w.store.List(ctx, q)
				if err != nil {
					return err
				}
				n += int64(len(page.Records))
				q.After = page.Next
			}
			if n != w.acknowledged {
				return fmt.Errorf("%d records of kind %s, want %d", n, kind, w.acknowledged)
			}
		}
	}
	return nil
}
