package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// issuer answers each authentication with another token: tok-1, tok-2, …
func issuer(expiresIn string) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		life := ""
		if expiresIn != "" {
			life = `,"expires_in":` + expiresIn
		}
		body := fmt.Sprintf(`{"access_token":"tok-%010d","token_type":"bearer"%s}`, n.Add(1), life)
		hubtest.Bytes(200, "application/json", []byte(body)).ServeHTTP(w, r)
	})
}

// only answers 200 to one token, and 401 to any other.
func only(token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			hubtest.JSON(401, map[string]string{"seen": r.Header.Get("Authorization")}).ServeHTTP(w, r)
		}
	})
}

func TestATokenIsFetchedOnceAndUsedUntilItExpires(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	srv.Handle("POST /token", issuer("600"))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t, now.on, func(o *hub.Options) { o.Limits.Staleness = time.Hour }).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {0, 1}, {449 * time.Second, 1}, {121 * time.Second, 2}, {0, 2}} {
		now.advance(step.pass)
		_, err := execute(t, h, "read")
		require.NoError(t, err)
		assert.Equal(t, step.want, received(srv, "/token"), "30 s before its end a token is not used any more")
	}
}

// The last quarter of a token's life, the calls that use it have it renewed in the background.
func TestATokenIsRenewedAheadOfItsEnd(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	srv.Handle("POST /token", issuer("600"))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t, now.on).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	_, err := execute(t, h, "read")
	require.NoError(t, err)
	now.advance(560 * time.Second)
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	requests := srv.Requests()
	var used []string
	for _, r := range requests {
		if r.URL.Path == "/things" {
			used = append(used, r.Header.Get("Authorization"))
		}
	}
	assert.Equal(t, []string{"Bearer tok-0000000001", "Bearer tok-0000000001"}, used, "the one before serves meanwhile")
	require.Eventually(t, func() bool { return received(srv, "/token") == 2 }, time.Minute, time.Millisecond)
}

// The life of a token is what the answer says, read with tolerance; ten minutes if the answer
// does not say.
func TestStrangeLivesOfTokens(t *testing.T) {
	const standard, month = 10 * time.Minute, 30 * 24 * time.Hour
	for expiresIn, life := range map[string]time.Duration{
		"":               standard,
		"null":           standard,
		"true":           standard,
		`""`:             standard,
		`"soon"`:         standard,
		"{}":             standard,
		"[]":             standard,
		"[60]":           standard,
		`"1 h"`:          standard,
		`"NaN"`:          standard,
		"0":              standard,
		"-1":             standard,
		"-1e300":         standard,
		`"0"`:            standard,
		"0.5":            500 * time.Millisecond,
		"1":              time.Second,
		"10":             10 * time.Second,
		"299":            299 * time.Second,
		"300":            300 * time.Second,
		"301":            301 * time.Second,
		"3600":           time.Hour,
		`"3600"`:         time.Hour,
		"3600.9":         time.Hour + 900*time.Millisecond,
		"3.6e3":          time.Hour,
		"2592000":        month,
		"31536000":       month,
		"9223372036":     month,
		"9223372037":     month,
		"1e18":           standard,
		"1e300":          standard,
		`"+Inf"`:         standard,
		`"315360000000"`: month,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			srv, now := hubtest.NewServer(t), newClock()
			srv.Handle("POST /token", issuer(expiresIn))
			srv.Handle("/things", hubtest.Status(200))
			h := open(t, now.on).Tenant("acme")
			connector(t, h, srv, oauth(srv))
			_, err := execute(t, h, "read")
			require.NoError(t, err)
			st, err := h.AuthStatus(t.Context(), "con")
			require.NoError(t, err)
			assert.Equal(t, life, st.Expires.Sub(st.Since), "the clock stands still")
			now.advance(life)
			_, err = execute(t, h, "read")
			require.NoError(t, err)
			assert.Equal(t, 2, received(srv, "/token"), "and not beyond")
		})
	}
}

