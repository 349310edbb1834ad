//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// bulk returns the changes that take the counter from n to n+1 and add a large record.
func bulk(n int64) []storage.Change {
	counter := record("counter")
	counter.Revision = n + 1
	first := storage.Update(counter, n)
	if n == 0 {
		first = storage.Create(counter)
	}
	large := record(fmt.Sprint("large ", n))
	large.Data = make([]byte, 100_000)
	return []storage.Change{first, storage.Create(large)}
}

// fill writes from n on until a write fails, and returns how many got through.
func fill(ctx context.Context, s storage.Store, n, most int64) (int64, error) {
	for ; n < most; n++ {
		if err := s.Apply(ctx, bulk(n)...); err != nil {
			return n, err
		}
	}
	return n, nil
}

// whole fails unless exactly n writes are there, none in part.
func whole(ctx context.Context, s storage.Store, n int64) error {
	page, err := s.List(ctx, storage.Query{Kind: "thing", Limit: storage.MaxPage})
	if err != nil {
		return err
	}
	counter, err := s.Get(ctx, record("counter").Key)
	if err != nil {
		return err
	}
	if counter.Revision != n || int64(len(page.Records)) != n+1 {
		return fmt.Errorf("%d writes were acknowledged; the counter says %d, and there are %d records", n, counter.Revision, len(page.Records)-1)
	}
	return nil
}

// A database that may not grow refuses writes, keeps what it has, and works on when it may.
func TestFullDatabase(t *testing.T) {
	path := newPath(t)
	db := hostPool(t, path, "journal_mode(wal)", "synchronous(full)")
	db.SetMaxOpenConns(1)
	s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), nil)
	require.NoError(t, err)
	_, err = db.Exec("PRAGMA max_page_count = 200")
	require.NoError(t, err)

	n, err := fill(t.Context(), s, 0, 1000)
	assert.ErrorContains(t, err, "database or disk is full")
	require.Positive(t, n)
	require.NoError(t, whole(t.Context(), s, n))
	_, err = db.Exec("PRAGMA max_page_count = 100000")
	require.NoError(t, err)
	n, err = fill(t.Context(), s, n, n+10)
	require.NoError(t, err)
	require.NoError(t, whole(t.Context(), s, n))
	requireIntact(t, path)
}

func TestSmallDisk(t *testing.T) {
	path := newPath(t)
	out, err := child(t, "small disk", path).CombinedOutput()
	require.NoError(t, err, string(out))
	requireIntact(t, path)
}

// fillSmallDisk is a child whose files may not grow beyond a limit, which is how a disk
// without space looks to SQLite: writes to a file fail.
func fillSmallDisk(ctx context.Context, path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	var none syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &none); err != nil {
		return err
	}
	low := none
	low.Cur = 1 << 20
	n := int64(0)
	for range 3 {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low); err != nil {
			return err
		}
		if n, err = fill(ctx, s, n, 1000); err == nil {
			return errors.New("the disk never became full")
		}
		if err := whole(ctx, s, n); err != nil {
			return fmt.Errorf("on a full disk: %w", err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &none); err != nil {
			return err
		}
		if n, err = fill(ctx, s, n, n+5); err != nil {
			return fmt.Errorf("when there is space again: %w", err)
		}
		if err := whole(ctx, s, n); err != nil {
			return err
		}
		low.Cur += 2 << 20
	}
	return nil
}
