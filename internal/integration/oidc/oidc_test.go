package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/internal/integration/oidc"
	"github.com/integrationhub/hub/internal/integration/pki"
	"github.com/integrationhub/hub/secrets"
)

const (
	redirect  = "https://app.example.com/connected"
	userAgent = "session of this browser"
	secret    = "s3cret of a client: 0123456789%&+"
)

// clients are one for each way to authenticate, allowed everything.
func clients(public *ecdsa.PublicKey) []oidc.Client {
	grants := []string{
		"authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code",
		"urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer",
	}
	base := func(method string, more oidc.Client) oidc.Client {
		c := oidc.Client{
			"client_id": method, "token_endpoint_auth_method": method, "grant_types": grants,
			"redirect_uris": []string{redirect}, "response_types": []string{"code"}, "scope": "openid offline_access api",
		}
		for name, value := range more {
			c[name] = value
		}
		return c
	}
	raw, _ := public.Bytes()
	enc := base64.RawURLEncoding.EncodeToString
	jwk := map[string]any{"kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": enc(raw[1:33]), "y": enc(raw[33:])}
	return []oidc.Client{
		base("client_secret_basic", oidc.Client{"client_secret": secret}),
		base("client_secret_post", oidc.Client{"client_secret": secret}),
		base("private_key_jwt", oidc.Client{"jwks": map[string]any{"keys": []any{jwk}}, "token_endpoint_auth_signing_alg": "ES256"}),
		base("tls_client_auth", oidc.Client{"tls_client_auth_subject_dn": "CN=hub", "tls_client_certificate_bound_access_tokens": true}),
		base("none", oidc.Client{"grant_types": grants[:2]}),
	}
}

// fixture is a hub whose connector "con" authenticates with a server of others.
type fixture struct {
	*hub.Tenant
	srv *oidc.Server
	con hub.Connector
}

func newFixture(t *testing.T, config oidc.Config, kind hub.AuthKind, o hub.OAuth) *fixture {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	config.Clients = clients(&key.PublicKey)
	config.AssertionKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	config.AssertionIssuer = "the hub"
	srv := oidc.Start(t, config)
	h := hubtest.New(t, nil).Tenant("acme")
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "server", AuthType: kind, Methods: []string{"GET"}})
	require.NoError(t, err)
	cert, certKey := srv.Authority.Client(t, "hub")
	con := hub.Connector{
		Name: "con", Template: tpl.ID, Auth: hub.Auth{OAuth: &o}, TLS: &hub.TLS{CA: string(srv.Authority.PEM)},
		Hosts:     []string{strings.TrimPrefix(srv.URL, "https://")},
		Variables: map[string]string{"clientId": string(o.ClientAuth)},
		Requests:  []hub.Request{{Name: "api", Method: "GET", URL: srv.URL + "/api"}},
	}
	if o.Issuer == "" && o.TokenURL == "" {
		con.Auth.OAuth.Issuer = srv.URL
	}
	values := map[string]string{"clientSecret": secret, "privateKey": string(pki.Private(t, key)), "subjectToken": "none yet 0123456789"}
	if o.ClientAuth == hub.ClientTLS {
		con.TLS.Certificate, con.TLS.Key = string(cert), "certificateKey"
		values["certificateKey"] = string(certKey)
	}
	for name := range values {
		con.Secrets = append(con.Secrets, hub.Secret{Name: name})
	}
	f := &fixture{Tenant: h, srv: srv}
	f.con, err = h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	for name, value := range values {
		require.NoError(t, h.SetSecret(t.Context(), f.con.ID, name, secrets.New(value)))
	}
	return f
}

func (f *fixture) call(t *testing.T) *hub.Result {
	t.Helper()
	res, err := f.Execute(t.Context(), hub.Call{Connector: "con", Request: "api"})
	require.NoError(t, err)
	return res
}

