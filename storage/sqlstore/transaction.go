package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// write runs do in a transaction on a verified connection. All that do writes is committed
// if it returns nil, and none of it otherwise. Do may run more than once.
func (s *Store) write(ctx context.Context, do func(context.Context, executor) error) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	return s.patiently(ctx, func() error { return s.transaction(ctx, do) })
}

func (s *Store) takeTurn(ctx context.Context) error {
	if s.turn == nil {
		return ctx.Err()
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) endTurn() {
	if s.turn != nil {
		<-s.turn
	}
}

func (s *Store) transaction(ctx context.Context, do func(context.Context, executor) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := s.begin(ctx, conn); err != nil {
		return err
	}
	if err := do(ctx, conn); err != nil {
		s.rollback(ctx, conn)
		return err
	}
	return s.commit(ctx, conn)
}

func (s *Store) begin(ctx context.Context, conn *sql.Conn) error {
	if err := s.dialect.verify(ctx, conn); err != nil {
		return err
	}
	for _, text := range s.dialect.begin {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			if ctx.Err() != nil {
				// The driver may have noticed the end of ctx after the transaction began.
				s.rollback(ctx, conn)
			}
			return err
		}
	}
	return nil
}

// commit passes on the end of ctx only to a database that then finishes or undoes the commit
// by itself. Another would be left with a transaction that is half over.
func (s *Store) commit(ctx context.Context, conn *sql.Conn) error {
	if err := ctx.Err(); err != nil {
		s.rollback(ctx, conn)
		return err
	}
	during := ctx
	if !s.dialect.remote {
		during = context.WithoutCancel(ctx)
	}
	_, err := conn.ExecContext(during, "COMMIT")
	if err == nil {
		return nil
	}
	s.rollback(ctx, conn)
	if s.dialect.isBusy(err) {
		return err
	}
	return &undecidedError{err}
}

// undecidedError is the failure of a commit that may have taken place all the same, so that
// nothing may be done again.
type undecidedError struct{ err error }

func (e *undecidedError) Error() string { return fmt.Sprintf("commit: %v", e.err) }
func (e *undecidedError) Unwrap() error { return e.err }

// rollback ends the transaction. A connection that refuses (because the database has ended
// it already, or is lost) does not return to the pool, and what it left open ends with it.
func (s *Store) rollback(ctx context.Context, conn *sql.Conn) {
	if !s.dialect.remote || ctx.Err() == nil {
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
			return
		}
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

const (
	firstPause = time.Millisecond
	longPause  = 50 * time.Millisecond
)

// patiently repeats do while it fails because of a lock held elsewhere or a connection that
// was lost, until the busy timeout or the end of ctx. The waiting for locks is done here and
// not by the database since not every database ends its own waiting when ctx ends.
func (s *Store) patiently(ctx context.Context, do func() error) error {
	deadline := time.Now().Add(s.busy)
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := do()
		if err == nil || ctx.Err() != nil || !s.mayRepeat(err) || time.Until(deadline) <= 0 {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// mayRepeat reports whether what failed has changed nothing and may go well next time.
func (s *Store) mayRepeat(err error) bool {
	if _, undecided := errors.AsType[*undecidedError](err); undecided {
		return false
	}
	return s.dialect.isBusy(err) || s.dialect.remote && isLost(err)
}
