package hub_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	pkce "github.com/integrationhub/hub/internal/oauth"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

const browser = "session 0123456789 of this browser"

// consenting is a connector "con" that needs a person's consent.
type consenting struct {
	*hub.Tenant
	srv *hubtest.Server
	con hub.Connector
	hub *hub.Hub
	now *clock
}

func newConsenting(t testing.TB, store storage.Store, change ...func(*hub.OAuth)) *consenting {
	t.Helper()
	c := &consenting{srv: authServer(t), now: newClock()}
	c.hub = openOn(t, store, c.now.on, func(o *hub.Options) { o.Limits.Freshness, o.Limits.Staleness = -1, -1 })
	c.Tenant = c.hub.Tenant("acme")
	o := &hub.OAuth{
		AuthorizationURL: "https://as.example.com/authorize?app=1", TokenURL: c.srv.URL + "/token", RedirectURL: "https://app.example.com/back",
		ClientAuth: hub.ClientNone, Scope: "a b", AuthorizationParams: []hub.Param{{Name: "access_type", Value: "offline-[[clientId]]"}},
	}
	for _, f := range change {
		f(o)
	}
	c.con = kind(t, c.Tenant, c.srv, hub.Auth{Kind: hub.AuthAuthorizationCode, OAuth: o}, map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
	return c
}

// ask returns the parameters of an authorization request.
func (c *consenting) ask(t testing.TB) url.Values {
	t.Helper()
	target, err := c.AuthorizeURL(t.Context(), "con", browser)
	require.NoError(t, err)
	u, err := url.Parse(target)
	require.NoError(t, err)
	assert.Equal(t, "https://as.example.com/authorize", u.Scheme+"://"+u.Host+u.Path)
	return u.Query()
}

// answer is what the server sends the browser back with.
func answer(asked url.Values) url.Values {
	return url.Values{"code": {"code-0123456789"}, "state": asked["state"]}
}

func TestAConsentIsExchangedForTokens(t *testing.T) {
	c := newConsenting(t, memory.New())
	_, err := c.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.ErrorIs(t, err, hub.Unauthorized)
	assert.Contains(t, err.Error(), "consent")

	asked := c.ask(t)
	assert.Equal(t, "1", asked.Get("app"), "the endpoint's own query stays")
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "me", "redirect_uri": "https://app.example.com/back", "scope": "a b",
		"code_challenge_method": "S256", "access_type": "offline-me",
	} {
		assert.Equal(t, want, asked.Get(name), name)
	}
	con, err := c.CompleteAuthorization(t.Context(), answer(asked), browser)
	require.NoError(t, err)
	assert.Equal(t, c.con.ID, con)
	form, _ := formOf(t, c.srv, 0)
	assert.Equal(t, asked.Get("code_challenge"), pkce.Challenge(form.Get("code_verifier")))
	form.Del("code_verifier")
	assert.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {"code-0123456789"}, "redirect_uri": {"https://app.example.com/back"}, "client_id": {"me"},
	}, form)
	read(t, c.Tenant)
	assert.Equal(t, 1, received(c.srv, "/token"))
}

func TestAStateIsGoodForOnePersonOnceAndNotForLong(t *testing.T) {
	c := newConsenting(t, memory.New())
	complete := func(tenant *hub.Tenant, answer url.Values, userAgent string) error {
		_, err := tenant.CompleteAuthorization(t.Context(), answer, userAgent)
		return err
	}
	asked := c.ask(t)
	require.ErrorIs(t, complete(c.hub.Tenant("other"), answer(asked), browser), hub.NotFound, "another tenant")
	require.ErrorIs(t, complete(c.Tenant, answer(asked), "another browser, long enough"), hub.Forbidden)
	require.ErrorIs(t, complete(c.Tenant, answer(asked), ""), hub.Forbidden)
	for _, state := range []string{"", "x", "." + asked.Get("state"), asked.Get("state") + "x", c.con.ID + "."} {
		require.ErrorIs(t, complete(c.Tenant, url.Values{"code": {"c"}, "state": {state}}, browser), hub.Forbidden, state)
	}
	twice := answer(asked)
	twice.Add("state", "x")
	require.ErrorIs(t, complete(c.Tenant, twice, browser), hub.Forbidden)
	assert.Zero(t, received(c.srv, "/token"))
	require.NoError(t, complete(c.Tenant, answer(asked), browser), "none of these used it up")
	require.ErrorIs(t, complete(c.Tenant, answer(asked), browser), hub.Forbidden, "once")
	assert.Equal(t, 1, received(c.srv, "/token"))

	asked = c.ask(t)
	c.now.advance(15 * time.Minute)
	require.ErrorIs(t, complete(c.Tenant, answer(asked), browser), hub.Forbidden, "too old")

	asked = c.ask(t)
	edited, err := c.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	edited.Auth.OAuth.TokenURL = c.srv.URL + "/elsewhere"
	_, err = c.UpdateConnector(t.Context(), edited)
	require.NoError(t, err)
	require.ErrorIs(t, complete(c.Tenant, answer(asked), browser), hub.Conflict)
	assert.Equal(t, 1, received(c.srv, "/token"))
}