func TestClientsAuthenticate(t *testing.T) {
	for _, way := range []hub.ClientAuth{hub.ClientBasic, hub.ClientPost, hub.ClientPrivateKeyJWT, hub.ClientTLS} {
		for _, dpop := range []bool{false, true} {
			name := string(way)
			if dpop {
				name += " with proofs of possession"
			}
			if dpop && way == hub.ClientTLS {
				continue // this server binds a token to a key or to a certificate
			}
			t.Run(name, func(t *testing.T) {
				o := hub.OAuth{ClientAuth: way, Scope: "api", DPoP: dpop}
				if way == hub.ClientPrivateKeyJWT {
					o.ClientKey = &hub.SigningKey{ID: "k1"}
				}
				f := newFixture(t, oidc.Config{RequireNonce: true}, hub.AuthClientCredentials, o)
				res := f.call(t)
				assert.Equal(t, string(way), res.Get("client").String())
				assert.Equal(t, "api", res.Get("scope").String())
				assert.Equal(t, dpop || way == hub.ClientTLS, res.Get("bound").Exists(), "the token is bound to a key or certificate")
				f.call(t)
				count := f.srv.Count(t)
				assert.Equal(t, 1, count["grant.success"], "one token for two calls")
				if dpop {
					assert.Equal(t, 2, count["token"], "refused once for want of a nonce")
				} else {
					assert.Equal(t, 1, count["token"])
				}
			})
		}
	}
}

func TestAWrongSecretIsRefusedOnce(t *testing.T) {
	f := newFixture(t, oidc.Config{}, hub.AuthClientCredentials, hub.OAuth{ClientAuth: hub.ClientBasic})
	require.NoError(t, f.SetSecret(t.Context(), f.con.ID, "clientSecret", secrets.New("another secret")))
	_, err := f.Execute(t.Context(), hub.Call{Connector: "con", Request: "api"})
	require.ErrorIs(t, err, hub.Unauthorized)
	assert.Contains(t, err.Error(), "invalid_client")
	assert.NotContains(t, err.Error(), "another secret")
	assert.Equal(t, 1, f.srv.Count(t)["token"], "no other way is tried")
}

// consent sends a browser where a connector wants it, and returns what it comes back with.
func (f *fixture) consent(t *testing.T) url.Values {
	t.Helper()
	target, err := f.AuthorizeURL(t.Context(), "con", userAgent)
	require.NoError(t, err)
	resp, err := f.srv.Browser(t, redirect).Get(target)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	back, err := resp.Location()
	require.NoError(t, err, "%s: %s", resp.Status, body)
	return back.Query()
}

func TestAuthorizationCode(t *testing.T) {
	for _, way := range []hub.ClientAuth{hub.ClientNone, hub.ClientBasic} {
		for _, dpop := range []bool{false, true} {
			name := string(way)
			if dpop {
				name += " with proofs of possession"
			}
			t.Run(name, func(t *testing.T) {
				f := newFixture(t, oidc.Config{}, hub.AuthAuthorizationCode, hub.OAuth{
					ClientAuth: way, RedirectURL: redirect, Scope: "openid offline_access", DPoP: dpop,
					AuthorizationParams: []hub.Param{{Name: "prompt", Value: "consent"}},
				})
				_, err := f.Execute(t.Context(), hub.Call{Connector: "con", Request: "api"})
				require.ErrorIs(t, err, hub.Unauthorized, "nobody has consented")
				assert.Zero(t, f.srv.Count(t)["token"], "and nobody is asked")

				answer := f.consent(t)
				assert.Equal(t, f.srv.URL, answer.Get("iss"))
				_, err = f.CompleteAuthorization(t.Context(), answer, "another browser's session")
				require.ErrorIs(t, err, hub.Forbidden)
				forged := url.Values{"code": answer["code"], "state": answer["state"], "iss": {"https://evil.example.com"}}
				con, err := f.CompleteAuthorization(t.Context(), answer, userAgent)
				require.NoError(t, err)
				assert.Equal(t, f.con.ID, con)
				assert.Equal(t, "somebody", f.call(t).Get("account").String())
				_, err = f.CompleteAuthorization(t.Context(), answer, userAgent)
				require.ErrorIs(t, err, hub.Forbidden, "once")

				answer = f.consent(t)
				forged.Set("state", answer.Get("state"))
				_, err = f.CompleteAuthorization(t.Context(), forged, userAgent)
				require.ErrorIs(t, err, hub.Forbidden)
				assert.Contains(t, err.Error(), "issuer")

				for range 3 { // with rotation
					res, err := f.Authenticate(t.Context(), "con")
					require.NoError(t, err)
					assert.Equal(t, "[secret]", res.Get("refresh_token").String())
					assert.Equal(t, "somebody", f.call(t).Get("account").String())
				}
				count := f.srv.Count(t)
				assert.Zero(t, count["grant.revoked"], "no refresh token was used twice")
				assert.GreaterOrEqual(t, count["grant.success"], 4)
			})
		}
	}
}

