package riverqueue_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/queues/riverqueue"
)

func testSealed(t *testing.T, w *world) {
	w.srv.Handle("POST /post/sealed", hubtest.Text(200, "answer-canary"))
	q := w.queue(t, riverqueue.Options{Schema: "sealed"})
	c := call(post, "sealed")
	c.Payload = json.RawMessage(`{"key": "sealed", "secret": "payload-canary"}`)
	_, err := q.Enqueue(t.Context(), tenant, c)
	require.NoError(t, err)
	id, err := w.keys.KeyID(t.Context())
	require.NoError(t, err)
	dump := func() string {
		var text string
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT string_agg(t, '') FROM (
			SELECT c::text || coalesce(encode(payload, 'escape'), '') || coalesce(encode(answer, 'escape'), '') FROM sealed.hub_calls c
			UNION ALL SELECT j::text FROM sealed.river_job j) AS all_of (t)`).Scan(&text))
		return text
	}
	needs := func() bool {
		needed, err := q.Sealed(t.Context(), id)
		require.NoError(t, err)
		return needed
	}
	assert.NotContains(t, dump(), "canary")
	assert.True(t, needs())
	running(t, q)
	assert.Equal(t, "answer-canary", string(ended(t, q, "post/sealed").Answer.Body))
	assert.NotContains(t, dump(), "canary")
	var erased bool
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT payload IS NULL FROM sealed.hub_calls`).Scan(&erased))
	assert.True(t, erased, "a payload is kept no longer than its call")
	assert.True(t, needs(), "for the answer")

	// What was sealed for one call opens for no other.
	_, err = w.pool.Exec(t.Context(), `UPDATE sealed.hub_calls SET key = 'moved'`)
	require.NoError(t, err)
	_, err = q.Get(t.Context(), tenant, "moved")
	assert.Error(t, err)
}

func testRetention(t *testing.T, w *world) {
	q := running(t, w.queue(t, riverqueue.Options{Schema: "kept"}))
	_, err := q.Enqueue(t.Context(), tenant, call(post, "kept"))
	require.NoError(t, err)
	ended(t, q, "post/kept")
	age := func(by string) {
		_, err := w.pool.Exec(t.Context(), `UPDATE kept.hub_calls SET ended = ended - $1::interval`, by)
		require.NoError(t, err)
		require.NoError(t, riverqueue.Sweep(t.Context(), q))
	}
	age("167 hours")
	_, err = q.Get(t.Context(), tenant, "post/kept")
	require.NoError(t, err)
	age("2 hours")
	_, err = q.Get(t.Context(), tenant, "post/kept")
	assert.ErrorIs(t, err, hub.NotFound)
}

// River discards a job whose workers died too often, and cancels one that was cancelled while
// its worker was dead: no worker sees it again, and still the call ends.
func testGivenUp(t *testing.T, w *world) {
	q := w.queue(t, riverqueue.Options{Schema: "given_up"})
	_, err := q.Enqueue(t.Context(), tenant, call(post, "marked"), call(put, "marked"), call(post, "waiting"), call(post, "alive"))
	require.NoError(t, err)
	for _, statement := range []string{
		`UPDATE given_up.hub_calls SET state = 'started', idempotent = request = 'put' WHERE key LIKE '%/marked'`,
		`UPDATE given_up.river_job SET state = 'discarded', finalized_at = now()
			WHERE id IN (SELECT job FROM given_up.hub_calls WHERE key LIKE '%/marked')`,
		`DELETE FROM given_up.river_job WHERE id IN (SELECT job FROM given_up.hub_calls WHERE key LIKE '%/waiting')`,
	} {
		_, err := w.pool.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, riverqueue.Sweep(t.Context(), q))
	for key, want := range map[string]riverqueue.Outcome{
		"post/marked": riverqueue.Unknown, "put/marked": riverqueue.Failed, "post/waiting": riverqueue.Failed, "post/alive": "",
	} {
		e, err := q.Get(t.Context(), tenant, key)
		require.NoError(t, err)
		assert.Equal(t, want, e.Outcome, key)
		if want != "" {
			assert.ErrorIs(t, e.Failure, riverqueue.Abandoned)
		}
	}
}
