package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
)

// counts is how often each process counts.
const counts = 50

// No update is lost between processes that change one record.
func TestProcessesLoseNoUpdate(t *testing.T) {
	server := dbtest.Postgres(t)
	s := open(t, server, nil)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("counter"))))
	children := []*exec.Cmd{child(t, "counter", server.DSN()), child(t, "counter", server.DSN())}
	for _, c := range children {
		require.NoError(t, c.Start())
	}
	assert.NoError(t, countUp(t.Context(), s))
	for _, c := range children {
		assert.NoError(t, c.Wait())
	}
	r, err := s.Get(t.Context(), record("counter").Key)
	require.NoError(t, err)
	assert.EqualValues(t, 1+counts*(1+len(children)), r.Revision)
}

// countUp adds one to the revision of the counter, again and again.
func countUp(ctx context.Context, s *postgres.Store) error {
	for n := 0; n < counts; {
		r, err := s.Get(ctx, record("counter").Key)
		if err != nil {
			return err
		}
		r.Revision++
		err = s.Apply(ctx, storage.Update(r, r.Revision-1))
		switch {
		case err == nil:
			n++
		case !errors.Is(err, storage.ErrConflict):
			return err
		}
	}
	return nil
}

// A process hears of the changes that another makes. How soon is for the log: a machine may
// be busy.
func TestProcessesHearOfEachOther(t *testing.T) {
	server := dbtest.Postgres(t)
	s := open(t, server, nil)
	listener := child(t, "watcher", server.DSN())
	in, err := listener.StdinPipe()
	require.NoError(t, err)
	out, err := listener.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, listener.Start())
	lines := bufio.NewScanner(out)
	hear := func(want storage.Key) {
		t.Helper()
		require.True(t, lines.Scan(), lines.Err())
		require.Equal(t, want.ID, lines.Text())
	}
	hear(storage.Key{})
	var delays []time.Duration
	for n := range 25 {
		r := record(fmt.Sprint("edited ", n))
		require.NoError(t, s.Apply(t.Context(), storage.Create(r)))
		committed := time.Now()
		hear(r.Key)
		delays = append(delays, time.Since(committed))
	}
	require.NoError(t, in.Close())
	require.NoError(t, listener.Wait())
	slices.Sort(delays)
	t.Logf("heard after %v (median), %v (longest)", delays[len(delays)/2], delays[len(delays)-1])
}

// printChanges prints the id of each record that changes, until its input ends.
func printChanges(ctx context.Context, s *postgres.Store) error {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		var line string
		_, _ = fmt.Scanln(&line)
	}()
	err := s.Watch(ctx, func(k storage.Key) { fmt.Println(k.ID) })
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
