package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"
)

// write runs do in a transaction on a verified connection. All that do writes is committed
// if it returns nil, and none of it otherwise.
func (s *Store) write(ctx context.Context, do func(context.Context, *sql.Conn) error) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	conn, err := s.begun(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := do(ctx, conn); err != nil {
		rollback(ctx, conn)
		return err
	}
	return commit(ctx, conn)
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

// begun returns a verified connection with a transaction begun.
func (s *Store) begun(ctx context.Context) (conn *sql.Conn, err error) {
	err = s.patiently(ctx, func() error {
		if conn, err = s.db.Conn(ctx); err != nil {
			return err
		}
		if err = s.begin(ctx, conn); err != nil {
			conn.Close()
		}
		return err
	})
	return conn, err
}

func (s *Store) begin(ctx context.Context, conn *sql.Conn) error {
	if err := s.dialect.verify(ctx, conn); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, s.dialect.begin)
	if err != nil && ctx.Err() != nil {
		// The driver may have noticed the end of ctx after the transaction began.
		rollback(ctx, conn)
	}
	return err
}

// commit does not pass on the end of ctx: interrupted halfway, a commit would leave it open
// whether it took place.
func commit(ctx context.Context, conn *sql.Conn) error {
	err := ctx.Err()
	if err == nil {
		_, err = conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
	}
	if err != nil {
		rollback(ctx, conn)
	}
	return err
}

// rollback ends the transaction. A connection that refuses (because the database has ended
// it already, or is lost) does not return to the pool, and what it left open ends with it.
func rollback(ctx context.Context, conn *sql.Conn) {
	if _, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

const (
	firstPause = time.Millisecond
	longPause  = 50 * time.Millisecond
)

// patiently repeats do while it fails because of a lock held elsewhere, until the busy
// timeout or the end of ctx. The waiting is done here and not by the database since not
// every database ends its own waiting when ctx ends.
func (s *Store) patiently(ctx context.Context, do func() error) error {
	deadline := time.Now().Add(s.busy)
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := do()
		if err == nil || ctx.Err() != nil || !s.dialect.isBusy(err) || time.Until(deadline) <= 0 {
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
