package hub_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// signingKey makes a private key, PEM.
func signingKey(t testing.TB) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// authServer is things with a token endpoint that remembers its forms.
func authServer(t testing.TB) *hubtest.Server {
	t.Helper()
	srv := things(t)
	srv.Handle("POST /token", hubtest.JSON(200, map[string]any{
		"access_token": "tok-0123456789abcdef", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "ref-0123456789abcdef",
	}))
	return srv
}

// formOf returns the form of the nth token request.
func formOf(t testing.TB, srv *hubtest.Server, n int) (url.Values, http.Header) {
	t.Helper()
	for _, r := range srv.Requests() {
		if r.URL.Path != "/token" {
			continue
		}
		if n--; n < 0 {
			form, err := url.ParseQuery(string(r.Body))
			require.NoError(t, err)
			assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
			return form, r.Header
		}
	}
	require.Fail(t, "no such token request")
	return nil, nil
}

func TestTokenRequestsOfEachGrant(t *testing.T) {
	key, keyText := signingKey(t)
	values := map[string]string{
		"clientId": "me&co", "clientSecret": "s3cret&=?/0123", "username": "zoë", "password": "p&ss wörd 01",
		"refreshToken": "old-0123456789", "subjectToken": "sub-0123456789", "privateKey": keyText,
	}
	for name, c := range map[string]struct {
		kind  hub.AuthKind
		oauth hub.OAuth
		want  url.Values
	}{
		"client credentials": {
			hub.AuthClientCredentials, hub.OAuth{Scope: "a b", Audience: []string{"x"}, Resource: []string{"https://r"}, TokenParams: []hub.Param{{Name: "tenant", Value: "t-[[clientId]]"}}},
			url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "audience": {"x"}, "resource": {"https://r"}, "tenant": {"t-me&co"}},
		},
		"refresh token": {
			hub.AuthRefreshToken, hub.OAuth{}, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"old-0123456789"}},
		},
		"password": {
			hub.AuthPassword, hub.OAuth{}, url.Values{"grant_type": {"password"}, "username": {"zoë"}, "password": {"p&ss wörd 01"}},
		},
		"token exchange": {
			hub.AuthTokenExchange, hub.OAuth{Exchange: &hub.Exchange{ActorToken: "[[clientSecret]]", ActorTokenType: "urn:a", RequestedTokenType: "urn:r"}},
			url.Values{
				"grant_type":    {"urn:ietf:params:oauth:grant-type:token-exchange"},
				"subject_token": {"sub-0123456789"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
				"actor_token": {"s3cret&=?/0123"}, "actor_token_type": {"urn:a"}, "requested_token_type": {"urn:r"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv, h := authServer(t), open(t).Tenant("acme")
			given := map[string]string{"clientId": values["clientId"], "clientSecret": values["clientSecret"]}
			for _, f := range hub.AuthFields(c.kind) {
				given[f.Key] = values[f.Key]
			}
			c.oauth.TokenURL, c.oauth.ClientAuth = srv.URL+"/token", hub.ClientPost
			kind(t, h, srv, hub.Auth{Kind: c.kind, OAuth: &c.oauth}, given)
			read(t, h)
			form, header := formOf(t, srv, 0)
			c.want.Set("client_id", "me&co")
			c.want.Set("client_secret", "s3cret&=?/0123")
			assert.Equal(t, c.want, form)
			assert.Empty(t, header.Get("Authorization"), "the client authenticates once")
			sent := srv.Requests()
			assert.Equal(t, "Bearer tok-0123456789abcdef", sent[len(sent)-1].Header.Get("Authorization"))

			_, err := h.Authenticate(t.Context(), "con")
			require.NoError(t, err)
			form, _ = formOf(t, srv, 1)
			assert.Equal(t, "refresh_token", form.Get("grant_type"), "renewed by the refresh token")
			assert.Equal(t, "ref-0123456789abcdef", form.Get("refresh_token"))
		})
	}

	t.Run("JWT bearer", func(t *testing.T) {
		srv, h := authServer(t), open(t).Tenant("acme")
		kind(t, h, srv, hub.Auth{Kind: hub.AuthJWTBearer, OAuth: &hub.OAuth{
			TokenURL: srv.URL + "/token", ClientAuth: hub.ClientNone,
			Assertion: &hub.Assertion{Key: hub.SigningKey{ID: "k7"}, Issuer: "svc", Subject: "[[clientId]]", Claims: map[string]string{"scope": "a"}},
		}}, map[string]string{"clientId": "zoë", "privateKey": keyText})
		read(t, h)
		form, _ := formOf(t, srv, 0)
		assert.Equal(t, "urn:ietf:params:oauth:grant-type:jwt-bearer", form.Get("grant_type"))
		token, err := jwt.Parse(form.Get("assertion"), func(*jwt.Token) (any, error) { return key.Public(), nil }, jwt.WithAudience(srv.URL+"/token"), jwt.WithExpirationRequired())
		require.NoError(t, err)
		claims := token.Claims.(jwt.MapClaims)
		assert.Equal(t, "k7", token.Header["kid"])
		for name, want := range map[string]any{"iss": "svc", "sub": "zoë", "scope": "a"} {
			assert.Equal(t, want, claims[name], name)
		}
		assert.InDelta(t, 300, claims["exp"].(float64)-claims["iat"].(float64), 0.1)
	})
}

