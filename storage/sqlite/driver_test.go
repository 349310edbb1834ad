package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	moderncsqlite "modernc.org/sqlite"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// scripted is a connector through which a test sees every statement, and may do something
// else in its place.
type scripted struct {
	driver.Connector
	mu   sync.Mutex // guards step and seen
	step func(text string, run func() error) error
	seen []query
}

type query struct {
	text string
	args []driver.NamedValue
}

// newScripted returns the connector of a new file, and a pool of one connection through it.
func newScripted(t *testing.T) (*scripted, *sql.DB) {
	base, err := moderncsqlite.NewConnector(dsn(newPath(t), safe...))
	require.NoError(t, err)
	s := &scripted{Connector: base}
	db := sql.OpenDB(s)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return s, db
}

// at lets step stand in for the next statement that begins with text.
func (s *scripted) at(text string, step func(run func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step = func(is string, run func() error) error {
		if !strings.HasPrefix(is, text) {
			return run()
		}
		s.step = nil
		return step(run)
	}
}

func (s *scripted) pass(text string, args []driver.NamedValue, run func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, query{text, args})
	if s.step == nil {
		return run()
	}
	return s.step(text, run)
}

// forget returns what was seen since the last time.
func (s *scripted) forget() []query {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

func (s *scripted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	return &scriptedConn{conn, s}, err
}

type scriptedConn struct {
	driver.Conn
	script *scripted
}

func (c *scriptedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = c.script.pass(text, args, func() (err error) {
		rows, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
		return err
	})
	return rows, err
}

func (c *scriptedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (res driver.Result, err error) {
	err = c.script.pass(text, args, func() (err error) {
		res, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
		return err
	})
	return res, err
}

var errDriver = errors.New("the driver's own words")

// Whatever a statement of a transaction does, the only connection of the pool is in
// working order afterwards, and the change was made wholly or not at all.
func TestInterruptedTransaction(t *testing.T) {
	for name, c := range map[string]struct {
		at   string
		step func(cancel func(), run func() error) error
		want error
	}{
		"ctx ends before the commit": {"INSERT", func(cancel func(), run func() error) error {
			defer cancel()
			return run()
		}, context.Canceled},
		"ctx ends at the commit": {"COMMIT", func(cancel func(), run func() error) error {
			cancel()
			return run()
		}, nil},
		"ctx ends as the transaction begins": {"BEGIN", func(cancel func(), run func() error) error {
			err := run()
			cancel()
			return errors.Join(err, errDriver)
		}, context.Canceled},
		"the commit fails":  {"COMMIT", func(func(), func() error) error { return errDriver }, errDriver},
		"a statement fails": {"INSERT", func(func(), func() error) error { return errDriver }, errDriver},
	} {
		t.Run(name, func(t *testing.T) {
			script, db := newScripted(t)
			s := newHostStore(t, db)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			script.at(c.at, func(run func() error) error { return c.step(cancel, run) })
			err := s.Apply(ctx, storage.Create(record("a")))
			assert.ErrorIs(t, err, c.want)

			_, err = s.Get(t.Context(), record("a").Key)
			if c.want == nil {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, storage.ErrNotFound)
			}
			assert.NoError(t, s.Apply(t.Context(), storage.Create(record("b"))))
		})
	}
}

// A connection that cannot be rolled back does not return to the pool.
func TestLostConnection(t *testing.T) {
	script, db := newScripted(t)
	s := newHostStore(t, db)
	script.at("INSERT", func(func() error) error {
		script.step = func(text string, run func() error) error {
			if text != "ROLLBACK" {
				return run()
			}
			script.step = nil
			return errDriver
		}
		return errDriver
	})
	assert.ErrorIs(t, s.Apply(t.Context(), storage.Create(record("a"))), errDriver)
	assert.NoError(t, s.Apply(t.Context(), storage.Create(record("b"))))
}

// The end of a ctx is told as such, whatever the driver calls it.
func TestEndOfContextInTheDriversWords(t *testing.T) {
	script, db := newScripted(t)
	s := newHostStore(t, db)
	for name, call := range map[string]func(context.Context) error{
		"Get": func(ctx context.Context) error { _, err := s.Get(ctx, record("a").Key); return err },
		"List": func(ctx context.Context) error {
			_, err := s.List(ctx, storage.Query{Kind: "thing"})
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		script.at("SELECT", func(func() error) error {
			cancel()
			return errDriver
		})
		assert.ErrorIs(t, call(ctx), context.Canceled, name)
		cancel()
	}
}

// Without any waiting for locks, no write of one store meets one: they take turns.
func TestWritersOfOneStoreTakeTurns(t *testing.T) {
	db := hostPool(t, newPath(t), append([]string{"busy_timeout(0)"}, safe...)...)
	s, err := sqlstore.New(t.Context(), db, sqlstore.SQLite(), &sqlstore.Options{BusyTimeout: -1})
	require.NoError(t, err)
	var writers sync.WaitGroup
	for _, writer := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		writers.Go(func() {
			for range 10 {
				writer += "x"
				assert.NoError(t, s.Apply(t.Context(), storage.Create(record(writer))))
			}
		})
	}
	writers.Wait()
}
