package riverqueue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// sweep is the job that ends what has no worker any more and removes what is not kept.
type sweep struct{}

// Kind implements river.JobArgs.
func (sweep) Kind() string { return "hub_sweep" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sweep) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueName, MaxAttempts: 1} }

// sweepInterval is how often River's leader has the queue swept.
const sweepInterval = time.Minute

func sweeping() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(sweepInterval),
		func() (river.JobArgs, *river.InsertOpts) { return sweep{}, nil },
		&river.PeriodicJobOpts{RunOnStart: true})
}

// sweeper sweeps.
type sweeper struct {
	river.WorkerDefaults[sweep]
	queue *Queue
}

// Work implements river.Worker.
func (s *sweeper) Work(ctx context.Context, _ *river.Job[sweep]) error {
	if err := s.queue.end(ctx); err != nil {
		return err
	}
	return s.queue.forget(ctx)
}

// end gives an outcome to calls whose jobs River has given up: canceled while their worker
// was dead, or discarded because their workers died again and again.
func (q *Queue) end(ctx context.Context) error {
	jobs := pgx.Identifier{q.opts.Schema, "river_job"}.Sanitize()
	_, err := q.pool.Exec(ctx, `UPDATE `+q.table+` SET state = 'ended', ended = now(), payload = NULL,
		outcome = CASE WHEN state = 'started' AND NOT idempotent THEN 'unknown' ELSE 'failed' END, code = $1
		WHERE id IN (SELECT c.id FROM `+q.table+` c LEFT JOIN `+jobs+` j ON j.id = c.job
			WHERE c.state <> 'ended' AND (j.id IS NULL OR j.state IN ('cancelled', 'completed', 'discarded'))
			FOR UPDATE OF c SKIP LOCKED) AND state <> 'ended'`, string(Abandoned))
	if err != nil {
		return fmt.Errorf("riverqueue: sweep: %w", err)
	}
	return nil
}

// forgottenAtOnce bounds what one statement removes.
const forgottenAtOnce = 1000

// forget removes calls that ended longer ago than they are kept.
func (q *Queue) forget(ctx context.Context) error {
	if q.opts.Retention < 0 {
		return nil
	}
	for {
		tag, err := q.pool.Exec(ctx, `DELETE FROM `+q.table+` WHERE id IN (SELECT id FROM `+q.table+`
			WHERE state = 'ended' AND ended < now() - $1::interval LIMIT $2)`, q.opts.Retention, forgottenAtOnce)
		if err != nil {
			return fmt.Errorf("riverqueue: sweep: %w", err)
		}
		if tag.RowsAffected() < forgottenAtOnce {
			return nil
		}
	}
}
