package hub_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestTheTimeoutOfARequestEndsACallThatIsNotAnswered(t *testing.T) {
	for name, change := range map[string]func(*hub.Connector, int){
		"the connector's": func(c *hub.Connector, ms int) { c.Timeout = ms },
		"the request's":   func(c *hub.Connector, ms int) { c.Timeout, c.Requests[0].Timeout = 120_000, ms },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unhurried(t, func(ms int) bool {
				srv := hubtest.NewServer(t)
				srv.Handle("/", hubtest.Hang())
				h := open(t).Tenant("acme")
				connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { change(c, ms) })
				res, err := execute(t, h, "go")
				e := failed(t, err, hub.Timeout)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Nil(t, res)
				if len(srv.Requests()) == 0 {
					return false
				}
				assert.True(t, e.Sent)
				assert.True(t, e.Retryable)
				assert.Zero(t, e.Status)
				assert.Equal(t, 1, e.Attempts, "the time is for all attempts together")
				return true
			})
		})
	}
}

func TestAnAnswerThatStallsIsATimeoutWithItsStatus(t *testing.T) {
	unhurried(t, func(ms int) bool {
		srv := hubtest.NewServer(t)
		srv.Handle("/", hubtest.Text(200, "0123456789").HangAfter(4))
		h := open(t).Tenant("acme")
		connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Timeout = ms })
		res, err := execute(t, h, "go")
		if e := failed(t, err, hub.Timeout); e.Status != 200 {
			return false
		}
		require.NotNil(t, res)
		assert.Equal(t, hub.OnTimeout, res.Branch)
		assert.Empty(t, res.Body, "half an answer is none")
		return true
	})
}

// whenReached lets a handler say that a call has come, and then never answers.
func whenReached(reached chan<- struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		hubtest.Hang().ServeHTTP(w, r)
	})
}

func TestACallersDeadlineIsATimeoutAndItsCancellationIsNot(t *testing.T) {
	srv := hubtest.NewServer(t)
	reached := make(chan struct{}, 1)
	srv.Handle("/late", hubtest.Hang())
	srv.Handle("/", whenReached(reached))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("late", "GET", srv.URL+"/late"), manual("go", "GET", srv.URL))
	call := hub.Call{Connector: "con", Request: "go"}

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "late"})
	failed(t, err, hub.Timeout)

	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	go func() { <-reached; giveUp() }()
	_, err = h.Execute(ctx, call)
	e := failed(t, err, hub.Canceled)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, hub.Timeout)
	assert.True(t, e.Sent)

	_, err = h.Execute(ctx, call)
	e = failed(t, err, hub.Canceled)
	assert.False(t, e.Sent, "a caller that gave up before sends nothing")
}

// A handshake that stalls is no timeout of the call: there is time left, and nobody there.
func TestAHandshakeThatStallsIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	srv := hubtest.NewServer(t)
	h := open(t, func(o *hub.Options) { o.Limits.TLSTimeout = 50 * time.Millisecond }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", "https://"+l.Addr().String(), func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1} }))
	_, err = execute(t, h, "go")
	e := failed(t, err, hub.Unreachable)
	assert.False(t, e.Sent)
	assert.True(t, e.Retryable)
}

func TestOneDeadlineBoundsAllAttemptsAndTheLastAnswerIsKept(t *testing.T) {
	t.Parallel()
	unhurried(t, func(ms int) bool {
		srv := hubtest.NewServer(t)
		srv.Handle("/", hubtest.Sequence(hubtest.Text(503, "not yet").RetryAfter(0), hubtest.Hang()))
		h := open(t).Tenant("acme")
		connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Timeout = ms })
		res, err := execute(t, h, "go")
		if len(srv.Requests()) < 2 {
			return false
		}
		e := failed(t, err, hub.Timeout)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, 503, e.Status)
		require.NotNil(t, res)
		assert.Equal(t, hub.OnTimeout, res.Branch)
		assert.Equal(t, "not yet", string(res.Body))
		require.Len(t, res.Attempts, 2)
		assert.Equal(t, "timeout", res.Attempts[1].Failure)
		return true
	})
}

func TestTheTimeInTheQueueCounts(t *testing.T) {
	srv := hubtest.NewServer(t)
	reached := make(chan struct{}, 1)
	srv.Handle("/", whenReached(reached))
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls = 1 }).Tenant("acme")
	connector(t, h, srv, manual("slow", "GET", srv.URL+"/slow"), manual("next", "GET", srv.URL+"/next", func(r *hub.Request) { r.Timeout = 100 }),
		func(c *hub.Connector) { c.Timeout = 60_000 })

	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "slow"}); first <- err }()
	<-reached
	_, err := execute(t, h, "next")
	e := failed(t, err, hub.Timeout)
	assert.Zero(t, e.Attempts)
	assert.False(t, e.Sent)
	giveUp()
	failed(t, <-first, hub.Canceled)
	assert.Zero(t, received(srv, "/next"))
}
