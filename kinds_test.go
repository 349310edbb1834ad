package hub_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// kind saves a connector of a kind, with the fields that AuthFields proposes and one request,
// "read", and sets the secrets.
func kind(t testing.TB, h *hub.Tenant, srv *hubtest.Server, auth hub.Auth, values map[string]string, change ...func(*hub.Connector)) hub.Connector {
	t.Helper()
	tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType, tpl.Fields = auth.Kind, hub.AuthFields(auth.Kind) })
	variables, given := map[string]string{}, map[string]string{}
	for name, value := range values {
		given[name] = value
	}
	for _, f := range tpl.Fields {
		if !f.Secret && given[f.Key] != "" {
			variables[f.Key] = given[f.Key]
			delete(given, f.Key)
		}
	}
	con := connector(t, h, srv, append([]func(*hub.Connector){func(c *hub.Connector) {
		c.Template, c.Auth, c.Variables = tpl.ID, auth, variables
		for name := range given {
			c.Secrets = append(c.Secrets, hub.Secret{Name: name})
		}
		c.Requests = []hub.Request{{Name: "read", Method: "GET", URL: srv.URL + "/things?q=1"}, {Name: "write", Method: "POST", URL: srv.URL + "/things", Body: `{"a":1}`}}
	}}, change...)...)
	for name, value := range given {
		require.NoError(t, h.SetSecret(t.Context(), con.ID, name, secrets.New(value)))
	}
	return con
}

// things answers the requests of kind.
func things(t testing.TB) *hubtest.Server {
	t.Helper()
	srv := hubtest.NewServer(t)
	srv.Handle("/things", hubtest.JSON(200, map[string]bool{"ok": true}))
	return srv
}

func read(t testing.TB, h *hub.Tenant) {
	t.Helper()
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.NoError(t, err)
}

func TestFixedCredentialsStandWhereTheirKindPutsThem(t *testing.T) {
	for name, c := range map[string]struct {
		auth   hub.Auth
		values map[string]string
		check  func(*testing.T, hubtest.Request)
	}{
		"API key in a header, all by default": {
			hub.Auth{Kind: hub.AuthAPIKey}, map[string]string{"apiKey": "key-0123456789"},
			func(t *testing.T, r hubtest.Request) {
				assert.Equal(t, "key-0123456789", r.Header.Get("X-Api-Key"))
			},
		},
		"API key with a word before it": {
			hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{Name: "Authorization", Value: "Token token=[[apiKey]]"}}, map[string]string{"apiKey": "key-0123456789"},
			func(t *testing.T, r hubtest.Request) {
				assert.Equal(t, "Token token=key-0123456789", r.Header.Get("Authorization"))
			},
		},
		"API key in the query": {
			hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Name: "api key"}}, map[string]string{"apiKey": "a&b=c d/0123"},
			func(t *testing.T, r hubtest.Request) {
				assert.Equal(t, "/things?q=1&api+key=a%26b%3Dc+d%2F0123", r.Target)
			},
		},
		"API key in a cookie": {
			hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InCookie, Name: "sid"}}, map[string]string{"apiKey": "key-0123456789"},
			func(t *testing.T, r hubtest.Request) { assert.Equal(t, "sid=key-0123456789", r.Header.Get("Cookie")) },
		},
		"basic": {
			hub.Auth{Kind: hub.AuthBasic}, map[string]string{"username": "zoë", "password": "p:ss wörd"},
			func(t *testing.T, r hubtest.Request) {
				assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("zoë:p:ss wörd")), r.Header.Get("Authorization"))
			},
		},
		"bearer": {
			hub.Auth{Kind: hub.AuthBearer}, map[string]string{"token": "tok-0123456789"},
			func(t *testing.T, r hubtest.Request) {
				assert.Equal(t, "Bearer tok-0123456789", r.Header.Get("Authorization"))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv, h := things(t), open(t).Tenant("acme")
			con := kind(t, h, srv, c.auth, c.values)
			read(t, h)
			require.Len(t, srv.Requests(), 1)
			c.check(t, srv.Requests()[0])
			for _, value := range c.values {
				plan, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "read"})
				require.NoError(t, err)
				shown, err := json.Marshal(plan)
				require.NoError(t, err)
				if len(plan.Secrets) == 1 {
					assert.NotContains(t, string(shown), "0123456789", "a plan shows no secret: %s", value)
				}
				assert.Contains(t, string(shown), "[[", "but its name")
			}
			res, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
			require.NoError(t, err)
			assert.Equal(t, hub.OnSuccess, res.Branch, "there is nothing to fetch")
			ready, err := h.Readiness(t.Context(), con.ID)
			require.NoError(t, err)
			assert.True(t, ready.Ready, ready.Missing)
		})
	}
}