func TestClientsAuthenticateInTheWayThatIsWrittenDown(t *testing.T) {
	_, keyText := signingKey(t)
	for way, want := range map[hub.ClientAuth]struct{ header, form []string }{
		hub.ClientNone:          {nil, []string{"client_id", "grant_type"}},
		hub.ClientBasic:         {[]string{"Basic " + base64.StdEncoding.EncodeToString([]byte("me%26co:s3cret%26%2F0123"))}, []string{"grant_type"}},
		hub.ClientPost:          {nil, []string{"client_id", "client_secret", "grant_type"}},
		hub.ClientPrivateKeyJWT: {nil, []string{"client_assertion", "client_assertion_type", "client_id", "grant_type"}},
	} {
		t.Run(string(way), func(t *testing.T) {
			srv, h := authServer(t), open(t).Tenant("acme")
			kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: way}},
				map[string]string{"clientId": "me&co", "clientSecret": "s3cret&/0123", "privateKey": keyText})
			read(t, h)
			form, header := formOf(t, srv, 0)
			assert.Equal(t, want.header, header.Values("Authorization"))
			var names []string
			for name := range form {
				names = append(names, name)
			}
			assert.ElementsMatch(t, want.form, names)
			assert.Equal(t, 1, received(srv, "/token"))
		})
	}
}

func TestTokensOfAnotherTypeAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		dpop   bool
		answer string
	}{
		"mac": {false, "mac"}, "a bound token that was not asked for": {false, "DPoP"}, "a token that is not bound": {true, "Bearer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, h := things(t), open(t).Tenant("acme")
			srv.Handle("POST /token", hubtest.JSON(200, map[string]any{"access_token": "tok-0123456789abcdef", "token_type": c.answer}))
			kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: hub.ClientNone, DPoP: c.dpop}},
				map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
			require.ErrorIs(t, err, hub.Unauthorized)
			assert.Contains(t, err.Error(), "token_type")
			assert.Zero(t, received(srv, "/things"))
		})
	}
}

