package riverqueue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/queues/riverqueue"
	"github.com/integrationhub/hub/secrets"
)

// placeOrder enqueues a call together with a row of the host application: both are there, or
// neither.
func placeOrder(ctx context.Context, pool *pgxpool.Pool, q *riverqueue.Queue, id string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO orders (id) VALUES ($1)`, id); err != nil {
			return err
		}
		_, err := q.EnqueueTx(ctx, tx, "acme", hub.BatchCall{
			Key:  "order/" + id,
			Call: hub.Call{Connector: "con", Request: "post", Payload: json.RawMessage(`{"key": "` + id + `"}`)},
		})
		return err
	})
}

// workOrders makes the calls of a queue until the context ends.
func workOrders(ctx context.Context, h *hub.Hub, keys secrets.Keeper, pool *pgxpool.Pool) error {
	q, err := riverqueue.New(ctx, h, keys, pool, nil)
	if err != nil {
		return err
	}
	if err := q.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	return q.Stop(context.Background()) // waits for what is under way
}

// orderState says what became of an order.
func orderState(ctx context.Context, q *riverqueue.Queue, id string) (string, error) {
	e, err := q.Wait(ctx, "acme", "order/"+id)
	if err != nil {
		return "", err
	}
	switch e.Outcome {
	case riverqueue.Succeeded:
		return fmt.Sprint("ticket ", e.Answer.Outputs["number"]), nil
	case riverqueue.Unknown: // a person looks whether it arrived
		return "unknown: " + e.Failure.Message, nil
	default:
		return "failed: " + e.Failure.Message, nil
	}
}

func TestTheExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.srv.Handle("POST /post/17", hubtest.JSON(201, map[string]int{"number": 4}))
	_, err := w.pool.Exec(t.Context(), `CREATE TABLE orders (id text PRIMARY KEY)`)
	require.NoError(t, err)
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, nil)
	require.NoError(t, err)
	require.NoError(t, placeOrder(t.Context(), w.pool, q, "17"))
	assert.Error(t, placeOrder(t.Context(), w.pool, q, "17"))

	ctx, stop := context.WithCancel(t.Context())
	worked := make(chan error)
	go func() { worked <- workOrders(ctx, w.hub, w.keys, w.pool) }()
	state, err := orderState(t.Context(), q, "17")
	require.NoError(t, err)
	assert.Equal(t, "ticket 4", state)
	stop()
	require.NoError(t, <-worked)
	assert.Equal(t, 1, w.sent("post/17"))
}
