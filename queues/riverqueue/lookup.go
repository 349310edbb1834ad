package riverqueue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/integrationhub/hub"
)

// columns of an entry, without what is sealed.
const columns = `id, tenant, key, connector, request, state, outcome, code, attempts, canceled,
	enqueued, coalesce(started, 'epoch'), coalesce(ended, 'epoch')`

// row is an entry as it is stored.
type row struct {
	Entry
	id         int64
	run        string
	idempotent bool
	sealed     []byte
}

func (r *row) fields() []any {
	return []any{
		&r.id, &r.Tenant, &r.Key, &r.Connector, &r.Request, &r.State, &r.Outcome, &r.Code,
		&r.Attempts, &r.Canceled, &r.Enqueued, &r.Started, &r.Ended,
	}
}

// entry is the row as others see it: without epochs.
func (r *row) entry() *Entry {
	for _, at := range []*time.Time{&r.Started, &r.Ended} {
		if at.Unix() == 0 {
			*at = time.Time{}
		}
	}
	return &r.Entry
}

// Get returns the call of a tenant with a key: [hub.NotFound] if there is none, never was or
// is no longer kept.
func (q *Queue) Get(ctx context.Context, tenant, key string) (*Entry, error) {
	var r row
	err := q.pool.QueryRow(ctx, `SELECT `+columns+`, answer FROM `+q.table+`
		WHERE tenant = $1 AND key = $2`, tenant, key).Scan(append(r.fields(), &r.sealed)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("riverqueue: no call of the tenant has this key: %w", hub.NotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("riverqueue: %w", err)
	}
	e := r.entry()
	if r.sealed == nil {
		e.Failure = untold(e)
		return e, nil
	}
	var end ending
	if err := q.open(ctx, tenant, key, asAnswer, r.sealed, &end); err != nil {
		return nil, err
	}
	e.Answer, e.Failure = end.Answer, end.Failure
	return e, nil
}

// untold is the failure of a call that nobody was there to explain.
func untold(e *Entry) *Failure {
	switch {
	case e.State != Ended:
		return nil
	case e.Outcome == Unknown:
		return &Failure{Code: e.Code, Message: "the worker died when the call may have been sent", Sent: true}
	case e.Code == hub.Canceled:
		return &Failure{Code: e.Code, Message: "the call was canceled before it was sent"}
	}
	return &Failure{Code: e.Code, Message: "the workers died, and the call is not made again"}
}

// The pauses in which Wait looks grow from the one to the other.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = time.Second
)

// Wait returns the call of a tenant with a key once it has ended, or ctx's error.
func (q *Queue) Wait(ctx context.Context, tenant, key string) (*Entry, error) {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		e, err := q.Get(ctx, tenant, key)
		if err != nil || e.State == Ended {
			return e, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pageSize is how many entries List reads at once.
const pageSize = 200

// List yields the calls of a tenant that ended with an outcome, or of those with none yet if
// it is empty, in the order in which they were enqueued, those of one Enqueue in that of their
// keys, without their answers.
func (q *Queue) List(ctx context.Context, tenant string, outcome Outcome) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		for after := int64(0); ; {
			page, err := q.page(ctx, tenant, outcome, after)
			if err != nil {
				yield(nil, fmt.Errorf("riverqueue: %w", err))
				return
			}
			for i := range page {
				after = page[i].id
				if !yield(page[i].entry(), nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func (q *Queue) page(ctx context.Context, tenant string, outcome Outcome, after int64) ([]row, error) {
	rows, err := q.pool.Query(ctx, `SELECT `+columns+` FROM `+q.table+`
		WHERE tenant = $1 AND outcome = $2 AND id > $3 ORDER BY id LIMIT $4`, tenant, string(outcome), after, pageSize)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (row, error) {
		var out row
		err := r.Scan(out.fields()...)
		return out, err
	})
}

// Cancel ends a call of a tenant: one that was not sent fails with [hub.Canceled] at once. One
// that is under way is cancelled where it runs, which takes a moment, and its outcome is
// what is known then. Cancelling one that has ended does nothing.
func (q *Queue) Cancel(ctx context.Context, tenant, key string) error {
	var job int64
	err := pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `UPDATE `+q.table+` SET canceled = true,
			state = CASE state WHEN 'waiting' THEN 'ended' ELSE state END,
			outcome = CASE state WHEN 'waiting' THEN 'failed' ELSE outcome END,
			code = CASE state WHEN 'waiting' THEN $3 ELSE code END,
			payload = CASE state WHEN 'waiting' THEN NULL ELSE payload END,
			ended = CASE state WHEN 'waiting' THEN now() ELSE ended END
			WHERE tenant = $1 AND key = $2 AND state <> 'ended' RETURNING job`, tenant, key, string(hub.Canceled)).Scan(&job)
		if err != nil {
			return err
		}
		_, err = q.river.JobCancelTx(ctx, tx, job)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		_, err = q.Get(ctx, tenant, key)
		return err
	}
	if err != nil {
		return fmt.Errorf("riverqueue: cancel: %w", err)
	}
	return nil
}