func TestCredentialsGoOnlyWhereTheyAreBound(t *testing.T) {
	list, trust := peers(t, 2)
	for _, auth := range []hub.Auth{
		{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{}},
		{Kind: hub.AuthBearer, Bearer: &hub.Bearer{Token: "[[apiKey]]"}},
		{Kind: hub.AuthBasic, Basic: &hub.Basic{Username: "me", Password: "[[apiKey]]"}},
		{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{Key: "[[apiKey]]", Canonical: "{url}", Headers: []hub.Header{{Name: "X-Sig", Value: "{signature}"}}}},
		{Kind: hub.AuthAWS, AWS: &hub.AWS{AccessKeyID: "id", SecretAccessKey: "[[apiKey]]", Region: "r", Service: "s"}},
	} {
		t.Run(string(auth.Kind), func(t *testing.T) {
			h := open(t, trust).Tenant("acme")
			tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = auth.Kind })
			con, err := h.CreateConnector(t.Context(), hub.Connector{
				Name: "con", Template: tpl.ID, Auth: auth, Hosts: hostsOf(list[0]), Secrets: []hub.Secret{{Name: "apiKey"}},
				Requests: []hub.Request{{Name: "read", Method: "GET", URL: list[0].URL + "/things"}},
			})
			require.NoError(t, err)
			require.NoError(t, h.SetSecret(t.Context(), con.ID, "apiKey", secrets.New("key-0123456789")))
			con, err = h.GetConnector(t.Context(), con.ID)
			require.NoError(t, err)
			con.Hosts = hostsOf(list...)
			con.Requests[0].URL = list[1].URL + "/things"
			_, err = h.UpdateConnector(t.Context(), con)
			require.NoError(t, err)

			_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
			require.ErrorIs(t, err, hub.Forbidden)
			assert.Contains(t, err.Error(), "set its value again")
			assert.Empty(t, list[1].Requests())
			ready, err := h.Readiness(t.Context(), con.ID)
			require.NoError(t, err)
			assert.False(t, ready.Ready)
		})
	}
}

func TestPlacesBindCredentialsToo(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	for place, ok := range map[string]bool{"auth": true, "header:x-api-key": true, "header:Other": false, "body": false} {
		tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType, tpl.Name = hub.AuthAPIKey, place })
		_, err := h.CreateConnector(t.Context(), hub.Connector{
			Name: place, Template: tpl.ID, Auth: hub.Auth{APIKey: &hub.APIKey{}}, Hosts: []string{srv.Host()},
			Secrets: []hub.Secret{{Name: "apiKey", Places: []string{place}}},
		})
		assert.Equal(t, ok, err == nil, place)
	}
}

func TestSigningKindsSignEachAttemptAnew(t *testing.T) {
	srv, h := hubtest.NewServer(t), open(t).Tenant("acme")
	srv.Handle("POST /things", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.JSON(200, map[string]bool{"ok": true})))
	kind(t, h, srv, hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{
		KeyEncoding: "hex", Encoding: "base64", Timestamp: "unix-ms",
		Canonical: "{method}\n{path}\n{query}\n{header:X-Client}\n{timestamp}\n{nonce}\n{body}\n[[pepper]]",
		Headers: []hub.Header{
			{Name: "X-Signature", Value: "v1={signature}"}, {Name: "X-Time", Value: "{timestamp}"},
			{Name: "X-Nonce", Value: "{nonce}"}, {Name: "X-Client", Value: "[[client]]"},
		},
	}}, map[string]string{"signingKey": "6b6579", "pepper": "{method}{{x}}"}, func(c *hub.Connector) {
		c.Variables = map[string]string{"client": "me"}
		c.Requests[1].Retry = &hub.Retry{Idempotent: true}
	})
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "write"})
	require.NoError(t, err)
	sent := srv.Requests()
	require.Len(t, sent, 2)
	for _, r := range sent {
		m := hmac.New(sha256.New, []byte("key"))
		m.Write([]byte(strings.Join([]string{"POST", "/things", "", "me", r.Header.Get("X-Time"), r.Header.Get("X-Nonce"), string(r.Body), "{method}{{x}}"}, "\n")))
		assert.Equal(t, "v1="+base64.StdEncoding.EncodeToString(m.Sum(nil)), r.Header.Get("X-Signature"))
	}
	assert.NotEqual(t, sent[0].Header.Get("X-Nonce"), sent[1].Header.Get("X-Nonce"), "signed anew")
}

