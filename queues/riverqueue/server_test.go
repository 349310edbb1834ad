package riverqueue_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/queues/riverqueue"
)

// The database dies while a call is between its mark and the third party, and its commits do
// not wait for the disk by default. The call and its mark are there when it comes back, and
// the worker that waited for it writes the outcome down.
func TestAMarkSurvivesTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "synchronous_commit=off", "pool_max_conns=8")
	w.srv.Handle("POST /post/x", hubtest.Status(204))
	at, on := make(chan struct{}), make(chan struct{})
	opts := riverqueue.At(riverqueue.Fast(riverqueue.Options{Schema: "dying", Logger: quiet()}, time.Minute, true), func(point, _ string) {
		if point == riverqueue.AfterMark {
			at <- struct{}{}
			<-on
		}
	})
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, opts)
	require.NoError(t, err)
	running(t, q)
	_, err = q.Enqueue(t.Context(), tenant, call(post, "x"))
	require.NoError(t, err)
	<-at
	w.db.Kill()
	w.db.Start()
	conn, err := pgx.Connect(t.Context(), w.db.DSN())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var state string
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT state FROM dying.hub_calls`).Scan(&state))
	assert.Equal(t, "started", state)
	close(on)
	require.Eventually(t, func() bool {
		e, err := q.Get(t.Context(), tenant, "post/x")
		return err == nil && e.Outcome == riverqueue.Succeeded
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, 1, w.sent("post/x"))
}