func TestOnlyTheLatestConsentsWait(t *testing.T) {
	store := memory.New()
	c := newConsenting(t, store)
	first := c.ask(t)
	var last url.Values
	for range 20 {
		last = c.ask(t)
	}
	_, err := c.CompleteAuthorization(t.Context(), answer(first), browser)
	require.ErrorIs(t, err, hub.Forbidden, "the oldest made room")
	_, err = c.CompleteAuthorization(t.Context(), answer(last), browser)
	require.NoError(t, err)

	page, err := store.List(t.Context(), storage.Query{Tenant: "acme", Kind: "auth-waiting"})
	require.NoError(t, err)
	require.Len(t, page.Records, 1)
	assert.NotContains(t, string(page.Records[0].Data), "erifier", "what waits is sealed")
	latest, err := c.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	require.NoError(t, c.DeleteConnector(t.Context(), latest.ID, latest.Revision))
	page, err = store.List(t.Context(), storage.Query{Tenant: "acme", Kind: "auth-waiting"})
	require.NoError(t, err)
	assert.Empty(t, page.Records)
}

func TestAnswersAreHeldAgainstTheIssuer(t *testing.T) {
	for name, c := range map[string]struct {
		says bool
		iss  []string
		ok   bool
	}{
		"said and right":    {true, []string{""}, true},
		"promised, missing": {true, nil, false},
		"wrong":             {false, []string{"https://evil.example.com"}, false},
		"not promised":      {false, nil, true},
		"twice":             {true, []string{"", ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newConsenting(t, memory.New(), func(o *hub.OAuth) {
				o.AuthorizationURL, o.Issuer = "", strings.TrimSuffix(o.TokenURL, "/token")
			})
			metadata(w.srv, "/.well-known/openid-configuration", map[string]any{
				"issuer": w.srv.URL, "authorization_endpoint": "https://as.example.com/authorize",
				"authorization_response_iss_parameter_supported": c.says,
			})
			given := answer(w.ask(t))
			for _, iss := range c.iss {
				if iss == "" {
					iss = w.srv.URL
				}
				given.Add("iss", iss)
			}
			_, err := w.CompleteAuthorization(t.Context(), given, browser)
			assert.Equal(t, c.ok, err == nil, "%v", err)
			if !c.ok {
				assert.ErrorIs(t, err, hub.Forbidden)
				assert.Zero(t, received(w.srv, "/token"), "the code goes nowhere")
			}
		})
	}
}

func TestConsentsThatFail(t *testing.T) {
	c := newConsenting(t, memory.New())
	given := answer(c.ask(t))
	given.Del("code")
	given.Set("error", "access_denied\x1b[31m")
	_, err := c.CompleteAuthorization(t.Context(), given, browser)
	require.ErrorIs(t, err, hub.Unauthorized)
	assert.Contains(t, err.Error(), `access_denied\x1b`, "quoted")

	_, err = c.AuthorizeURL(t.Context(), "con", "too short")
	require.ErrorIs(t, err, hub.Invalid)
	_, err = c.StartDevice(t.Context(), "con")
	require.ErrorIs(t, err, hub.Invalid, "another kind")
	_, err = c.PauseConnector(t.Context(), "con")
	require.NoError(t, err)
	_, err = c.AuthorizeURL(t.Context(), "con", browser)
	require.ErrorIs(t, err, hub.Inactive)

	secret := newConsenting(t, memory.New(), func(o *hub.OAuth) { o.AuthorizationParams[0].Value = "[[clientSecret]]" })
	_, err = secret.AuthorizeURL(t.Context(), "con", browser)
	require.ErrorIs(t, err, hub.Forbidden, "a browser's URL is no place for a secret")
}

// device is a server's answers to the polls of a device.
func device(t testing.TB, polls ...http.Handler) (*consenting, hub.DeviceAuthorization) {
	t.Helper()
	c := &consenting{srv: things(t), now: newClock()}
	c.Tenant = open(t, c.now.on, func(o *hub.Options) { o.Limits.Staleness = -1 }).Tenant("acme")
	c.srv.Handle("POST /device", hubtest.JSON(200, map[string]any{
		"device_code": "dev-0123456789", "user_code": "ABCD-EFGH", "verification_uri": "https://as.example.com/device", "expires_in": 600, "interval": 10,
	}))
	c.srv.Handle("POST /token", hubtest.Sequence(polls...))
	kind(t, c.Tenant, c.srv, hub.Auth{Kind: hub.AuthDeviceCode, OAuth: &hub.OAuth{
		TokenURL: c.srv.URL + "/token", DeviceURL: c.srv.URL + "/device", ClientAuth: hub.ClientNone, Scope: "a",
	}}, map[string]string{"clientId": "me"})
	d, err := c.StartDevice(t.Context(), "con")
	require.NoError(t, err)
	return c, d
}

