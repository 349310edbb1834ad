//go:build unix

package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

// crashRounds names the variable that says how often TestKilledWriter kills.
const crashRounds = "HUB_CRASH_ROUNDS"

// perFile is after how many rounds a new file is begun, so that looking through all that
// was written stays quick.
const perFile = 20

// A writer is killed at random moments, again and again on one file. No write that it
// acknowledged may be missing, none may be there in part, and every opening succeeds.
func TestKilledWriter(t *testing.T) {
	var path string
	var before, total int64 // writes in this file, and in all
	for round := range rounds(t) {
		if round%perFile == 0 {
			path, before = filepath.Join(t.TempDir(), "hub.db"), 0
		}
		acknowledged := killWriter(t, path)
		now := inspect(t, path)
		require.GreaterOrEqual(t, now, max(acknowledged, before), "round %d: an acknowledged write is lost", round)
		total += now - before
		before = now
	}
	require.Positive(t, total)
	t.Logf("%d writes in %d rounds", total, rounds(t))
}

func rounds(t *testing.T) int {
	text := os.Getenv(crashRounds)
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, crashRounds)
	return n
}

// killWriter runs a writer for a while and returns the number of the last write that it
// acknowledged, 0 if none.
func killWriter(t *testing.T, path string) (last int64) {
	cmd := child(t, "writer", path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	require.NoError(t, cmd.Start())
	killer := time.AfterFunc(rand.N(250*time.Millisecond), func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			assert.ErrorIs(t, err, io.EOF)
			break // what has no newline is no acknowledgement
		}
		_, err = fmt.Sscanf(line, "wrote %d\n", &last)
		require.NoError(t, err)
	}
	err = cmd.Wait()
	require.ErrorContains(t, err, "killed", complaint.String())
	return last
}

func head() storage.Key { return storage.Key{Kind: "head", ID: "head"} }

// writeUntilKilled makes write after write and prints the number of each when it is
// acknowledged. A write consists of three records, one of them the head, whose revision
// is the write's number.
func writeUntilKilled(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	n := int64(0)
	if r, err := s.Get(ctx, head()); err == nil {
		n = r.Revision
	}
	for {
		if err := s.Apply(ctx, entries(n+1)...); err != nil {
			return err
		}
		n++
		fmt.Println("wrote", n)
	}
}

func entries(n int64) []storage.Change {
	first := storage.Create(storage.Record{Key: head(), Revision: n})
	if n > 1 {
		first = storage.Update(storage.Record{Key: head(), Revision: n}, n-1)
	}
	changes := []storage.Change{first}
	for _, kind := range []string{"left", "right"} {
		changes = append(changes, storage.Create(storage.Record{
			Key:      storage.Key{Kind: kind, ID: strconv.FormatInt(n, 10)},
			Labels:   []storage.Label{{Key: "of", Value: kind}},
			Revision: 1,
			Data:     make([]byte, n*37%6000),
		}))
	}
	return changes
}

// inspect opens the file, checks that writes are there whole, and returns how many.
func inspect(t *testing.T, path string) int64 {
	requireIntact(t, path)
	s, err := sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	n := int64(0)
	r, err := s.Get(t.Context(), head())
	if err == nil {
		n = r.Revision
	} else {
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	for _, kind := range []string{"left", "right"} {
		byLabel := storage.Query{Kind: kind, Labels: []storage.Label{{Key: "of", Value: kind}}, Limit: storage.MaxPage}
		for _, q := range []storage.Query{byLabel, {Kind: kind, Limit: storage.MaxPage}} {
			require.EqualValues(t, n, count(t, s, q), "records of kind %q", kind)
		}
	}
	return n
}

func count(t *testing.T, s storage.Store, q storage.Query) (n int) {
	for {
		page, err := s.List(t.Context(), q)
		require.NoError(t, err)
		n += len(page.Records)
		if page.Next == "" {
			return n
		}
		q.After = page.Next
	}
}

// requireIntact lets SQLite itself check the file.
func requireIntact(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	var verdict string
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
	require.Equal(t, "ok", verdict)
}
