package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// observe appends the event of each call of a hub to a list.
func observe(events *[]hub.Event) func(*hub.Options) {
	return observeThose(events, func(e hub.Event) bool { return e.Op != "Attempt" })
}

// observeAttempts appends the event of each attempt of a hub to a list.
func observeAttempts(events *[]hub.Event) func(*hub.Options) {
	return observeThose(events, func(e hub.Event) bool { return e.Op == "Attempt" })
}

func observeThose(events *[]hub.Event, wanted func(hub.Event) bool) func(*hub.Options) {
	var mu sync.Mutex
	return func(o *hub.Options) {
		o.Observer = func(_ context.Context, e hub.Event) {
			mu.Lock()
			defer mu.Unlock()
			if wanted(e) {
				*events = append(*events, e)
			}
		}
	}
}

func TestEachCallIsReportedOnce(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789", time.Hour))
	srv.Handle("/things", hubtest.Status(200))
	srv.Handle("/gone", hubtest.Status(410))
	var events []hub.Event
	h := open(t, observe(&events)).Tenant("acme")
	con := connector(t, h, srv, oauth(srv), manual("gone", "GET", srv.URL+"/gone"))
	for _, tt := range []struct {
		call func() error
		want []hub.Event
	}{
		{func() error { _, err := execute(t, h, "read"); return err }, []hub.Event{
			{Op: "Authenticate", Branch: hub.OnSuccess, Status: 200},
			{Op: "Execute", Request: "read", Branch: hub.OnSuccess, Status: 200},
		}},
		{func() error { _, err := execute(t, h, "gone"); return err }, []hub.Event{
			{Op: "Execute", Request: "gone", Branch: hub.OnError, Code: hub.Rejected, Status: 410},
		}},
		{func() error { _, err := execute(t, h, "absent"); return err }, []hub.Event{
			{Op: "Execute", Request: "absent", Branch: hub.OnError, Code: hub.NotFound},
		}},
		{func() error { _, err := h.Authenticate(t.Context(), "con"); return err }, []hub.Event{
			{Op: "Authenticate", Branch: hub.OnSuccess, Status: 200},
		}},
		{func() error { _, err := h.TestConnector(t.Context(), "con"); return err }, []hub.Event{
			{Op: "TestConnector", Branch: hub.OnSuccess, Status: 200},
		}},
		{func() error {
			_, err := h.TestRequest(t.Context(), hub.Call{Connector: "con", Request: "gone"})
			return err
		}, []hub.Event{
			{Op: "TestRequest", Request: "gone", Branch: hub.OnError, Code: hub.Rejected, Status: 410},
		}},
		{func() error { _, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "read"}); return err }, nil},
	} {
		events = nil
		err := tt.call()
		require.Len(t, events, len(tt.want))
		for i, want := range tt.want {
			got := events[i]
			assert.Equal(t, "acme", got.Tenant)
			assert.Equal(t, "con", got.Connector)
			assert.Equal(t, con.ID, got.ConnectorID)
			assert.False(t, got.Started.IsZero())
			assert.Positive(t, got.Duration)
			want.Tenant, want.Connector, want.ConnectorID, want.Started, want.Duration = got.Tenant, got.Connector, got.ConnectorID, got.Started, got.Duration
			if want.Status != 0 {
				assert.Len(t, got.Attempts, 1)
			}
			want.Attempts, want.Method, want.Path, want.Host = got.Attempts, got.Method, got.Path, got.Host
			assert.Equal(t, want, got)
			if i == len(tt.want)-1 && want.Code != "" {
				require.ErrorIs(t, err, want.Code)
			}
		}
	}
}

func TestEventsAndLogsHoldNoSecretsAndNoPayload(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-canary-4711", time.Hour))
	srv.Handle("/things", hubtest.JSON(500, map[string]string{"a": "answer-canary"}))
	var events []hub.Event
	var logged bytes.Buffer
	h := open(t, observe(&events), func(o *hub.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}).Tenant("acme")
	con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Secrets = []hub.Secret{{Name: "key"}}
		c.Auth.Request.Body = "key=[[key]]"
	}, mapped("send", "POST", srv.URL+"/things?q={{v}}", func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-canary-0815")))
	_, err := execute(t, h, "send", `{"v":"payload-canary"}`)
	failed(t, err, hub.Rejected)
	data, err := json.Marshal(events)
	require.NoError(t, err)
	require.Len(t, events, 2)
	assert.NotContains(t, string(data), "canary")
	assert.NotContains(t, logged.String(), "canary")
	assert.Contains(t, logged.String(), `"op":"Execute"`)
}

func TestTheLogTellsTheHostWhatTheTenantIsNotTold(t *testing.T) {
	srv := hubtest.NewServer(t)
	var logged bytes.Buffer
	h := open(t, func(o *hub.Options) {
		o.Egress.AllowLoopback = false
		o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	}).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1} }))
	_, err := execute(t, h, "go")
	failed(t, err, hub.Unreachable)
	assert.NotContains(t, err.Error(), "loopback")
	assert.Contains(t, logged.String(), "egress refused")
	assert.Contains(t, logged.String(), "loopback")
	assert.Empty(t, srv.Requests())
}

func TestDurationsFollowTheHostsClock(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	srv.Handle("/", hubtest.Status(200))
	var events []hub.Event
	h := open(t, now.on, observe(&events)).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	res, err := execute(t, h, "go")
	require.NoError(t, err)
	assert.Zero(t, res.Duration)
	assert.Equal(t, now.Now(), events[0].Started)
	assert.Equal(t, now.Now(), res.Attempts[0].Start)
}