func TestADeviceIsPolledAtTheServersPace(t *testing.T) {
	refusal := func(code string) hubtest.Answer { return hubtest.JSON(400, map[string]string{"error": code}) }
	c, d := device(t, refusal("authorization_pending"), refusal("slow_down"), hubtest.Status(503), hubtest.Token("tok-0123456789abcdef", time.Hour))
	assert.Equal(t, "ABCD-EFGH", d.UserCode)
	assert.Equal(t, 10*time.Second, d.Interval)
	assert.Equal(t, c.now.Now().Add(10*time.Minute), d.Expires)
	sent := c.srv.Requests()
	assert.Equal(t, "client_id=me&scope=a", string(sent[0].Body))

	poll := func(pass time.Duration, asked int) (bool, error) {
		t.Helper()
		c.now.advance(pass)
		done, err := c.PollDevice(t.Context(), "con", d.ID)
		assert.Equal(t, asked, received(c.srv, "/token"))
		return done, err
	}
	for _, step := range []struct {
		pass  time.Duration
		asked int
	}{{0, 0}, {9 * time.Second, 0}, {time.Second, 1}, {0, 1}, {10 * time.Second, 2}, {10 * time.Second, 2}} {
		done, err := poll(step.pass, step.asked)
		require.NoError(t, err)
		assert.False(t, done)
	}
	_, err := poll(5*time.Second, 3)
	require.Error(t, err, "the server is down")
	done, err := poll(15*time.Second, 4)
	require.NoError(t, err)
	assert.True(t, done, "the code was still good")
	form, _ := formOf(t, c.srv, 3)
	assert.Equal(t, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"dev-0123456789"}, "client_id": {"me"}}, form)
	read(t, c.Tenant)
	_, err = c.PollDevice(t.Context(), "con", d.ID)
	require.ErrorIs(t, err, hub.NotFound)
}

func TestADeviceThatIsRefusedOrForgotten(t *testing.T) {
	for _, code := range []string{"access_denied", "expired_token"} {
		c, d := device(t, hubtest.JSON(400, map[string]string{"error": code}))
		c.now.advance(10 * time.Second)
		_, err := c.PollDevice(t.Context(), "con", d.ID)
		require.ErrorIs(t, err, hub.Unauthorized)
		_, err = c.PollDevice(t.Context(), "con", d.ID)
		require.ErrorIs(t, err, hub.NotFound, "nobody asks again")
		assert.Equal(t, 1, received(c.srv, "/token"))
	}
	c, d := device(t, hubtest.Status(500))
	c.now.advance(10 * time.Minute)
	_, err := c.PollDevice(t.Context(), "con", d.ID)
	require.ErrorIs(t, err, hub.NotFound)
	assert.Zero(t, received(c.srv, "/token"))
}

// What a person consented to goes where it could go then: a host that is added later gets the
// token only after another consent, though the edit renews it.
func TestAConsentReachesNoHostThatIsAddedLater(t *testing.T) {
	c := newConsenting(t, memory.New())
	_, err := c.CompleteAuthorization(t.Context(), answer(c.ask(t)), browser)
	require.NoError(t, err)
	other := things(t)
	con, err := c.GetConnector(t.Context(), c.con.ID)
	require.NoError(t, err)
	con.Hosts = append(con.Hosts, other.Host())
	con.TLS.CA += string(other.CA())
	con.Requests = append(con.Requests, hub.Request{Name: "elsewhere", Method: "GET", URL: other.URL + "/things"})
	_, err = c.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	for range 2 {
		read(t, c.Tenant)
		_, err = c.Execute(t.Context(), hub.Call{Connector: "con", Request: "elsewhere"})
		require.ErrorIs(t, err, hub.Forbidden)
		assert.Contains(t, err.Error(), "authorize the connector again")
		c.now.advance(2 * time.Hour)
	}
	assert.Empty(t, other.Requests())
	_, err = c.CompleteAuthorization(t.Context(), answer(c.ask(t)), browser)
	require.NoError(t, err)
	_, err = c.Execute(t.Context(), hub.Call{Connector: "con", Request: "elsewhere"})
	require.NoError(t, err)
	assert.Len(t, other.Requests(), 1)
}
