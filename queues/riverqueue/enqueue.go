package riverqueue

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/integrationhub/hub"
)

// maxName bounds keys and names, in bytes.
const maxName = 255

// enqueuedAtOnce bounds what one round trip carries.
const enqueuedAtOnce = 500

// Enqueue adds calls of a tenant to the queue, all or none, and returns how many were new: a
// call whose key is there already, ended or not, stays as it is, and of several with one key
// the first counts. It is durable when Enqueue returns. Nothing of a call is checked but its
// names, and that it can be kept, as one with Files cannot: what is wrong with it is its outcome.
func (q *Queue) Enqueue(ctx context.Context, tenant string, calls ...hub.BatchCall) (added int, err error) {
	err = pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT `+durably); err != nil {
			return fmt.Errorf("riverqueue: enqueue: %w", err)
		}
		added, err = q.EnqueueTx(ctx, tx, tenant, calls...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// EnqueueTx is [Queue.Enqueue] inside a transaction of the host application, on the database
// of the queue's pool: the calls are there once it commits.
func (q *Queue) EnqueueTx(ctx context.Context, tx pgx.Tx, tenant string, calls ...hub.BatchCall) (added int, err error) {
	for i, call := range calls {
		if err := check(tenant, call); err != nil {
			return 0, fmt.Errorf("riverqueue: call %d: %w: %w", i, hub.Invalid, err)
		}
	}
	// In the order of their keys, so that two who enqueue the same do not wait for each other.
	calls = slices.SortedStableFunc(slices.Values(calls), func(a, b hub.BatchCall) int { return cmp.Compare(a.Key, b.Key) })
	for some := range slices.Chunk(calls, enqueuedAtOnce) {
		n, err := q.enqueue(ctx, tx, tenant, some)
		if err != nil {
			return 0, err
		}
		added += n
	}
	return added, nil
}

func (q *Queue) enqueue(ctx context.Context, tx pgx.Tx, tenant string, calls []hub.BatchCall) (int, error) {
	ids, err := q.insert(ctx, tx, tenant, calls)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	params := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		params[i].Args = job{ID: id}
	}
	inserted, err := q.river.InsertManyTx(ctx, tx, params)
	if err != nil {
		return 0, fmt.Errorf("riverqueue: enqueue: %w", err)
	}
	jobs := make([]int64, len(inserted))
	for i, r := range inserted {
		jobs[i] = r.Job.ID
	}
	_, err = tx.Exec(ctx, `UPDATE `+q.table+` c SET job = j.job
		FROM unnest($1::bigint[], $2::bigint[]) AS j (id, job) WHERE c.id = j.id`, ids, jobs)
	if err != nil {
		return 0, fmt.Errorf("riverqueue: enqueue: %w", err)
	}
	return len(ids), nil
}

// insert returns the ids of those that are new.
func (q *Queue) insert(ctx context.Context, tx pgx.Tx, tenant string, calls []hub.BatchCall) ([]int64, error) {
	batch := &pgx.Batch{}
	var ids []int64
	for _, call := range calls {
		sealed := request{Payload: call.Payload, IdempotencyKey: call.IdempotencyKey}
		if sealed.IdempotencyKey == "" {
			sealed.IdempotencyKey = rand.Text()
		}
		payload, err := q.seal(ctx, tenant, call.Key, asPayload, sealed)
		if err != nil {
			return nil, err
		}
		batch.Queue(`INSERT INTO `+q.table+` (tenant, key, connector, request, payload, payload_key)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, key) DO NOTHING RETURNING id`,
			tenant, call.Key, call.Connector, call.Request, payload.data, payload.keyID).
			QueryRow(func(row pgx.Row) error {
				var id int64
				err := row.Scan(&id)
				if errors.Is(err, pgx.ErrNoRows) {
					return nil
				}
				ids = append(ids, id)
				return err
			})
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("riverqueue: enqueue: %w", err)
	}
	return ids, nil
}

func check(tenant string, call hub.BatchCall) error {
	if call.Key == "" {
		return errors.New("it needs a key")
	}
	if call.BeforeSend != nil {
		return errors.New("BeforeSend is the queue's own")
	}
	if len(call.Files) > 0 {
		return errors.New("its Files do not outlive the process")
	}
	for _, f := range []struct{ name, value string }{
		{"tenant", tenant}, {"key", call.Key}, {"connector", call.Connector}, {"request", call.Request},
	} {
		if len(f.value) > maxName || !utf8.ValidString(f.value) || strings.ContainsFunc(f.value, unicode.IsControl) {
			return fmt.Errorf("its %s must be at most %d bytes of UTF-8 without control characters", f.name, maxName)
		}
	}
	if len(call.Payload) > 0 && !json.Valid(call.Payload) {
		return errors.New("its payload is not JSON")
	}
	return nil
}
