package hub_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A store that hangs, and neither answers nor fails, does not take a call's own time.
func TestACallThatHasAPlanDoesNotWaitForAStoreThatHangs(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, now := twins(t)
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)

	hang := make(chan struct{})
	store.hold.Store(&hang)
	now.advance(2 * time.Second)
	for range 3 { // the first one waits a little, the others not at all
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
	store.hold.Store(nil)
	close(hang)
}

// Nor does it take the time of a call that has little.
func TestAStoreThatHangsLeavesTimeForACallThatHasLittle(t *testing.T) {
	var err error
	for range 20 { // a machine that is slow may need several
		srv := hubtest.NewServer(t)
		srv.Handle("/", hubtest.Status(200))
		h, _, store, _ := twins(t, func(o *hub.Options) { o.Now, o.Limits.Freshness = nil, -1 })
		connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) { r.Timeout = 900 }))
		if _, err = execute(t, h, "go"); err != nil {
			continue
		}
		hang := make(chan struct{})
		store.hold.Store(&hang)
		_, err = execute(t, h, "go")
		store.hold.Store(nil)
		close(hang)
		if err == nil {
			return
		}
	}
	require.NoError(t, err)
}

func TestTheTimeOfACallRunsWhileItsDefinitionIsRead(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, now := twins(t)
	connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Timeout = 900 })
	hang := make(chan struct{})
	store.hold.Store(&hang)
	before := store.reads.Load()
	call := start(t, h, "con", "go")
	until(t, func() bool { return store.reads.Load() > before })
	now.advance(time.Second)
	store.hold.Store(nil)
	close(hang)
	e := failed(t, <-call, hub.Timeout)
	assert.False(t, e.Sent)
	assert.Empty(t, srv.Requests())
}

// A store that hangs on for longer costs calls next to nothing: it is asked again, but not
// waited for as it was the first time.
func TestAStoreThatGoesOnHangingIsHardlyWaitedFor(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, _ := twins(t, func(o *hub.Options) { o.Now, o.Limits.Freshness = nil, -1 })
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)

	hang := make(chan struct{})
	store.hold.Store(&hang)
	begun := time.Now()
	for range 20 {
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
	assert.Less(t, time.Since(begun), 10*time.Second, "a second for each call would be twice that")
	store.hold.Store(nil)
	close(hang)
}