func TestProofsOfPossessionTakeTheServersNonce(t *testing.T) {
	srv, h := hubtest.NewServer(t), open(t).Tenant("acme")
	var used []string // nonces that /things got
	claims := func(r *http.Request) jwt.MapClaims {
		token, _, err := jwt.NewParser().ParseUnverified(r.Header.Get("DPoP"), jwt.MapClaims{})
		require.NoError(t, err)
		return token.Claims.(jwt.MapClaims)
	}
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if nonce, _ := claims(r)["nonce"].(string); nonce != "n1" {
			hubtest.JSON(400, map[string]string{"error": "use_dpop_nonce"}).Header("DPoP-Nonce", "n1").ServeHTTP(w, r)
			return
		}
		hubtest.JSON(200, map[string]any{"access_token": "tok-0123456789abcdef", "token_type": "DPoP"}).Header("DPoP-Nonce", "n2").ServeHTTP(w, r)
	}))
	srv.Handle("GET /things", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce, _ := claims(r)["nonce"].(string)
		used = append(used, nonce)
		assert.NotEmpty(t, claims(r)["ath"])
		if nonce != "n3" {
			hubtest.Status(401).Header("WWW-Authenticate", `DPoP error="use_dpop_nonce"`).Header("DPoP-Nonce", "n3").ServeHTTP(w, r)
			return
		}
		hubtest.Status(200).ServeHTTP(w, r)
	}))
	kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: hub.ClientNone, DPoP: true}},
		map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
	read(t, h)
	read(t, h)
	assert.Equal(t, []string{"n2", "n3", "n3"}, used)
	assert.Equal(t, 2, received(srv, "/token"))
	sent := srv.Requests()
	assert.Equal(t, "DPoP tok-0123456789abcdef", sent[len(sent)-1].Header.Get("Authorization"))
}

func TestAServerThatAlwaysWantsAnotherNonceEndsNoLoop(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	srv.Handle("POST /token", hubtest.JSON(400, map[string]string{"error": "use_dpop_nonce"}).Header("DPoP-Nonce", "again"))
	kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: hub.ClientNone, DPoP: true}},
		map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.ErrorIs(t, err, hub.Unauthorized)
	assert.Equal(t, 2, received(srv, "/token"))
}

// metadata answers the well-known places of an issuer.
func metadata(srv *hubtest.Server, place string, m map[string]any) {
	srv.Handle("GET "+place, hubtest.JSON(200, m))
}

func TestEndpointsAreDiscovered(t *testing.T) {
	for name, place := range map[string]string{"OpenID Connect": "/as/.well-known/openid-configuration", "RFC 8414": "/.well-known/oauth-authorization-server/as"} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			srv, h := authServer(t), open(t, now.on, func(o *hub.Options) { o.Limits.Staleness = -1 }).Tenant("acme")
			metadata(srv, place, map[string]any{"issuer": srv.URL + "/as", "token_endpoint": srv.URL + "/token"})
			kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{Issuer: srv.URL + "/as", ClientAuth: hub.ClientBasic}},
				map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
			read(t, h)
			now.advance(59 * time.Minute)
			_, err := h.Authenticate(t.Context(), "con")
			require.NoError(t, err)
			assert.Equal(t, 2, received(srv, "/token"))
			assert.Equal(t, 1, received(srv, place), "kept for an hour")
			now.advance(2 * time.Minute)
			_, err = h.Authenticate(t.Context(), "con")
			require.NoError(t, err)
			assert.Equal(t, 2, received(srv, place))
		})
	}
}

// RFC 8705 section 5: a client with a certificate uses the endpoints that are meant for it.
func TestEndpointsForClientsWithACertificateAreDiscovered(t *testing.T) {
	for _, certified := range []bool{false, true} {
		t.Run(strconv.FormatBool(certified), func(t *testing.T) {
			srv, h := authServer(t), open(t).Tenant("acme")
			srv.Handle("POST /mtls", hubtest.JSON(200, map[string]any{"access_token": "tok-0123456789abcdef", "token_type": "Bearer"}))
			metadata(srv, "/.well-known/openid-configuration", map[string]any{
				"issuer": srv.URL, "token_endpoint": srv.URL + "/token",
				"mtls_endpoint_aliases": map[string]string{"token_endpoint": srv.URL + "/mtls"},
			})
			values := map[string]string{"clientId": "me", "clientSecret": "not used by these"}
			way := hub.ClientNone
			cert, key, err := srv.ClientCert("hub")
			require.NoError(t, err)
			if certified {
				way, values["certificateKey"] = hub.ClientTLS, string(key)
			}
			kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{Issuer: srv.URL, ClientID: "me", ClientAuth: way}}, values,
				func(c *hub.Connector) {
					if certified {
						c.TLS.Certificate, c.TLS.Key = string(cert), "certificateKey"
					}
				})
			read(t, h)
			assert.Equal(t, certified, received(srv, "/mtls") == 1)
			assert.Equal(t, certified, received(srv, "/token") == 0)
		})
	}
}

