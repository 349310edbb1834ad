package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/integrationhub/hub/storage"
)

func raceChecks() []check {
	return []check{
		{"race-update", "Of several racing Applies that expect the same revision of a record, one wins, the others get ErrConflict", one(checkRaceUpdate)},
		{"race-create", "Of several racing creates of one key, one wins, the others get ErrExists", one(checkRaceCreate)},
		{"race-name", "Of several racing Applies that take one name, one wins, the others get ErrExists", one(checkRaceName)},
		{"race-delete", "Of racing updates and deletes of one revision, one wins", one(checkRaceDelete)},
		{"no-lost-update", "No update is lost, however many count at once", one(checkNoLostUpdate)},
		{"readers-see-all", "Readers see all changes of an Apply or none", one(checkReadersSeeAll)},
	}
}

// racers is how many goroutines race, and rounds how often.
const (
	racers = 8
	rounds = 12
)

// race calls apply once for each racer, at once, and fails unless one wins and the others
// fail with one of the wanted errors.
func race(apply func(racer int) error, want ...error) error {
	gun := make(chan struct{})
	results := make([]error, racers)
	var done sync.WaitGroup
	for i := range racers {
		done.Go(func() {
			<-gun
			results[i] = apply(i)
		})
	}
	close(gun)
	done.Wait()
	return judge(results, want)
}

func judge(results, want []error) error {
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !isOneOf(err, want) {
			return fmt.Errorf("a loser got %v, want one that wraps %q", err, want)
		}
	}
	if won != 1 {
		return fmt.Errorf("%d of %d racers won, want 1", won, len(results))
	}
	return nil
}

func isOneOf(err error, want []error) bool {
	for _, w := range want {
		if errors.Is(err, w) {
			return true
		}
	}
	return false
}

func checkRaceUpdate(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	for n := int64(1); n <= rounds; n++ {
		err := race(func(i int) error {
			return s.Apply(ctx, storage.Update(revised("a", n+1, named(fmt.Sprint("racer ", i))), n))
		}, storage.ErrConflict)
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRaceCreate(ctx context.Context, s storage.Store) error {
	for n := range rounds {
		err := race(func(i int) error {
			return s.Apply(ctx, storage.Create(record(fmt.Sprint("a", n), named(fmt.Sprint(n, " racer ", i)))))
		}, storage.ErrExists)
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRaceName(ctx context.Context, s storage.Store) error {
	for n := range rounds {
		var owners []storage.Record
		for i := range racers / 2 {
			owners = append(owners, record(fmt.Sprint("a", n, i), named("")))
		}
		if err := create(ctx, s, owners...); err != nil {
			return err
		}
		name := named(fmt.Sprint("wanted ", n))
		err := race(func(i int) error {
			if i < len(owners) {
				return s.Apply(ctx, storage.Update(revised(owners[i].ID, 2, name), 1))
			}
			return s.Apply(ctx, storage.Create(record(fmt.Sprint("b", n, i), name)))
		}, storage.ErrExists)
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRaceDelete(ctx context.Context, s storage.Store) error {
	for n := range rounds {
		r := record(fmt.Sprint("a", n))
		if err := create(ctx, s, r); err != nil {
			return err
		}
		err := race(func(i int) error {
			if i%2 == 0 {
				return s.Apply(ctx, storage.Delete(r.Key, 1))
			}
			return s.Apply(ctx, storage.Update(revised(r.ID, 2), 1))
		}, storage.ErrConflict, storage.ErrNotFound)
		if err != nil {
			return err
		}
	}
	return nil
}

func checkNoLostUpdate(ctx context.Context, s storage.Store) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	return countTogether(ctx, record("a").Key, s)
}

// countTogether lets racers, spread over the stores, raise a record's revision ten times
// each, and fails unless it ends where it must.
func countTogether(ctx context.Context, k storage.Key, stores ...storage.Store) error {
	const each = 10
	failures := make(chan error, racers)
	var done sync.WaitGroup
	for i := range racers {
		done.Go(func() {
			for range each {
				if err := raise(ctx, stores[i%len(stores)], k); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	done.Wait()
	close(failures)
	if err := <-failures; err != nil {
		return err
	}
	r, err := stores[0].Get(ctx, k)
	if err == nil && r.Revision != 1+racers*each {
		err = fmt.Errorf("%d updates were acknowledged, the revision has risen by %d", racers*each, r.Revision-1)
	}
	return err
}

// raise adds one to a record's revision, as often as it takes to get through.
func raise(ctx context.Context, s storage.Store, k storage.Key) error {
	for {
		r, err := s.Get(ctx, k)
		if err != nil {
			return err
		}
		expect := r.Revision
		r.Revision++
		if err := s.Apply(ctx, storage.Update(r, expect)); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

func checkReadersSeeAll(ctx context.Context, s storage.Store) error {
	if err := s.Apply(ctx, batch(0)...); err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() {
		var err error
		for n := int64(1); n <= 40 && err == nil; n++ {
			err = s.Apply(ctx, batch(n)...)
		}
		written <- err
	}()
	for {
		if _, err := revisionOf(ctx, s); err != nil {
			<-written
			return err
		}
		select {
		case err := <-written:
			return err
		default:
		}
	}
}