func TestAWSSignsCallsAndLentRequests(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	kind(t, h, srv, hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{Region: "eu-central-1", Service: "execute-api"}},
		map[string]string{"accessKeyId": "AKID", "secretAccessKey": "wJalrXUtnFEMI"})
	read(t, h)
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	resp, err := client.Post(srv.URL+"/things", "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	sent := srv.Requests()
	require.Len(t, sent, 2)
	sum := sha256.Sum256([]byte("hello"))
	assert.Equal(t, hex.EncodeToString(sum[:]), sent[1].Header.Get("X-Amz-Content-Sha256"))
	assert.Equal(t, "hello", string(sent[1].Body))
	for _, r := range sent {
		assert.Regexp(t, `^AWS4-HMAC-SHA256 Credential=AKID/\d{8}/eu-central-1/execute-api/aws4_request, SignedHeaders=\S*host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$`, r.Header.Get("Authorization"))
	}
}

func TestSessionsOfEveryShape(t *testing.T) {
	jwt := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":4102444800}`)) + ".sig"
	for name, c := range map[string]struct {
		answer  http.Handler
		session hub.Session
		want    string
	}{
		"path": {
			hubtest.JSON(200, map[string]any{"data": map[string]any{"sessionKey": "sess-0123456789", "ttl": 60}}),
			hub.Session{Path: "data.sessionKey", Prefix: "Session ", Expires: &hub.SessionExpiry{Path: "data.ttl"}},
			"Authorization: Session sess-0123456789",
		},
		"number":   {hubtest.JSON(200, map[string]any{"id": 1234567890123}), hub.Session{Path: "id", Name: "X-Session"}, "X-Session: 1234567890123"},
		"a header": {hubtest.Status(204).Header("X-Auth-Token", "sess-0123456789"), hub.Session{AnswerHeader: "x-auth-token", Name: "X-Auth-Token"}, "X-Auth-Token: sess-0123456789"},
		"cookie": {
			hubtest.Status(302).Header("Set-Cookie", "a=b").Header("Set-Cookie", "JSESSIONID=sess-0123456789; Path=/; Secure; HttpOnly"),
			hub.Session{AnswerCookie: "JSESSIONID", Success: &hub.Success{Statuses: []string{"302"}}}, "Cookie: JSESSIONID=sess-0123456789",
		},
		"token with an end": {hubtest.JSON(200, map[string]any{"jwt": jwt}), hub.Session{Path: "jwt", Prefix: "Bearer "}, "Authorization: Bearer " + jwt},
		"in the query":      {hubtest.JSON(200, map[string]any{"t": "sess-0123456789"}), hub.Session{Path: "t", In: hub.InQuery, Name: "sid"}, "GET /things?q=1&sid=sess-0123456789"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, h := things(t), open(t).Tenant("acme")
			srv.Handle("POST /login", c.answer)
			kind(t, h, srv, hub.Auth{
				Kind:    hub.AuthSession,
				Request: &hub.AuthRequest{URL: srv.URL + "/login", MediaType: "application/json", Body: `{"user":"me","password":"[[pw]]"}`},
				Session: &c.session,
			}, map[string]string{"pw": "pw-0123456789"})
			read(t, h)
			read(t, h)
			sent := srv.Requests()
			require.Len(t, sent, 3, "one login for two calls")
			for _, r := range sent[1:] {
				header, value, _ := strings.Cut(c.want, ": ")
				if value == "" {
					assert.Equal(t, c.want, r.Method+" "+r.Target)
					continue
				}
				assert.Equal(t, value, r.Header.Get(header))
			}
		})
	}
}