func TestARefusedTokenIsRenewedOnceAndTheCallSentAgain(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", only("tok-0000000002"))
	var events []hub.Event
	h := open(t, observe(&events)).Tenant("acme")
	connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Requests[0].Method, c.Requests[0].MediaType, c.Requests[0].Body = "POST", "application/json", `{"a":1}`
		c.Requests[0].Retry = &hub.Retry{IdempotencyHeader: "Idempotency-Key"}
	})
	res, err := execute(t, h, "read")
	require.NoError(t, err)
	require.Len(t, res.Attempts, 2)
	assert.Equal(t, 401, res.Attempts[0].Status)
	assert.Equal(t, 200, res.Attempts[1].Status)
	assert.Equal(t, 2, received(srv, "/token"))
	var keys []string
	for _, r := range srv.Requests() {
		if r.URL.Path == "/things" {
			assert.JSONEq(t, `{"a":1}`, string(r.Body))
			keys = append(keys, r.Header.Get("Idempotency-Key"))
		}
	}
	require.Len(t, keys, 2)
	assert.Equal(t, keys[0], keys[1])
	assert.True(t, events[len(events)-1].TokenRenewed)

	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.Equal(t, 2, received(srv, "/token"), "the new token stays")
}

func TestAnAPIThatRefusesEveryTokenIsNotAskedForEver(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", only("none"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	for i := 1; i <= 3; i++ {
		srv.Forget()
		res, err := execute(t, h, "read")
		e := failed(t, err, hub.Unauthorized)
		assert.Equal(t, 401, e.Status)
		assert.Equal(t, hub.OnError, res.Branch)
		want, tokens := 2, 2 // one to begin with, one extra
		if i > 1 {           // who refuses a token that was fetched for a refusal refuses them all
			want, tokens = 1, 0
		}
		assert.Equal(t, want, e.Attempts)
		assert.Equal(t, want, received(srv, "/things"))
		assert.Equal(t, tokens, received(srv, "/token"))
	}
}

// The answer that refused the token is all the caller has when there is no other token, or no
// other answer.
func TestARenewalInVainKeepsTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		token  http.Handler
		things http.Handler
		code   hub.Code
		sends  int
	}{
		"no other token": {hubtest.Sequence(hubtest.Token("tok-0000000001", time.Hour), hubtest.JSON(400, map[string]string{"error": "invalid_client"})),
			only("none"), hub.Unauthorized, 1},
		"no other answer": {issuer("3600"), hubtest.Sequence(only("none"), hubtest.Drop()), hub.BadAnswer, 2},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", tt.token)
			srv.Handle("/things", tt.things)
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Requests[0].Retry = &hub.Retry{Attempts: 1} })
			res, err := execute(t, h, "read")
			e := failed(t, err, tt.code)
			assert.True(t, e.Sent)
			assert.Equal(t, tt.sends, e.Attempts)
			require.NotNil(t, res)
			assert.Equal(t, 401, res.Status)
			assert.Equal(t, hub.OnError, res.Branch)
			assert.Equal(t, "Bearer [secret]", res.Get("seen").String(), "the refused token is masked, too")
		})
	}
}

func TestConcurrentCallersWithARefusedTokenRenewItOnce(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", only("tok-0000000002"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := execute(t, h, "read")
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Equal(t, 2, received(srv, "/token"))
}

func TestAStampedeAtExpiryFetchesOneToken(t *testing.T) {
	const callers = 10_000
	srv, now := hubtest.NewServer(t), newClock()
	var started sync.WaitGroup
	var tokens atomic.Int64
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens.Add(1)
		started.Wait() // while all others come
		answer := map[string]any{"access_token": "tok-0123456789", "expires_in": 3600, "base": "https://elsewhere.example"}
		hubtest.JSON(200, answer).ServeHTTP(w, r)
	}))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t, now.on, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.TenantCalls = -1, -1 }).Tenant("acme")
	connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Timeout = 120_000 },
		// The answer's own words keep this call at home: it ends right after it had the token.
		manual("stay", "GET", "[[@auth.base]]/things"))
	_, err := execute(t, h, "read")
	require.NoError(t, err)
	require.EqualValues(t, 1, tokens.Load())

	now.advance(2 * time.Hour)
	started.Add(callers)
	var wg sync.WaitGroup
	var authorized atomic.Int64
	for range callers {
		wg.Go(func() {
			started.Done()
			if _, err := execute(t, h, "stay"); errors.Is(err, hub.Forbidden) || errors.Is(err, hub.Invalid) {
				authorized.Add(1)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, callers, authorized.Load())
	assert.EqualValues(t, 2, tokens.Load())
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.EqualValues(t, 2, tokens.Load())
}

func TestACallerThatGivesUpDoesNotDisturbTheAuthenticationOfOthers(t *testing.T) {
	srv := hubtest.NewServer(t)
	reached, answer := make(chan struct{}), make(chan struct{})
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(reached)
		<-answer
		issuer("3600").ServeHTTP(w, r)
	}))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))

	first, second := make(chan error, 1), make(chan error, 1)
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "read"})
		first <- err
	}()
	<-reached
	go func() { _, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"}); second <- err }()
	giveUp()
	e := failed(t, <-first, hub.Canceled)
	assert.False(t, e.Sent)
	close(answer)
	require.NoError(t, <-second)
	assert.Equal(t, 1, received(srv, "/token"))
}

