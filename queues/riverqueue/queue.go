package riverqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
)

// Options are the choices of [New]. Nil and the zero value of each field mean the default
// written on it.
type Options struct {
	// Schema holds the tables, River's among them: "hub_queue". Small letters, digits and
	// underscores, at most 40.
	Schema string
	// NoMigrate leaves the tables alone: [Migrate] was called with a role that may make
	// them. False: New makes those that are missing.
	NoMigrate bool

	// Workers is the most calls under way at once in this process: 16. More than
	// hub.Limits.ConnectorCalls fill the queue in which other callers wait.
	Workers int
	// CallTimeout bounds one call, waiting in the hub included: 3 min. It must exceed the
	// timeouts of the hub's requests. The calls of a worker that died are taken up a
	// minute after it.
	CallTimeout time.Duration
	// Attempts is the most often a call is made: 5. The attempts within a call, which
	// Retry.Attempts bounds, count as one.
	Attempts int
	// Pause lies before a call is made again that counts as an attempt, unless the third
	// party named a time: 5 s at first, doubled each time up to 10 min, and random by half.
	Pause time.Duration
	// MaxAge is how long after it was enqueued a call may be made again: 24 h. One that
	// could not be before has ended. Negative: for ever.
	MaxAge time.Duration
	// Retention is how long outcomes and answers are kept: 7 days. Negative: for ever.
	Retention time.Duration
	// AnswerBytes is the largest body that is kept with its outcome; of a larger one
	// remain status, headers and outputs: 1 MiB. Negative: none is kept.
	AnswerBytes int

	// Logger receives what River has to say: nil: nothing is logged.
	Logger *slog.Logger

	configure func(*river.Config)     // for tests
	at        func(point, key string) // for tests: where workers die
}

// The name of the queue among River's, and how long after CallTimeout a call counts as
// abandoned.
const (
	queueName = "hub"
	grace     = time.Minute
)

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Schema == "" {
		out.Schema = "hub_queue"
	}
	if !schemaName.MatchString(out.Schema) {
		return out, errors.New("riverqueue: Options.Schema: must be small letters, digits and underscores, at most 40")
	}
	if out.CallTimeout < 0 || out.Workers < 0 || out.Attempts < 0 || out.Pause < 0 {
		return out, errors.New("riverqueue: Options.CallTimeout, Workers, Attempts and Pause must not be negative")
	}
	set(&out.Workers, 16)
	set(&out.CallTimeout, 3*time.Minute)
	set(&out.Attempts, 5)
	set(&out.Pause, 5*time.Second)
	set(&out.MaxAge, 24*time.Hour)
	set(&out.Retention, 7*24*time.Hour)
	set(&out.AnswerBytes, 1<<20)
	if out.Logger == nil {
		out.Logger = slog.New(slog.DiscardHandler)
	}
	if out.at == nil {
		out.at = func(string, string) {}
	}
	return out, nil
}

func set[N int | time.Duration](n *N, def N) {
	if *n == 0 {
		*n = def
	}
}

// Queue makes the calls of a hub that are enqueued in a PostgreSQL database. It is safe for
// concurrent use, and any number of processes may have queues on the same schema, with hubs
// on the same store and keepers that hold the same keys.
type Queue struct {
	hub    *hub.Hub
	keeper secrets.Keeper
	pool   *pgxpool.Pool
	river  *river.Client[pgx.Tx]
	opts   Options
	table  string // of the calls, with its schema
}

// New returns a queue for the calls of a hub. Keeper seals what is kept of them. Hub, keeper and
// pool stay the caller's: it closes them after [Queue.Stop]. When the database is silent for
// 5 s while an outcome is written down, the pool makes its connections anew. A queue that is
// not started enqueues and tells of outcomes.
func New(ctx context.Context, h *hub.Hub, keeper secrets.Keeper, pool *pgxpool.Pool, opts *Options) (*Queue, error) {
	if h == nil || keeper == nil || pool == nil {
		return nil, errors.New("riverqueue: New needs a hub, a keeper of keys and a pool")
	}
	if pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, errors.New("riverqueue: the pool has default_query_exec_mode = simple_protocol, which makes values part of statements: choose another")
	}
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if !o.NoMigrate {
		if err := Migrate(ctx, pool, o.Schema); err != nil {
			return nil, err
		}
	}
	q := &Queue{hub: h, keeper: keeper, pool: pool, opts: o, table: tableOf(o.Schema)}
	if q.river, err = river.NewClient(riverpgxv5.New(pool), q.config()); err != nil {
		return nil, fmt.Errorf("riverqueue: %w", err)
	}
	return q, nil
}

// config is River's part of the options.
func (q *Queue) config() *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{queue: q})
	river.AddWorker(workers, &sweeper{queue: q})
	config := &river.Config{
		Schema:               q.opts.Schema,
		Queues:               map[string]river.QueueConfig{queueName: {MaxWorkers: q.opts.Workers}},
		Workers:              workers,
		JobTimeout:           q.opts.CallTimeout,
		RescueStuckJobsAfter: q.opts.CallTimeout + grace,
		Logger:               q.opts.Logger,
		PeriodicJobs:         []*river.PeriodicJob{sweeping()},
	}
	if q.opts.configure != nil {
		q.opts.configure(config)
	}
	return config
}

// Start begins to work. It returns once the queue works, or with the reason why it cannot.
// When ctx ends, what is under way is cancelled; [Queue.Stop] is gentler.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.river.Start(ctx); err != nil {
		return fmt.Errorf("riverqueue: start: %w", err)
	}
	return nil
}

// stopTimeout bounds the writing down of what was cancelled.
const stopTimeout = 30 * time.Second

// Stop takes up no further calls and waits until those under way have ended. When ctx ends
// first, they are cancelled, their outcomes are written down, and Stop returns ctx's error.
// Calls that were not sent yet go back to the queue.
func (q *Queue) Stop(ctx context.Context) error {
	err := q.river.Stop(ctx)
	if err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return errors.Join(err, q.river.StopAndCancel(hard))
}
