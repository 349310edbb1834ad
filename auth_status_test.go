package hub_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// twoInstances are hubs of two processes: one store, one keeper.
func twoInstances(t *testing.T, change ...func(*hub.Options)) (one, other *hub.Tenant, store storage.Store) {
	t.Helper()
	store = memory.New()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	start := func() *hub.Tenant {
		opts := onLoopback()
		for _, f := range change {
			f(opts)
		}
		h, err := hub.New(store, keeper, opts)
		require.NoError(t, err)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			require.NoError(t, h.Close(ctx))
		})
		return h.Tenant("acme")
	}
	return start(), start(), store
}

func TestInstancesShareATokenAndItSurvivesThem(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Status(200))
	one, other, store := twoInstances(t)
	con := connector(t, one, srv, oauth(srv))
	for _, h := range []*hub.Tenant{one, other} {
		_, err := execute(t, h, "read")
		require.NoError(t, err)
	}
	assert.Equal(t, 1, received(srv, "/token"))
	rec, err := store.Get(t.Context(), storage.Key{Tenant: "acme", Kind: "grant", ID: con.ID})
	require.NoError(t, err)
	assert.NotContains(t, string(rec.Data), "tok-0000000001", "tokens lie sealed")

	require.NoError(t, other.DeleteConnector(t.Context(), con.ID, con.Revision))
	_, err = store.Get(t.Context(), storage.Key{Tenant: "acme", Kind: "grant", ID: con.ID})
	require.ErrorIs(t, err, storage.ErrNotFound, "a connector's grant goes with it")
}

func TestAuthStatusFollowsTheAuthentication(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	var mu sync.Mutex
	answer := issuer("3600")
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := answer
		mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	answers := func(h http.Handler) {
		mu.Lock()
		defer mu.Unlock()
		answer = h
	}
	srv.Handle("/things", hubtest.Status(200))
	var events []hub.Event
	h := open(t, now.on, observe(&events), func(o *hub.Options) { o.Limits.Staleness = 24 * time.Hour }).Tenant("acme")
	con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Secrets = []hub.Secret{{Name: "password"}}
		c.Auth.Request.Body = "password=[[password]]"
	})
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "password", secrets.New("a password of somebody")))
	expect := func(state hub.AuthState, reason string) {
		t.Helper()
		st, err := h.AuthStatus(t.Context(), "con")
		require.NoError(t, err)
		assert.Equal(t, state, st.State)
		assert.Contains(t, st.Reason, reason)
		assert.NotContains(t, st.Reason, "somebody")
		assert.Equal(t, state == hub.AuthUnknown, st.Since.IsZero())
	}
	expect(hub.AuthUnknown, "")
	_, err := execute(t, h, "read")
	require.NoError(t, err)
	expect(hub.AuthHealthy, "")

	now.advance(2 * time.Hour)
	answers(hubtest.Status(503))
	_, err = execute(t, h, "read")
	assert.True(t, failed(t, err, hub.Rejected).Retryable, "an endpoint in trouble refuses nobody")
	expect(hub.AuthDegraded, "503")

	answers(hubtest.JSON(401, map[string]string{"error": "invalid_client", "error_description": "somebody"}))
	_, err = execute(t, h, "read")
	failed(t, err, hub.Unauthorized)
	expect(hub.AuthNeedsReauthentication, "invalid_client")
	asked := received(srv, "/token")
	for range 20 {
		_, err = execute(t, h, "read")
		e := failed(t, err, hub.Unauthorized)
		assert.True(t, e.RetryAt.After(now.Now()), "when it will be tried again")
	}
	assert.Equal(t, asked, received(srv, "/token"), "refused credentials are not tried for each call")
	for range 20 {
		act, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
		require.NoError(t, err)
		assert.Equal(t, hub.OnError, act.Branch)
		assert.Contains(t, act.ERR, "not tried again before")
	}
	assert.Equal(t, asked, received(srv, "/token"), "nor for each script")
	_, err = h.Authenticate(t.Context(), "con")
	failed(t, err, hub.Unauthorized)
	assert.Equal(t, asked+1, received(srv, "/token"), "but for somebody who insists")

	answers(issuer("3600"))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "password", secrets.New("another password of somebody")))
	_, err = execute(t, h, "read")
	require.NoError(t, err, "a secret that was set is tried at once")
	expect(hub.AuthHealthy, "")

	var states []hub.AuthState
	for _, e := range events {
		if e.Op == "AuthState" {
			assert.Equal(t, con.ID, e.ConnectorID)
			assert.Equal(t, "con", e.Connector)
			states = append(states, e.AuthState)
		}
	}
	assert.Equal(t, []hub.AuthState{hub.AuthDegraded, hub.AuthNeedsReauthentication, hub.AuthHealthy}, states)
}

func TestScriptsSeeTokensOnlyIfTheHostSaysSo(t *testing.T) {
	for _, shown := range []bool{false, true} {
		srv := hubtest.NewServer(t)
		srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hubtest.JSON(200, map[string]string{"access_token": "tok-0123456789", "echo": r.FormValue("password")}).ServeHTTP(w, r)
		}))
		h := open(t, func(o *hub.Options) { o.ScriptTokens = shown }).Tenant("acme")
		con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
			c.Secrets = []hub.Secret{{Name: "password"}}
			c.Auth.Request.Body = "password=[[password]]"
		})
		require.NoError(t, h.SetSecret(t.Context(), con.ID, "password", secrets.New("the-password-itself")))
		act, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
		require.NoError(t, err)
		require.Equal(t, hub.OnSuccess, act.Branch)
		assert.Equal(t, 200, act.Proxy.StatusCode)
		token := map[bool]string{false: "[secret]", true: "tok-0123456789"}[shown]
		assert.Equal(t, token, act.Result.Get("access_token").String())
		assert.Equal(t, "[secret]", act.Result.Get("echo").String(), "secrets stay hidden")
		res, err := h.Authenticate(t.Context(), "con")
		require.NoError(t, err)
		assert.Equal(t, "[secret]", res.Get("access_token").String(), "the option is about scripts")
	}
}
