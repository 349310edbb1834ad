package hub_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