func TestSessionsLiveAsLongAsDeclared(t *testing.T) {
	for name, c := range map[string]struct {
		answer  map[string]any
		expires *hub.SessionExpiry
		life    time.Duration
	}{
		"seconds":      {map[string]any{"t": "sess-0123456789", "e": 600}, &hub.SessionExpiry{Path: "e"}, 10 * time.Minute},
		"milliseconds": {map[string]any{"t": "sess-0123456789", "e": 600_000}, &hub.SessionExpiry{Path: "e", Form: "milliseconds"}, 10 * time.Minute},
		"date":         {map[string]any{"t": "sess-0123456789", "e": newClock().Now().Add(time.Hour).Format(time.RFC3339)}, &hub.SessionExpiry{Path: "e", Form: "date"}, time.Hour},
		"unix":         {map[string]any{"t": "sess-0123456789", "e": newClock().Now().Add(time.Hour).Unix()}, &hub.SessionExpiry{Path: "e", Form: "unix"}, time.Hour},
		"fixed":        {map[string]any{"t": "sess-0123456789"}, &hub.SessionExpiry{Fixed: 7200}, 2 * time.Hour},
		"not told":     {map[string]any{"t": "sess-0123456789"}, nil, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			srv, h := things(t), open(t, now.on, func(o *hub.Options) { o.Limits.Staleness = -1 }).Tenant("acme")
			srv.Handle("POST /login", hubtest.JSON(200, c.answer))
			kind(t, h, srv, hub.Auth{Kind: hub.AuthSession, Request: &hub.AuthRequest{URL: srv.URL + "/login"}, Session: &hub.Session{Path: "t", Expires: c.expires}}, nil)
			read(t, h)
			now.advance(c.life / 2)
			read(t, h)
			assert.Equal(t, 1, received(srv, "/login"))
			now.advance(c.life/2 + time.Second)
			read(t, h)
			assert.Equal(t, 2, received(srv, "/login"))
		})
	}
}