func TestATokenIsFetchedAnewAfterWhatItDependsOnHasChanged(t *testing.T) {
	edit := func(f func(*hub.Connector)) func(*testing.T, *hub.Tenant, string) {
		return func(t *testing.T, h *hub.Tenant, id string) {
			con, err := h.GetConnector(t.Context(), id)
			require.NoError(t, err)
			f(&con)
			_, err = h.UpdateConnector(t.Context(), con)
			require.NoError(t, err)
		}
	}
	for name, tt := range map[string]struct {
		change func(*testing.T, *hub.Tenant, string)
		want   int
	}{
		"nothing":     {func(*testing.T, *hub.Tenant, string) {}, 1},
		"the name":    {edit(func(c *hub.Connector) { c.Tags = []string{"x"} }), 1},
		"a request":   {edit(func(c *hub.Connector) { c.Requests[0].Timeout = 5000 }), 1},
		"a variable":  {edit(func(c *hub.Connector) { c.Variables = map[string]string{"client": "b"} }), 2},
		"the body":    {edit(func(c *hub.Connector) { c.Auth.Request.Body += "&scope=x" }), 2},
		"the address": {edit(func(c *hub.Connector) { c.Auth.Request.URL += "?tenant=x" }), 2},
		"the secret": {func(t *testing.T, h *hub.Tenant, id string) {
			require.NoError(t, h.SetSecret(t.Context(), id, "password", secrets.New("another-password")))
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", issuer("3600"))
			srv.Handle("/things", hubtest.Status(200))
			h := open(t).Tenant("acme")
			con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
				c.Variables = map[string]string{"client": "a"}
				c.Secrets = []hub.Secret{{Name: "password"}}
				c.Auth.Request.Body = "client=[[client]]&password=[[password]]"
			})
			require.NoError(t, h.SetSecret(t.Context(), con.ID, "password", secrets.New("first-password")))
			_, err := execute(t, h, "read")
			require.NoError(t, err)
			tt.change(t, h, con.ID)
			_, err = execute(t, h, "read")
			require.NoError(t, err)
			assert.Equal(t, tt.want, received(srv, "/token"))
		})
	}
}

// An authentication that began before an edit serves those who asked before it.
func TestAnAuthenticationOfBeforeAnEditServesNoCallAfterIt(t *testing.T) {
	srv := hubtest.NewServer(t)
	reached, answer := make(chan struct{}), make(chan struct{})
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "new") {
			hubtest.Token("tok-of-after", time.Hour).ServeHTTP(w, r)
			return
		}
		close(reached)
		<-answer
		hubtest.Token("tok-of-before", time.Hour).ServeHTTP(w, r)
	}))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, oauth(srv))
	before := make(chan error, 1)
	go func() { _, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"}); before <- err }()
	<-reached
	con.Auth.Request.URL += "?new=1"
	_, err := h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)

	_, err = execute(t, h, "read")
	require.NoError(t, err)
	close(answer)
	require.NoError(t, <-before)
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	var used []string
	for _, r := range srv.Requests() {
		if r.URL.Path == "/things" {
			used = append(used, r.Header.Get("Authorization"))
		}
	}
	assert.Equal(t, []string{"Bearer tok-of-after", "Bearer tok-of-before"}, used[:2])
	assert.Equal(t, "Bearer tok-of-after", used[2])
}

