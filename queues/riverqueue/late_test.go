package riverqueue_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/toxics"
	"github.com/integrationhub/hub/queues/riverqueue"
	"github.com/integrationhub/hub/secrets"
)

// sleepy is a keeper that takes all the time of a call, once.
type sleepy struct {
	secrets.Keeper
	slept atomic.Bool
}

func (s *sleepy) Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error) {
	text, err := s.Keeper.Open(ctx, keyID, sealed, aad)
	if !s.slept.Swap(true) {
		<-ctx.Done()
	}
	return text, err
}

// A call whose time is over before it could be sent, on a machine that slept, is made again.
func testLateStart(t *testing.T, w *world) {
	h, closed, err := newHub(t.Context(), w.srv.URL, string(w.srv.CA())) // which does not know the connector yet
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closed()) })
	opts := riverqueue.Fast(riverqueue.Options{Schema: "late_start", Pause: time.Millisecond, Logger: quiet()}, callTime, false)
	q, err := riverqueue.New(t.Context(), h, &sleepy{Keeper: w.keys}, w.pool, opts)
	require.NoError(t, err)
	running(t, q)
	_, err = q.Enqueue(t.Context(), tenant, call(post, "late"))
	require.NoError(t, err)
	e := ended(t, q, "post/late")
	assert.Equal(t, riverqueue.Succeeded, e.Outcome, e.Failure)
	assert.Equal(t, 1, w.sent("post/late"))
}

// lateMark keeps the first mark on its way, until it is let through.
type lateMark struct{ held, through, arrived chan struct{} }

// Carry implements toxics.Toxic.
func (l *lateMark) Carry(f *toxics.Flow, data []byte) ([]byte, error) {
	if !bytes.Contains(data, []byte("state = 'started', run")) {
		return f.Write(data)
	}
	select {
	case l.held <- struct{}{}: // it has room for one
	default:
		return f.Write(data)
	}
	<-l.through
	defer close(l.arrived)
	return f.Write(data)
}

// A mark arrives when its call has given up and gone back to the queue. It is the mark of nobody
// any more: the call is made, and its outcome is known.
func TestALateMark(t *testing.T) {
	t.Parallel()
	w := newSickWorld(t)
	const schema = "late"
	direct, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &riverqueue.Options{Schema: schema})
	require.NoError(t, err)
	again, on := make(chan struct{}), make(chan struct{})
	marks := 0
	late := &lateMark{make(chan struct{}, 1), make(chan struct{}), make(chan struct{})}
	w.proxy.Set(toxics.Up, late)
	worker := w.worker(t, schema, func(point, _ string) {
		if point != riverqueue.BeforeMark {
			return
		}
		if marks++; marks == 2 { // it has been read as one that waits
			close(again)
			<-on
		}
	})
	_, err = direct.Enqueue(t.Context(), tenant, call(post, "x"))
	require.NoError(t, err)
	<-again
	close(late.through)
	<-late.arrived
	time.Sleep(brief) // for what the server makes of it
	close(on)
	e := ended(t, direct, "post/x")
	assert.Equal(t, riverqueue.Succeeded, e.Outcome)
	assert.Equal(t, 1, w.sent("post/x"))
	require.NoError(t, worker.Stop(context.Background()))
}