func TestDeviceCode(t *testing.T) {
	f := newFixture(t, oidc.Config{}, hub.AuthDeviceCode, hub.OAuth{ClientAuth: hub.ClientPost, Scope: "openid offline_access", DPoP: true})
	now := time.Now()
	d, err := f.StartDevice(t.Context(), "con")
	require.NoError(t, err)
	assert.Equal(t, 5*time.Second, d.Interval)
	assert.WithinDuration(t, now.Add(10*time.Minute), d.Expires, time.Minute)
	done, err := f.PollDevice(t.Context(), "con", d.ID)
	require.NoError(t, err)
	assert.False(t, done)
	assert.Zero(t, f.srv.Count(t)["token"], "too early to ask")

	f.agree(t, d)
	require.Eventually(t, func() bool {
		done, err = f.PollDevice(t.Context(), "con", d.ID)
		return done || err != nil
	}, time.Minute, 200*time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, 1, f.srv.Count(t)["token"])
	assert.Equal(t, "somebody", f.call(t).Get("account").String())
	_, err = f.PollDevice(t.Context(), "con", d.ID)
	require.ErrorIs(t, err, hub.NotFound)
}

// agree does what a person does on the other device: opens the page and submits its form.
func (f *fixture) agree(t *testing.T, d hub.DeviceAuthorization) {
	t.Helper()
	browser := f.srv.Browser(t, "")
	page := func(resp *http.Response, err error) string {
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode, "%s", body)
		return string(body)
	}
	form := page(browser.Get(d.URL))
	_, rest, found := strings.Cut(form, `name="xsrf" value="`)
	require.True(t, found, form)
	xsrf, _, _ := strings.Cut(rest, `"`)
	page(browser.PostForm(d.URL, url.Values{"xsrf": {xsrf}, "user_code": {d.UserCode}}))
	assert.Contains(t, page(browser.PostForm(d.URL, url.Values{"xsrf": {xsrf}, "user_code": {d.UserCode}, "confirm": {"yes"}})), "connected")
}

func TestJWTBearer(t *testing.T) {
	f := newFixture(t, oidc.Config{}, hub.AuthJWTBearer, hub.OAuth{
		ClientAuth: hub.ClientBasic, Scope: "api",
		Assertion: &hub.Assertion{Issuer: "the hub", Subject: "somebody", Claims: map[string]string{"tenant": "[[clientId]]"}},
	})
	assert.Equal(t, "api", f.call(t).Get("scope").String())
}

func TestTokenExchange(t *testing.T) {
	first := newFixture(t, oidc.Config{}, hub.AuthTokenExchange, hub.OAuth{ClientAuth: hub.ClientBasic, Scope: "api"})
	_, err := first.Execute(t.Context(), hub.Call{Connector: "con", Request: "api"})
	require.ErrorIs(t, err, hub.Unauthorized)
	require.NoError(t, first.SetSecret(t.Context(), first.con.ID, "subjectToken", secrets.New(first.subject(t))))
	assert.Equal(t, "client_secret_basic", first.call(t).Get("client").String())
}

// subject fetches a token of another client, past the hub.
func (f *fixture) subject(t *testing.T) string {
	t.Helper()
	resp, err := f.srv.Browser(t, "").PostForm(f.srv.URL+"/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"client_secret_post"}, "client_secret": {secret},
	})
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(body), `"access_token":"`)
	require.True(t, found, "%s", body)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}
