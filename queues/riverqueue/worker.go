package riverqueue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/integrationhub/hub"
)

// job is what River knows of a call.
type job struct {
	ID int64 `json:"id"`
}

// Kind implements river.JobArgs.
func (job) Kind() string { return "hub_call" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (job) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueName} }

// worker makes calls.
type worker struct {
	river.WorkerDefaults[job]
	queue *Queue
}

// The pauses after a job that failed, or whose worker died.
const longestRescue = time.Minute

// NextRetry implements river.Worker: what failed there is the database or the keeper, and a
// call waits for them.
func (w *worker) NextRetry(j *river.Job[job]) time.Time {
	return time.Now().Add(min(time.Second<<min(j.Attempt, 10), longestRescue) - time.Second)
}

// The points at which tests kill a worker.
const (
	beforeMark    = "before the mark"
	afterMark     = "after the mark"
	beforeOutcome = "before the outcome"
	afterOutcome  = "after the outcome"
)

// errSuperseded tells that the call is another's by now, or has ended.
var errSuperseded = errors.New("riverqueue: the call is no longer this worker's")

// attempt is one worker's hold of a call.
type attempt struct {
	*Queue
	row
	request request
	runs    []string // the names of holds that are this worker's
	marked  bool     // by this worker
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, j *river.Job[job]) error {
	a := &attempt{Queue: w.queue}
	err := a.load(ctx, j.Args.ID)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && a.State == Ended:
		return nil
	case err != nil:
		return err
	case a.State == Started && !a.idempotent:
		return a.lost(ctx)
	}
	if err := a.open(ctx, a.Tenant, a.Key, asPayload, a.sealed, &a.request); err != nil {
		return err
	}
	res, err := a.hub.Tenant(a.Tenant).Execute(ctx, hub.Call{
		NoSubstitute:   true, // it can be made again
		Connector:      a.Connector,
		Request:        a.Request,
		Payload:        a.request.Payload,
		IdempotencyKey: a.request.IdempotencyKey,
		BeforeSend:     a.mark,
	})
	if errors.Is(err, errSuperseded) {
		return nil
	}
	a.opts.at(beforeOutcome, a.Key)
	err = a.conclude(ctx, res, err)
	a.opts.at(afterOutcome, a.Key)
	return err
}

// load reads the call.
func (a *attempt) load(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, statementTime)
	defer cancel()
	err := a.pool.QueryRow(ctx, `SELECT `+columns+`, run, idempotent, payload FROM `+a.table+` WHERE id = $1`, id).
		Scan(append(a.fields(), &a.run, &a.idempotent, &a.sealed)...)
	a.runs = []string{a.run}
	return err
}

// durably makes a commit wait for the disk, whatever the database's default is: neither a
// mark nor what was enqueued may be lost when the server dies. What is written after them
// may: then the mark remains.
const durably = `set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`

// mark writes down, and commits, that the call is about to be sent.
func (a *attempt) mark(ctx context.Context, s hub.Sending) error {
	a.opts.at(beforeMark, a.Key)
	run := a.rename() // also if the commit succeeds and its answer is lost
	tag, err := a.pool.Exec(ctx, `WITH durable AS (SELECT `+durably+`) UPDATE `+a.table+` SET
		state = 'started', run = $3, idempotent = $4, started = now() FROM durable
		WHERE id = $1 AND run = $2 AND state <> 'ended' AND NOT canceled`, a.id, a.run, run, s.Idempotent)
	if err != nil {
		return fmt.Errorf("riverqueue: mark: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errSuperseded
	}
	a.idempotent, a.marked = s.Idempotent, true
	a.opts.at(afterMark, a.Key)
	return nil
}

// rename makes another name for this worker's hold.
func (a *attempt) rename() string {
	run := rand.Text()
	a.runs = append(a.runs, run)
	return run
}

// lost is the end of a call whose worker died, or is so slow that River takes it for dead.
// That one may still write down what it learns.
func (a *attempt) lost(ctx context.Context) error {
	_, err := a.write(ctx, `state = 'ended', outcome = 'unknown', code = $3, payload = NULL, ended = now()`,
		`state <> 'ended'`, string(Abandoned))
	return err
}

// patience bounds how long the outcome of a call is tried to be written down, and pause lies
// between two tries. One try has statementTime.
const (
	patience      = 30 * time.Second
	statementTime = 5 * time.Second
	pause         = 100 * time.Millisecond
)

// write changes the call if it is this worker's and a condition holds, also when ctx has ended:
// what it says is known now, and by nobody else. If it cannot, the mark remains.
func (a *attempt) write(ctx context.Context, set, where string, args ...any) (written bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	statement := `UPDATE ` + a.table + ` SET ` + set + ` WHERE id = $1 AND run = ANY ($2) AND (` + where + `)`
	for {
		written, err := a.try(ctx, statement, args)
		if err == nil {
			return written, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false, fmt.Errorf("riverqueue: write: %w", err)
		}
	}
}

// try executes a statement about the call, once. If nothing comes back, the network may have
// forgotten the connection, and then all others with it: the next try has a new one.
func (a *attempt) try(ctx context.Context, statement string, args []any) (written bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, statementTime)
	defer cancel()
	tag, err := a.pool.Exec(ctx, statement, append([]any{a.id, a.runs}, args...)...)
	if ctx.Err() != nil {
		a.pool.Reset()
	}
	return err == nil && tag.RowsAffected() > 0, err
}
