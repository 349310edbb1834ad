package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
)

func open(t *testing.T, server *dbtest.Server, opts *postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), server.DSN(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func record(id string) storage.Record {
	return storage.Record{Key: storage.Key{Kind: "thing", ID: id}, Revision: 1}
}

// watching begins to watch and returns what it hears, the zero Key of the beginning apart.
func watching(t *testing.T, s *postgres.Store) <-chan storage.Key {
	t.Helper()
	heard := make(chan storage.Key, 10_000)
	ended := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- s.Watch(ctx, func(k storage.Key) { heard <- k }) }()
	t.Cleanup(func() {
		cancel()
		assert.ErrorIs(t, <-ended, context.Canceled)
	})
	require.Zero(t, <-heard)
	return heard
}

func TestWatch(t *testing.T) {
	server := dbtest.Postgres(t)
	for name, test := range map[string]func(*testing.T, *dbtest.Server){
		"changes of another store":        hearAnother,
		"a failed Apply is not told":      hearNoFailure,
		"odd keys":                        hearOddKeys,
		"other prefixes are not heard":    hearOwnPrefix,
		"after an interruption":           hearAfterInterruption,
		"ends of ctx and store":           endWatch,
		"last changes of a closing store": hearLastWords,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// fresh returns options for tables that nobody else has.
func fresh(t *testing.T) *postgres.Options {
	return &postgres.Options{TablePrefix: prefix(t.Name())}
}

func hearAnother(t *testing.T, server *dbtest.Server) {
	a, b := open(t, server, fresh(t)), open(t, server, fresh(t))
	heard := watching(t, b)
	r := record("a")
	r.Revision = 2
	for _, c := range []storage.Change{storage.Create(record("a")), storage.Update(r, 1), storage.Delete(r.Key, 2)} {
		require.NoError(t, a.Apply(t.Context(), c))
		assert.Equal(t, r.Key, <-heard)
	}
}

func hearNoFailure(t *testing.T, server *dbtest.Server) {
	s := open(t, server, fresh(t))
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("a"))))
	heard := watching(t, s)
	require.ErrorIs(t, s.Apply(t.Context(), storage.Create(record("a"))), storage.ErrExists)
	require.NoError(t, s.Apply(t.Context(), storage.Create(record("b"))))
	for k := range heard { // the first notice may come late, and be heard too
		if k.ID == "b" {
			break
		}
		assert.Equal(t, "a", k.ID)
	}
	assert.Empty(t, heard)
}

func hearOddKeys(t *testing.T, server *dbtest.Server) {
	s := open(t, server, fresh(t))
	heard := watching(t, s)
	want := make(map[storage.Key]bool)
	var changes []storage.Change
	for i := range storage.MaxChanges {
		k := storage.Key{
			Tenant: strings.Repeat("\xff", storage.MaxKeyPart),
			Kind:   strings.Repeat("'", storage.MaxKeyPart),
			ID:     strings.Repeat(string(rune('ā'+i)), storage.MaxKeyPart/2),
		}
		want[k] = true
		changes = append(changes, storage.Create(storage.Record{Key: k, Revision: 1}))
	}
	require.NoError(t, s.Apply(t.Context(), changes...))
	for len(want) > 0 {
		k := <-heard
		require.Contains(t, want, k)
		delete(want, k)
	}
}

func hearOwnPrefix(t *testing.T, server *dbtest.Server) {
	mine := open(t, server, fresh(t))
	other := open(t, server, &postgres.Options{TablePrefix: prefix(t.Name() + " other")})
	heard := watching(t, mine)
	require.NoError(t, other.Apply(t.Context(), storage.Create(record("theirs"))))
	require.NoError(t, other.Close()) // has sent it
	require.NoError(t, mine.Apply(t.Context(), storage.Create(record("mine"))))
	assert.Equal(t, "mine", (<-heard).ID)
}

// The zero Key says that something may have been missed.
func hearAfterInterruption(t *testing.T, server *dbtest.Server) {
	s := open(t, server, fresh(t))
	heard := watching(t, s)
	for _, id := range []string{"a", "b"} {
		server.Kill()
		server.Start()
		require.Zero(t, <-heard)
		require.NoError(t, s.Apply(t.Context(), storage.Create(record(id))))
		for k := range heard { // or again "any": the notice of the round before did not go out
			if k.ID == id {
				break
			}
		}
	}
}

func endWatch(t *testing.T, server *dbtest.Server) {
	s := open(t, server, fresh(t))
	ignore := func(storage.Key) {}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	assert.ErrorIs(t, s.Watch(ctx, ignore), context.Canceled, "ctx.Err(), not its cause")

	ended := make(chan error)
	began := make(chan struct{}, 1)
	go func() { ended <- s.Watch(t.Context(), func(storage.Key) { began <- struct{}{} }) }()
	<-began
	require.NoError(t, s.Close())
	assert.ErrorIs(t, <-ended, storage.ErrClosed)
	assert.ErrorIs(t, s.Watch(t.Context(), ignore), storage.ErrClosed)
}

func hearLastWords(t *testing.T, server *dbtest.Server) {
	a, b := open(t, server, fresh(t)), open(t, server, fresh(t))
	heard := watching(t, b)
	require.NoError(t, a.Apply(t.Context(), storage.Create(record("last"))))
	require.NoError(t, a.Close())
	assert.Equal(t, "last", (<-heard).ID)
}