func TestAnEchoOfBasicCredentialsShowsNothing(t *testing.T) {
	srv, h := hubtest.NewServer(t), open(t).Tenant("acme")
	srv.Handle("GET /things", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hubtest.JSON(200, map[string]string{"you": r.Header.Get("Authorization")}).ServeHTTP(w, r)
	}))
	kind(t, h, srv, hub.Auth{Kind: hub.AuthBasic}, map[string]string{"username": "me", "password": "pw-0123456789"})
	res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"you":"Basic [secret]"}`, string(res.Body))
}

func TestAnSDKsNextRequestHasTheServersNonce(t *testing.T) {
	srv, h := hubtest.NewServer(t), open(t).Tenant("acme")
	srv.Handle("POST /token", hubtest.JSON(200, map[string]any{"access_token": "tok-0123456789abcdef", "token_type": "DPoP"}))
	srv.Handle("GET /things", hubtest.Status(401).Header("DPoP-Nonce", "n1"))
	kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: hub.ClientNone, DPoP: true}},
		map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	for range 2 {
		resp, err := client.Get(srv.URL + "/things")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	sent := srv.Requests()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(sent[len(sent)-1].Header.Get("DPoP"), ".")[1])
	require.NoError(t, err)
	assert.Contains(t, string(claims), `"nonce":"n1"`)
}

func TestCredentialsThatCannotBeSentAreNot(t *testing.T) {
	hmacWith := func(key string) *hub.HMAC {
		return &hub.HMAC{KeyEncoding: key, Canonical: "{body}", Headers: []hub.Header{{Name: "X-Sig", Value: "{signature}"}}}
	}
	for name, c := range map[string]struct {
		auth   hub.Auth
		values map[string]string
		want   string
	}{
		"a line end in a header": {hub.Auth{Kind: hub.AuthAPIKey}, map[string]string{"apiKey": "canary\r\nX-Evil: 1"}, "auth.apiKey.value"},
		"a semicolon in a cookie": {
			hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InCookie, Name: "sid"}}, map[string]string{"apiKey": "canary; admin=1"}, "cookie",
		},
		"a colon in a user name":    {hub.Auth{Kind: hub.AuthBasic}, map[string]string{"username": "a:b", "password": "canary-0123"}, "RFC 7617"},
		"a key of another encoding": {hub.Auth{Kind: hub.AuthHMAC, HMAC: hmacWith("hex")}, map[string]string{"signingKey": "canary-0123"}, "auth.hmac.key"},
		"a line end in a signed header": {
			hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{Canonical: "a", Headers: []hub.Header{{Name: "X-Sig", Value: "{signature} [[extra]]"}}}},
			map[string]string{"signingKey": "canary-0123", "extra": "a\nb"}, "auth.hmac.headers[0].value",
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv, h := things(t), open(t).Tenant("acme")
			kind(t, h, srv, c.auth, c.values)
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, err.Error(), "canary")
			assert.Empty(t, srv.Requests())
		})
	}
}

func TestAQueryCannotReplaceTheKeyInIt(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	kind(t, h, srv, hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Name: "key"}}, map[string]string{"apiKey": "key-0123456789"}, func(c *hub.Connector) {
		c.Requests = append(c.Requests, hub.Request{Name: "dynamic", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic})
	})
	payload, err := json.Marshal(map[string]any{"url": srv.URL + "/things", "method": "GET", "queryParameters": map[string]string{"key": "another"}})
	require.NoError(t, err)
	_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "dynamic", Payload: payload})
	require.ErrorIs(t, err, hub.Forbidden)
	assert.Empty(t, srv.Requests())
}

func TestABodyTooLargeToBeSignedIsNotSent(t *testing.T) {
	srv, h := things(t), open(t, func(o *hub.Options) { o.Limits.RequestBytes = 1000 }).Tenant("acme")
	kind(t, h, srv, hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{Region: "r", Service: "s"}}, map[string]string{"accessKeyId": "AKID", "secretAccessKey": "wJalrXUtnFEMI"})
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	for size, ok := range map[int]bool{1000: true, 1001: false} {
		resp, err := client.Post(srv.URL+"/things", "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err == nil {
			require.NoError(t, resp.Body.Close())
		}
		assert.Equal(t, ok, err == nil, "%d bytes: %v", size, err)
	}
	assert.Equal(t, 1, received(srv, "/things"))
}

func TestEveryKindProposesFieldsThatItsDefaultsReferTo(t *testing.T) {
	for _, auth := range []hub.Auth{
		{Kind: hub.AuthAPIKey}, {Kind: hub.AuthBasic}, {Kind: hub.AuthBearer},
		{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{ClientAuth: hub.ClientBasic}},
		{Kind: hub.AuthRefreshToken, OAuth: &hub.OAuth{ClientAuth: hub.ClientBasic}},
		{Kind: hub.AuthAuthorizationCode, OAuth: &hub.OAuth{ClientAuth: hub.ClientPost, RedirectURL: "https://app.example.com/"}},
		{Kind: hub.AuthDeviceCode, OAuth: &hub.OAuth{ClientAuth: hub.ClientNone}},
		{Kind: hub.AuthJWTBearer, OAuth: &hub.OAuth{ClientAuth: hub.ClientPrivateKeyJWT}},
		{Kind: hub.AuthTokenExchange, OAuth: &hub.OAuth{ClientAuth: hub.ClientPost}},
		{Kind: hub.AuthPassword, OAuth: &hub.OAuth{ClientAuth: hub.ClientPost}},
		{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{Canonical: "a", Headers: []hub.Header{{Name: "X", Value: "{signature}"}}}},
		{Kind: hub.AuthAWS, AWS: &hub.AWS{Region: "r", Service: "s"}},
	} {
		t.Run(string(auth.Kind), func(t *testing.T) {
			srv, h := things(t), open(t).Tenant("acme")
			if auth.OAuth != nil {
				auth.OAuth.Issuer = srv.URL
			}
			con := kind(t, h, srv, auth, nil)
			ready, err := h.Readiness(t.Context(), con.ID)
			require.NoError(t, err)
			missing := map[string]bool{}
			for _, f := range ready.Missing {
				_, name, _ := strings.Cut(f.Path, ".")
				missing[name] = true
			}
			for i, f := range hub.AuthFields(auth.Kind) {
				assert.True(t, missing[f.Key], "%s is asked for", f.Key)
				assert.Equal(t, i+1, f.Order)
				delete(missing, f.Key)
			}
			assert.Empty(t, missing, "and nothing else")
		})
	}
	assert.Empty(t, hub.AuthFields(hub.AuthNone))
	hub.AuthFields(hub.AuthBasic)[0].Key = "changed"
	assert.Equal(t, "username", hub.AuthFields(hub.AuthBasic)[0].Key, "the list is the caller's")
}
