package riverqueue_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/toxics"
	"github.com/integrationhub/hub/queues/riverqueue"
)

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
