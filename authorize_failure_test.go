package hub_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// oauth makes a connector whose token endpoint is the server's /token.
func oauth(srv *hubtest.Server) func(*hub.Connector) {
	return func(c *hub.Connector) {
		c.Auth = hub.Auth{Kind: hub.AuthOAuth2, Request: &hub.AuthRequest{URL: srv.URL + "/token", Body: "grant_type=client_credentials"}}
		c.Requests = []hub.Request{{Name: "read", Method: "GET", URL: srv.URL + "/things"}}
	}
}

func TestCallersOfOneFailedAuthenticationGetErrorsOfTheirOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	refuse := make(chan struct{})
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-refuse
		hubtest.JSON(401, map[string]string{"error": "invalid_client"}).ServeHTTP(w, r)
	}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))

	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
		})
	}
	require.Eventually(t, func() bool { return len(srv.Requests()) == 1 }, time.Minute, time.Millisecond)
	close(refuse)
	wg.Wait()
	seen := map[*hub.Error]bool{}
	for _, err := range errs {
		var e *hub.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, hub.Unauthorized)
		assert.Contains(t, e.Detail(), "invalid_client")
		assert.Zero(t, e.Attempts, "nothing was sent for the call itself")
		assert.False(t, e.Sent)
		assert.False(t, seen[e], "two callers share an error")
		seen[e] = true
	}
}

func TestATimeoutSaysThatTheAuthenticationTookTooLong(t *testing.T) {
	unhurried(t, func(ms int) bool {
		srv, d := hubtest.NewServer(t), newDoor()
		srv.Handle("POST /token", d)
		h := open(t).Tenant("acme")
		connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Timeout = 60_000 })

		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(ms)*time.Millisecond)
		defer cancel()
		_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "read"})
		late := len(d.entered) == 0
		close(d.leave)
		if late {
			return false
		}
		var e *hub.Error
		require.True(t, errors.As(err, &e))
		assert.Equal(t, hub.Timeout, e.Code)
		assert.Equal(t, "the connector's authentication: the time allowed is over", e.Detail())
		assert.False(t, e.Sent)
		return true
	})
}