func TestDiscoveryTrustsNobodyElse(t *testing.T) {
	list, trust := peers(t, 2)
	for name, c := range map[string]struct {
		metadata map[string]any
		code     hub.Code
	}{
		"another issuer":         {map[string]any{"issuer": list[0].URL + "/", "token_endpoint": list[0].URL + "/token"}, hub.Unauthorized},
		"a host that is foreign": {map[string]any{"issuer": list[0].URL, "token_endpoint": list[1].URL + "/token"}, hub.Forbidden},
		"no endpoint":            {map[string]any{"issuer": list[0].URL}, hub.Unauthorized},
		"another scheme":         {map[string]any{"issuer": list[0].URL, "token_endpoint": "file:///etc/passwd"}, hub.Unauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, trust).Tenant("acme")
			metadata(list[0], "/.well-known/openid-configuration", c.metadata)
			kind(t, h, list[0], hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{Issuer: list[0].URL, ClientAuth: hub.ClientBasic}},
				map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
			require.ErrorIs(t, err, c.code)
			assert.Empty(t, list[1].Requests())
			assert.Zero(t, received(list[0], "/token"))
		})
	}
}

func TestRulesOfAuth(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	oauth := func(change func(*hub.OAuth)) *hub.OAuth {
		o := &hub.OAuth{TokenURL: srv.URL + "/token", ClientID: "me", ClientAuth: hub.ClientNone}
		change(o)
		return o
	}
	for name, c := range map[string]struct {
		auth hub.Auth
		want string // path and rule
	}{
		"member of another kind":   {hub.Auth{Kind: hub.AuthBasic, Bearer: &hub.Bearer{}}, "auth.bearer auth"},
		"unknown secret":           {hub.Auth{Kind: hub.AuthBearer, Bearer: &hub.Bearer{Token: "[[nope]]"}}, "auth.bearer.token unknown-reference"},
		"payload":                  {hub.Auth{Kind: hub.AuthBearer, Bearer: &hub.Bearer{Token: "{{x}}"}}, "auth.bearer.token no-payload"},
		"reserved header":          {hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{Name: "Host", Value: "x"}}, "auth.apiKey.name header-name"},
		"carrier":                  {hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: "body", Value: "x"}}, "auth.apiKey.in enum"},
		"no client authentication": {hub.Auth{Kind: hub.AuthClientCredentials, OAuth: oauth(func(o *hub.OAuth) { o.ClientAuth = "" })}, "auth.oauth.clientAuth enum"},
		"no endpoint":              {hub.Auth{Kind: hub.AuthClientCredentials, OAuth: oauth(func(o *hub.OAuth) { o.TokenURL = "" })}, "auth.oauth.tokenUrl required"},
		"no redirect":              {hub.Auth{Kind: hub.AuthAuthorizationCode, OAuth: oauth(func(o *hub.OAuth) { o.AuthorizationURL = "https://a.example" })}, "auth.oauth.redirectUrl required"},
		"authorization endpoint":   {hub.Auth{Kind: hub.AuthAuthorizationCode, OAuth: oauth(func(o *hub.OAuth) { o.AuthorizationURL, o.RedirectURL = "javascript:x", "https://a.example" })}, "auth.oauth.authorizationUrl url"},
		"no device endpoint":       {hub.Auth{Kind: hub.AuthDeviceCode, OAuth: oauth(func(*hub.OAuth) {})}, "auth.oauth.deviceUrl required"},
		"unused":                   {hub.Auth{Kind: hub.AuthClientCredentials, OAuth: oauth(func(o *hub.OAuth) { o.ClientSecret = "x" })}, "auth.oauth.clientSecret auth"},
		"scope":                    {hub.Auth{Kind: hub.AuthClientCredentials, OAuth: oauth(func(o *hub.OAuth) { o.Scope = "a\nb" })}, "auth.oauth.scope scope"},
		"own parameter":            {hub.Auth{Kind: hub.AuthClientCredentials, OAuth: oauth(func(o *hub.OAuth) { o.TokenParams = []hub.Param{{Name: "grant_type"}} })}, "auth.oauth.tokenParams[0].name reserved"},
		"own claim": {hub.Auth{Kind: hub.AuthJWTBearer, OAuth: oauth(func(o *hub.OAuth) {
			o.Assertion = &hub.Assertion{Key: hub.SigningKey{Key: "x"}, Claims: map[string]string{"exp": "1"}}
		})}, "auth.oauth.assertion.claims.exp reserved"},
		"algorithm": {hub.Auth{Kind: hub.AuthJWTBearer, OAuth: oauth(func(o *hub.OAuth) {
			o.Assertion = &hub.Assertion{Key: hub.SigningKey{Key: "x", Algorithm: "none"}}
		})}, "auth.oauth.assertion.key.algorithm enum"},
		"session without a place": {hub.Auth{Kind: hub.AuthSession, Request: &hub.AuthRequest{URL: srv.URL}, Session: &hub.Session{}}, "auth.session required"},
		"session path":            {hub.Auth{Kind: hub.AuthSession, Request: &hub.AuthRequest{URL: srv.URL}, Session: &hub.Session{Path: "a|@dig:x"}}, "auth.session.path path"},
		"session without an end":  {hub.Auth{Kind: hub.AuthSession, Request: &hub.AuthRequest{URL: srv.URL}, Session: &hub.Session{Path: "a", Expires: &hub.SessionExpiry{}}}, "auth.session.expires required"},
		"no signature":            {hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{Key: "k", Canonical: "{body}"}}, "auth.hmac.headers required"},
		"signature of itself":     {hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{Key: "k", Canonical: "{signature}", Headers: []hub.Header{{Name: "X", Value: "{signature}"}}}}, "auth.hmac.canonical signature"},
		"hash":                    {hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{Key: "k", Algorithm: "md5", Canonical: "a", Headers: []hub.Header{{Name: "X", Value: "{signature}"}}}}, "auth.hmac.algorithm enum"},
		"region":                  {hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{AccessKeyID: "a", SecretAccessKey: "b", Service: "s", Region: "a/b"}}, "auth.aws.region pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = c.auth.Kind })
			_, err := h.CreateConnector(t.Context(), hub.Connector{Name: name, Template: tpl.ID, Auth: c.auth, Hosts: []string{srv.Host()}})
			var e *hub.Error
			require.ErrorAs(t, err, &e)
			var got []string
			for _, f := range e.Fields {
				got = append(got, f.Path+" "+f.Rule)
			}
			assert.Contains(t, got, c.want)
		})
	}
}

