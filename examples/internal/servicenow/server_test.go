package servicenow_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/examples/internal/servicenow"
)

// instance is a running stand-in and a client with a token for it.
type instance struct {
	*servicenow.Server
	t      *testing.T
	client *http.Client
	token  string
}

func start(t *testing.T, options *servicenow.Options) *instance {
	t.Helper()
	srv, err := servicenow.Start(options)
	require.NoError(t, err)
	t.Cleanup(srv.Close)
	client := srv.Client()
	t.Cleanup(client.CloseIdleConnections)
	return &instance{Server: srv, t: t, client: client}
}

// signIn starts an instance and gets a token by client credentials.
func signIn(t *testing.T, options *servicenow.Options) *instance {
	t.Helper()
	in := start(t, options)
	in.authenticate()
	return in
}

func (in *instance) authenticate() {
	in.t.Helper()
	status, answer := in.askToken("grant_type=client_credentials&client_id=demo-client&client_secret=demo-client-secret")
	require.Equal(in.t, 200, status)
	in.token = answer["access_token"].(string)
}

func (in *instance) askToken(form string) (int, map[string]any) {
	in.t.Helper()
	resp, body := in.do("POST", "/oauth_token.do", form, "Content-Type", "application/x-www-form-urlencoded")
	return resp.StatusCode, decode(in.t, body)
}

// do sends one request; header are names and values in turn.
func (in *instance) do(method, target, body string, header ...string) (*http.Response, string) {
	in.t.Helper()
	req, err := http.NewRequestWithContext(in.t.Context(), method, in.URL()+target, strings.NewReader(body))
	require.NoError(in.t, err)
	req.Header.Set("Authorization", "Bearer "+in.token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := in.client.Do(req)
	require.NoError(in.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(in.t, err)
	return resp, string(text)
}

// create makes an incident and returns its fields.
func (in *instance) create(body string) map[string]any {
	in.t.Helper()
	resp, text := in.do("POST", "/api/now/table/incident", body)
	require.Equal(in.t, 201, resp.StatusCode, text)
	return decode(in.t, text)["result"].(map[string]any)
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &out), text)
	return out
}

const (
	noAuth   = `{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}`
	noRecord = `{"error":{"message":"No Record found","detail":"Record doesn't exist or ACL restricts the record retrieval"},"status":"failure"}`
)

func TestTokensByGrant(t *testing.T) {
	const client = "client_id=demo-client&client_secret=demo-client-secret"
	tests := []struct {
		name, form string
		status     int
		err        string
		refresh    bool
	}{
		{"client credentials", "grant_type=client_credentials&" + client, 200, "", false},
		{"password", "grant_type=password&username=hub.user&password=demo-password&" + client, 200, "", true},
		{"wrong client secret", "grant_type=client_credentials&client_id=demo-client&client_secret=x", 401, "invalid_client", false},
		{"wrong client", "grant_type=client_credentials&client_id=x&client_secret=demo-client-secret", 401, "invalid_client", false},
		{"no client", "grant_type=client_credentials", 401, "invalid_client", false},
		{"wrong password", "grant_type=password&username=hub.user&password=x&" + client, 401, "server_error", false},
		{"wrong user", "grant_type=password&username=x&password=demo-password&" + client, 401, "server_error", false},
		{"unknown refresh token", "grant_type=refresh_token&refresh_token=x&" + client, 401, "server_error", false},
		{"refresh before any", "grant_type=refresh_token&refresh_token=&" + client, 401, "server_error", false},
		{"unknown grant", "grant_type=implicit&" + client, 401, "server_error", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := start(t, nil)
			status, answer := in.askToken(tt.form)
			require.Equal(t, tt.status, status)
			if tt.err != "" {
				assert.Equal(t, map[string]any{"error": tt.err, "error_description": "access_denied"}, answer)
				assert.Equal(t, servicenow.Counts{TokenRefused: 1}, in.Counts())
				return
			}
			assert.NotEmpty(t, answer["access_token"])
			assert.Equal(t, tt.refresh, answer["refresh_token"] != nil)
			assert.Equal(t, "Bearer", answer["token_type"])
			assert.Equal(t, "useraccount", answer["scope"])
			assert.InDelta(t, 1798, answer["expires_in"], 1)
			assert.Equal(t, servicenow.Counts{Tokens: 1}, in.Counts())
		})
	}
}

