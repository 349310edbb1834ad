package hub_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/ratelimit"
)

// falling is a collaborator of the host that panics where it is told to.
type falling struct{ at string }

func (f *falling) fall(at string) {
	if f.at == at {
		panic(at)
	}
}

func (f *falling) StartCall(ctx context.Context, _ hub.Event) (context.Context, func(hub.Event)) {
	f.fall("StartCall")
	return ctx, func(hub.Event) { f.fall("call ended") }
}

func (f *falling) StartAttempt(ctx context.Context, _ hub.Event, _ http.Header) (context.Context, func(hub.Event)) {
	f.fall("StartAttempt")
	return ctx, func(hub.Event) { f.fall("attempt ended") }
}

func (f *falling) StateChanged(context.Context, hub.Event) { f.fall("StateChanged") }

func (f *falling) Take(ctx context.Context, _ string, _ []ratelimit.Demand, _ time.Duration) (ratelimit.Turn, error) {
	f.fall("Take")
	return ratelimit.Turn{OK: true}, nil
}

// Whoever panics when told of a call, or asked about it, takes no place along, no probe of a circuit, and
// not the end of the hub.
func TestAPanicOfACollaboratorLeavesNothingBehind(t *testing.T) {
	for _, at := range []string{"StartCall", "call ended", "StartAttempt", "attempt ended", "StateChanged", "Take"} {
		for how, call := range map[string]func(*hub.Hub, *http.Client, string) error{"Execute": executed, "RoundTrip": lentOnce} {
			t.Run(how+" "+at, func(t *testing.T) {
				srv, f := hubtest.NewServer(t), new(falling)
				srv.Handle("/", hubtest.Sequence(hubtest.Status(500), hubtest.Text(200, "yes")))
				h := open(t, func(o *hub.Options) {
					o.Tracer, o.RateLimiter, o.Limits.ConnectorCalls = f, f, 1
					o.Breaker = hub.Breaker{Calls: 1, Failures: 1, Open: time.Millisecond, Probes: 1}
				})
				connector(t, h.Tenant("acme"), srv, manual("go", "GET", srv.URL, once), func(c *hub.Connector) {
					c.RateLimit = &hub.RateLimit{Requests: 1, Per: 1}
				})
				client := lend(t, h.Tenant("acme"))
				if at != "StateChanged" { // which the first call brings about
					failed(t, executed(h, nil, ""), hub.Rejected)
				}
				f.at = at
				falls := func() (passed any) {
					defer func() { passed = recover() }()
					_ = call(h, client, srv.URL)
					return nil
				}
				until(t, func() bool { return falls() == at })
				f.at = ""
				until(t, func() bool { return call(h, client, srv.URL) == nil })
				assert.Zero(t, h.Stats().InFlight)
				require.NoError(t, h.Close(t.Context()))
			})
		}
	}
}

func executed(h *hub.Hub, _ *http.Client, _ string) error {
	_, err := h.Tenant("acme").Execute(context.Background(), hub.Call{Connector: "con", Request: "go"})
	return err
}

func lentOnce(_ *hub.Hub, client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// What a round trip came to that panicked is told all the same.
func TestARoundTripThatPanicsIsToldOf(t *testing.T) {
	srv, f := hubtest.NewServer(t), &falling{at: "StartAttempt"}
	var told []hub.Event
	h := open(t, observe(&told), func(o *hub.Options) { o.Tracer = f })
	connector(t, h.Tenant("acme"), srv, manual("go", "GET", srv.URL))
	client := lend(t, h.Tenant("acme"))
	assert.PanicsWithValue(t, f.at, func() { _ = lentOnce(h, client, srv.URL) })
	require.NotEmpty(t, told)
	last := told[len(told)-1]
	assert.Equal(t, []any{"RoundTrip", hub.OnError, hub.Aborted}, []any{last.Op, last.Branch, last.Code})
	assert.Empty(t, srv.Requests())
}

// What is asked before a person consents, and panics, was answered by nobody.
func TestAConsentThatPanicsIsToldOf(t *testing.T) {
	for op, a := range map[string]struct {
		kind hub.AuthKind
		call func(*hub.Tenant) error
	}{
		"Discover": {hub.AuthAuthorizationCode, func(h *hub.Tenant) error {
			_, err := h.AuthorizeURL(t.Context(), "con", browser)
			return err
		}},
		"StartDevice": {hub.AuthDeviceCode, func(h *hub.Tenant) error {
			_, err := h.StartDevice(t.Context(), "con")
			return err
		}},
	} {
		t.Run(op, func(t *testing.T) {
			srv, f := authServer(t), &falling{at: "StartAttempt"}
			var told []hub.Event
			h := open(t, observe(&told), func(o *hub.Options) { o.Tracer = f }).Tenant("acme")
			auth := hub.Auth{Kind: a.kind, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: hub.ClientNone}}
			if a.kind == hub.AuthDeviceCode {
				auth.OAuth.DeviceURL = srv.URL + "/device"
			} else {
				auth.OAuth.Issuer, auth.OAuth.RedirectURL = srv.URL, "https://app.example.com/back"
			}
			kind(t, h, srv, auth, map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
			assert.PanicsWithValue(t, f.at, func() { _ = a.call(h) })
			last := told[len(told)-1]
			assert.Equal(t, []any{op, hub.OnError, hub.Aborted}, []any{last.Op, last.Branch, last.Code})
		})
	}
}