func TestAnswersOfAuthenticationsThatYieldNoToken(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.Handler
		code   hub.Code
		detail string
	}{
		"refused":          {hubtest.JSON(401, map[string]string{"error": "invalid_client"}), hub.Unauthorized, `error "invalid_client"`},
		"refused by 400":   {hubtest.JSON(400, map[string]string{"error": "invalid_grant"}), hub.Unauthorized, `error "invalid_grant"`},
		"no token":         {hubtest.JSON(200, map[string]string{"token": "x"}), hub.Unauthorized, "no access_token"},
		"an empty one":     {hubtest.JSON(200, map[string]string{"access_token": ""}), hub.Unauthorized, "no access_token"},
		"not text":         {hubtest.JSON(200, map[string]int{"access_token": 7}), hub.Unauthorized, "no access_token"},
		"not Bearer":       {hubtest.JSON(200, map[string]string{"access_token": "tok", "token_type": "mac"}), hub.Unauthorized, "token_type"},
		"a second header":  {hubtest.JSON(200, map[string]string{"access_token": "a\r\nX-Evil: 1"}), hub.Unauthorized, "cannot stand in a header"},
		"no JSON":          {hubtest.Text(200, "<html>"), hub.Unauthorized, "no access_token"},
		"nothing":          {hubtest.Status(204), hub.Unauthorized, "no access_token"},
		"a server error":   {hubtest.Status(500), hub.Rejected, "status 500"},
		"a broken answer":  {hubtest.Text(200, "0123456789").DropAfter(3), hub.BadAnswer, "authentication"},
		"too deep to read": {hubtest.Bytes(200, "application/json", []byte(`{"access_token":"tok","x":`+strings.Repeat("[", 600)+strings.Repeat("]", 600)+"}")), hub.Unauthorized, "no access_token"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", tt.answer)
			srv.Handle("/things", hubtest.Status(200))
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv))
			res, err := execute(t, h, "read")
			e := failed(t, err, tt.code)
			assert.Nil(t, res)
			assert.Contains(t, e.Detail(), tt.detail)
			assert.Zero(t, e.Attempts)
			assert.Zero(t, received(srv, "/things"))
		})
	}
}

func TestTheAnswerOfAnAuthenticationNamesTheOriginOfCalls(t *testing.T) {
	srv, other := hubtest.NewServer(t), hubtest.NewServer(t)
	for _, s := range []*hubtest.Server{srv, other} {
		s.Handle("GET /data", hubtest.Status(200))
	}
	for name, tt := range map[string]struct {
		instance string
		code     hub.Code
	}{
		"one of the hosts":   {srv.URL, ""},
		"another host":       {other.URL, hub.Forbidden},
		"no origin":          {"here", hub.Forbidden},
		"with a user":        {strings.Replace(srv.URL, "https://", "https://x@", 1), hub.Forbidden},
		"with a path":        {srv.URL + "/../..", hub.Forbidden},
		"not of this scheme": {"ftp://" + srv.Host(), hub.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Handle("POST /token", hubtest.JSON(200, map[string]string{"access_token": "tok-0123456789", "instance_url": tt.instance}))
			srv.Forget()
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Requests[0].URL = "[[@auth.instance_url]]/data" })
			_, err := execute(t, h, "read")
			if tt.code == "" {
				require.NoError(t, err)
				assert.Equal(t, 1, received(srv, "/data"))
				return
			}
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "tok-0123456789")
			assert.Zero(t, received(srv, "/data"))
			assert.Empty(t, other.Requests())
		})
	}
}

func TestTenantsAndConnectorsDoNotShareTokens(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t)
	for i, tenant := range []string{"a", "b", ""} {
		view := h.Tenant(tenant)
		connector(t, view, srv, oauth(srv), func(c *hub.Connector) { c.ID = "same" })
		for range 2 {
			_, err := execute(t, view, "read")
			require.NoError(t, err)
		}
		assert.Equal(t, i+1, received(srv, "/token"), "tenant "+strconv.Quote(tenant))
	}
}

// What refuses the token is mended by another token, and never by the same one once more,
// whatever statuses are worth another attempt.
func TestARefusedTokenIsNotSentAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		statuses []string
		status   int
	}{
		"by a status that is repeated": {[]string{"4xx"}, 401},
		"by a declared refusal":        {nil, 503},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", issuer("3600"))
			srv.Handle("/things", hubtest.Sequence(hubtest.Status(tt.status), hubtest.Status(tt.status), hubtest.Status(200)))
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
				c.Auth.Refused = []hub.AnswerMatch{{Statuses: []string{"503"}}}
				c.Requests[0].Retry = &hub.Retry{Statuses: tt.statuses}
			})
			_, err := execute(t, h, "read")
			failed(t, err, hub.Unauthorized)
			assert.Equal(t, 2, received(srv, "/things"), "one with each token")
			assert.Equal(t, 2, received(srv, "/token"))
		})
	}
}
