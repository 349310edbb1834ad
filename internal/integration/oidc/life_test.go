package oidc_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/integration/oidc"
	"github.com/integrationhub/hub/secrets"
)

// lives calls, several at once, until the server was asked for tokens so many times more.
// Every call succeeds, and no refresh token is used twice.
func (f *fixture) lives(t *testing.T, renewals int) {
	t.Helper()
	first := f.srv.Count(t)["token"]
	for begun := time.Now(); f.srv.Count(t)["token"] < first+renewals; {
		require.Less(t, time.Since(begun), time.Minute, "tokens are not renewed")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := f.Execute(t.Context(), hub.Call{Connector: "con", Request: "api"})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	}
	count := f.srv.Count(t)
	assert.Zero(t, count["grant.revoked"], "a refresh token was used twice")
	assert.Zero(t, count["grant.error"])
	st, err := f.AuthStatus(t.Context(), "con")
	require.NoError(t, err)
	assert.Equal(t, hub.AuthHealthy, st.State)
}

// Tokens that live two seconds are renewed while calls go on, and each renewal replaces the
// refresh token.
func TestAConsentOutlivesShortTokens(t *testing.T) {
	f := newFixture(t, oidc.Config{AccessLife: 2}, hub.AuthAuthorizationCode, hub.OAuth{
		ClientAuth: hub.ClientBasic, RedirectURL: redirect, Scope: "openid offline_access", DPoP: true,
		AuthorizationParams: []hub.Param{{Name: "prompt", Value: "consent"}},
	})
	_, err := f.CompleteAuthorization(t.Context(), f.consent(t), userAgent)
	require.NoError(t, err)
	f.lives(t, 3)
}

func TestShortTokensOfAnApplication(t *testing.T) {
	f := newFixture(t, oidc.Config{AccessLife: 2}, hub.AuthClientCredentials, hub.OAuth{ClientAuth: hub.ClientPost, Scope: "api"})
	f.lives(t, 3)
}

// A refresh token that somebody brings is used once; the server's next ones follow it.
func TestRefreshToken(t *testing.T) {
	f := newFixture(t, oidc.Config{AccessLife: 2}, hub.AuthRefreshToken, hub.OAuth{ClientAuth: hub.ClientBasic, RefreshToken: "[[subjectToken]]"})
	require.NoError(t, f.SetSecret(t.Context(), f.con.ID, "subjectToken", secrets.New(f.refreshToken(t))))
	assert.Equal(t, "somebody", f.call(t).Get("account").String())
	f.lives(t, 3)
}

// refreshToken fetches a refresh token with the consent of a person, past the hub.
func (f *fixture) refreshToken(t *testing.T) string {
	t.Helper()
	const client = "client_secret_basic"
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	browser := f.srv.Browser(t, redirect)
	resp, err := browser.Get(f.srv.URL + "/auth?" + url.Values{
		"client_id": {client}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid offline_access"}, "prompt": {"consent"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode())
	require.NoError(t, err)
	defer resp.Body.Close()
	back, err := resp.Location()
	require.NoError(t, err)
	target, err := url.Parse(f.srv.URL + "/token")
	require.NoError(t, err)
	target.User = url.UserPassword(client, url.QueryEscape(secret))
	answer, err := browser.PostForm(target.String(), url.Values{
		"grant_type": {"authorization_code"}, "code": back.Query()["code"], "redirect_uri": {redirect}, "code_verifier": {verifier},
	})
	require.NoError(t, err)
	defer answer.Body.Close()
	var token struct {
		Refresh string `json:"refresh_token"`
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&token))
	require.NotEmpty(t, token.Refresh, answer.Status)
	return token.Refresh
}