func TestRequestsLeaveTheAuthenticationsHeadersAlone(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = hub.AuthAPIKey })
	_, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Auth: hub.Auth{APIKey: &hub.APIKey{Name: "X-Key", Value: "v"}}, Hosts: []string{srv.Host()},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: srv.URL, Headers: []hub.Header{{Name: "x-KEY", Value: "mine"}}}},
	})
	require.ErrorIs(t, err, hub.Invalid)
	assert.Contains(t, err.Error(), "requests[0].headers[0].name")
}

func TestReadinessOfTheKinds(t *testing.T) {
	srv, h := things(t), open(t).Tenant("acme")
	missing := func(auth hub.Auth) (paths []string, warnings string) {
		tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = auth.Kind; tpl.Name += string(auth.Kind) })
		con := hub.Connector{Name: string(auth.Kind), Template: tpl.ID, Auth: auth, Hosts: []string{srv.Host()}, Secrets: []hub.Secret{{Name: "s"}}}
		saved, err := h.CreateConnector(t.Context(), con)
		require.NoError(t, err)
		ready, err := h.Readiness(t.Context(), saved.ID)
		require.NoError(t, err)
		for _, f := range ready.Missing {
			paths = append(paths, f.Path)
		}
		text, err := json.Marshal(ready.Warnings)
		require.NoError(t, err)
		return paths, string(text)
	}
	undefined, _ := missing(hub.Auth{Kind: hub.AuthBasic})
	assert.Equal(t, []string{"auth.basic"}, undefined)
	session, _ := missing(hub.Auth{Kind: hub.AuthSession})
	assert.Equal(t, []string{"auth.request", "auth.session"}, session)
	unset, _ := missing(hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{AccessKeyID: "a", SecretAccessKey: "[[s]]", Region: "r", Service: "s"}})
	assert.Equal(t, []string{"secrets.s"}, unset)
	uncertified, _ := missing(hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL, ClientID: "x", ClientAuth: hub.ClientTLS}})
	assert.Equal(t, []string{"tls.certificate"}, uncertified)
	_, discouraged := missing(hub.Auth{Kind: hub.AuthPassword, OAuth: &hub.OAuth{TokenURL: srv.URL, ClientID: "x", ClientAuth: hub.ClientNone, Username: "u", Password: "[[s]]"}})
	assert.Contains(t, discouraged, "RFC 9700")
	_, query := missing(hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Value: "[[s]]"}})
	assert.Contains(t, query, "logs")
}