func TestTokenTakesFormsInTheBodyOnly(t *testing.T) {
	in := start(t, nil)
	resp, _ := in.do("POST", "/oauth_token.do", `{"grant_type":"client_credentials"}`, "Content-Type", "application/json")
	assert.Equal(t, 401, resp.StatusCode)
	resp, _ = in.do("POST", "/oauth_token.do?grant_type=client_credentials&client_id=demo-client&client_secret=demo-client-secret",
		"", "Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, 401, resp.StatusCode)
}

func TestTokenOfTheUserLives(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	in := start(t, &servicenow.Options{
		ClientID: "c", ClientSecret: "s", Username: "u", Password: "p",
		TokenLife: time.Hour, Now: func() time.Time { return now },
	})
	const password = "grant_type=password&client_id=c&client_secret=s&username=u&password=p"
	_, first := in.askToken(password)
	assert.Equal(t, 3600.0, first["expires_in"])

	now = now.Add(time.Hour - time.Second)
	_, again := in.askToken(password)
	assert.Equal(t, first["access_token"], again["access_token"], "the current token is given again")
	assert.Equal(t, 1.0, again["expires_in"])

	now = now.Add(time.Second)
	in.token = first["access_token"].(string)
	resp, _ := in.do("GET", "/api/now/table/incident", "")
	assert.Equal(t, 401, resp.StatusCode, "its life is over")

	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {"c"}, "client_secret": {"s"}, "refresh_token": {first["refresh_token"].(string)}}
	status, renewed := in.askToken(refresh.Encode())
	require.Equal(t, 200, status)
	assert.NotEqual(t, first["access_token"], renewed["access_token"])
	assert.Equal(t, first["refresh_token"], renewed["refresh_token"], "it does not rotate")
}

func TestTableNeedsAToken(t *testing.T) {
	in := signIn(t, nil)
	good := in.token
	tests := []struct {
		name, authorization string
		status              int
	}{
		{"good", "Bearer " + good, 200},
		{"scheme in another case", "bearer " + good, 200},
		{"none", "", 401},
		{"unknown", "Bearer x", 401},
		{"empty", "Bearer ", 401},
		{"other scheme", "Basic " + good, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := in.do("GET", "/api/now/table/incident", "", "Authorization", tt.authorization)
			require.Equal(t, tt.status, resp.StatusCode)
			if tt.status == 401 {
				assert.JSONEq(t, noAuth, body)
			}
		})
	}
	assert.Equal(t, servicenow.Counts{Tokens: 1, Table: 6, Unauthorized: 4}, in.Counts())
}

func TestExpireTokens(t *testing.T) {
	in := signIn(t, nil)
	in.ExpireTokens()
	resp, body := in.do("GET", "/api/now/table/incident", "")
	assert.Equal(t, 401, resp.StatusCode)
	assert.JSONEq(t, noAuth, body)

	in.authenticate()
	resp, _ = in.do("GET", "/api/now/table/incident", "")
	assert.Equal(t, 200, resp.StatusCode)
}

func TestFailNext(t *testing.T) {
	in := signIn(t, nil)
	in.FailNext(2, 3)
	for range 2 {
		resp, _ := in.do("POST", "/api/now/table/incident", `{}`)
		assert.Equal(t, 503, resp.StatusCode)
		assert.Equal(t, "3", resp.Header.Get("Retry-After"))
	}
	made := in.create(`{}`)
	assert.Equal(t, "INC0010001", made["number"], "what was turned away made nothing")
	assert.Equal(t, servicenow.Counts{Tokens: 1, Table: 3, Unavailable: 2}, in.Counts())
}

func TestSlowWorksFirst(t *testing.T) {
	in := signIn(t, nil)
	in.Slow(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", in.URL()+"/api/now/table/incident", strings.NewReader(`{}`))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+in.token)
	failed := make(chan error, 1)
	go func() {
		resp, err := in.client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	require.Eventually(t, func() bool { return in.Counts().Table == 1 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)

	in.Slow(0)
	resp, _ := in.do("GET", "/api/now/table/incident", "")
	assert.Equal(t, "1", resp.Header.Get("X-Total-Count"))
}

func TestAddresses(t *testing.T) {
	in := signIn(t, nil)
	assert.Equal(t, "https://"+in.Host(), in.URL())
	assert.Contains(t, string(in.CAPEM()), "BEGIN CERTIFICATE")
	require.Len(t, in.Requests(), 1)
	assert.Equal(t, "/oauth_token.do", in.Requests()[0].Target)
}
