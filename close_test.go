package hub_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestCloseWaitsForCallsUnderWayAndRefusesLaterOnes(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t)
	acme := h.Tenant("acme")
	behind(t, acme, srv)
	call := start(t, acme, "con", "go")
	<-d.entered
	closed := make(chan error, 1)
	go func() { closed <- h.Close(context.Background()) }()
	until(t, func() bool {
		_, err := acme.GetConnector(t.Context(), "con")
		return err != nil
	})
	select {
	case <-closed:
		t.Fatal("Close returned before the call had ended")
	default:
	}
	close(d.leave)
	require.NoError(t, <-call)
	require.NoError(t, <-closed)
	require.NoError(t, h.Close(context.Background()), "closing again does no harm")
}

func TestEveryMethodOfAClosedHubSaysSo(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t)
	con := connector(t, h.Tenant("acme"), srv, manual("go", "GET", srv.URL))
	require.NoError(t, h.Close(t.Context()))
	ctx, acme, call := t.Context(), h.Tenant("acme"), hub.Call{Connector: "con", Request: "go"}
	for name, f := range map[string]func() error{
		"Execute":       func() error { _, err := acme.Execute(ctx, call); return err },
		"Authenticate":  func() error { _, err := acme.Authenticate(ctx, "con"); return err },
		"TestConnector": func() error { _, err := acme.TestConnector(ctx, "con"); return err },
		"TestRequest":   func() error { _, err := acme.TestRequest(ctx, call); return err },
		"Plan":          func() error { _, err := acme.Plan(ctx, call); return err },
		"Readiness":     func() error { _, err := acme.Readiness(ctx, "con"); return err },
		"HTTPClient":    func() error { _, err := acme.HTTPClient(ctx, "con"); return err },
		"ConnectAuth":   func() error { _, err := acme.ConnectAuth(ctx, hub.ConnectAuthAction{ConnectName: "con"}); return err },
		"ConnectRequest": func() error {
			_, err := acme.ConnectRequest(ctx, hub.ConnectRequestAction{ConnectName: "con"})
			return err
		},
		"StudioProperties": func() error { _, err := acme.StudioProperties(ctx, "con", "go"); return err },
		"GetConnector":     func() error { _, err := acme.GetConnector(ctx, "con"); return err },
		"UpdateConnector":  func() error { _, err := acme.UpdateConnector(ctx, con); return err },
		"DeleteConnector":  func() error { return acme.DeleteConnector(ctx, con.ID, con.Revision) },
		"SetSecret":        func() error { return acme.SetSecret(ctx, con.ID, "x", secrets.New("x")) },
		"ListTemplates":    func() error { _, err := acme.ListTemplates(ctx, hub.ListOptions{}); return err },
		"CreateTemplate": func() error {
			_, err := acme.CreateTemplate(ctx, hub.Template{Name: "x", Methods: []string{"GET"}})
			return err
		},
		"DeleteTemplate":   func() error { return acme.DeleteTemplate(ctx, con.Template, 1) },
		"RestrictTemplate": func() error { return acme.RestrictTemplate(ctx, con.Template, []string{"x.example"}) },
	} {
		err := f()
		require.ErrorIs(t, err, hub.Closed, name)
		assert.Equal(t, hub.OnError, failed(t, err, hub.Closed).Branch())
	}
}

func TestCloseCancelsCallsWhenItsPatienceEnds(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	var events []hub.Event
	h := open(t, observe(&events), func(o *hub.Options) { o.Limits.ConnectorCalls = 1 })
	acme := h.Tenant("acme")
	behind(t, acme, srv)
	call := start(t, acme, "con", "go")
	<-d.entered
	next := start(t, acme, "con", "go")
	waiting(t, acme, "con", 1)

	ctx, enough := context.WithCancel(t.Context())
	enough()
	require.ErrorIs(t, h.Close(ctx), context.Canceled)
	assert.NotEmpty(t, events, "when Close returns, what it cancelled has ended")
	e := failed(t, <-call, hub.Closed)
	assert.True(t, e.Sent)
	failed(t, <-next, hub.Closed)
}

func TestCloseCancelsAnAuthenticationThatNobodyWaitsForAnyMore(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("POST /token", d)
	h := open(t)
	acme := h.Tenant("acme")
	connector(t, acme, srv, oauth(srv), func(c *hub.Connector) { c.Timeout = 60_000 })
	ctx, giveUp := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := acme.Execute(ctx, hub.Call{Connector: "con", Request: "read"}); done <- err }()
	<-d.entered
	giveUp()
	failed(t, <-done, hub.Canceled)
	require.ErrorIs(t, h.Close(ctx), context.Canceled)
}

// Whoever is told of a call may use what is closed after the hub.
func TestCloseWaitsForWhoIsToldOfARoundTripThatFailed(t *testing.T) {
	srv := hubtest.NewServer(t)
	closed := make(chan error, 1)
	var h *hub.Hub
	h = open(t, func(o *hub.Options) {
		o.Observer = func(context.Context, hub.Event) {
			go func() { closed <- h.Close(context.Background()) }()
			select {
			case err := <-closed:
				t.Error("Close returned before the call had been told")
				closed <- err
			case <-time.After(50 * time.Millisecond): // it never does: this is only how long is looked
			}
		}
	})
	connector(t, h.Tenant("acme"), srv)
	req, err := http.NewRequestWithContext(t.Context(), "DELETE", "https://elsewhere.example", nil)
	require.NoError(t, err)
	_, err = lend(t, h.Tenant("acme")).Do(req)
	require.ErrorIs(t, err, hub.Forbidden)
	require.NoError(t, <-closed)
}

// An SDK that never closes a body must not keep the hub from closing.
func TestCloseDoesNotWaitForABodyThatNobodyCloses(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, "0123456789").HangAfter(4))
	h := open(t)
	acme := h.Tenant("acme")
	connector(t, acme, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Timeout = 60_000 })
	client, err := acme.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	resp, err := client.Get(srv.URL)
	require.NoError(t, err)

	ctx, enough := context.WithCancel(t.Context())
	enough()
	require.ErrorIs(t, h.Close(ctx), context.Canceled)
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	_, err = client.Get(srv.URL)
	require.ErrorIs(t, err, hub.Closed)
	require.NoError(t, resp.Body.Close())
	assert.IsType(t, &http.Response{}, resp)
}