func TestAKeyThatDoesNotParseIsNotShown(t *testing.T) {
	srv, h := authServer(t), open(t).Tenant("acme")
	con := kind(t, h, srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientAuth: hub.ClientPrivateKeyJWT}},
		map[string]string{"clientId": "me", "clientSecret": "unused-0123", "privateKey": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IHNlY3JldA==\n-----END PRIVATE KEY-----\n"})
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.ErrorIs(t, err, hub.Invalid)
	assert.Contains(t, err.Error(), "auth.oauth.clientKey.key")
	assert.NotContains(t, err.Error(), "c2VjcmV0")
	assert.Zero(t, received(srv, "/token"))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "privateKey", secrets.New(strings.Repeat("x", 100))))
	_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.ErrorIs(t, err, hub.Invalid)
}

func TestWhatATokenEndpointEchoesShowsNothing(t *testing.T) {
	now := newClock()
	srv, h := authServer(t), open(t, now.on).Tenant("acme")
	kind(t, h, srv, hub.Auth{Kind: hub.AuthRefreshToken, OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientID: "me", ClientAuth: hub.ClientNone}},
		map[string]string{"refreshToken": "the-first-refresh-token", "clientId": "me", "clientSecret": "not used by this one"})
	read(t, h)
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hubtest.JSON(400, map[string]string{
			"error": "no such token: " + r.FormValue("refresh_token"), "error_description": r.FormValue("refresh_token"),
		}).ServeHTTP(w, r)
	}))
	now.advance(2 * time.Hour)
	res, err := h.Authenticate(t.Context(), "con")
	require.ErrorIs(t, err, hub.Unauthorized)
	st, failed := h.AuthStatus(t.Context(), "con")
	require.NoError(t, failed)
	form, _ := formOf(t, srv, 1)
	require.Equal(t, "ref-0123456789abcdef", form.Get("refresh_token"))
	for what, text := range map[string]string{"error": err.Error(), "reason": st.Reason, "body": string(res.Body)} {
		assert.NotContains(t, text, "ref-0123456789abcdef", what)
		assert.NotEmpty(t, text, what)
	}
}
