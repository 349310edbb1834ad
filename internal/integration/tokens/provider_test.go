package tokens_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/integration/oidc"
)

const (
	redirect  = "https://app.example.com/connected"
	userAgent = "session of this browser"
)

// consent connects "con" to a server that others wrote, with the consent of a person.
func consent(t *testing.T, h *hub.Hub, srv *oidc.Server) {
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "app", AuthType: hub.AuthAuthorizationCode, Methods: []string{"GET"}})
	require.NoError(t, err)
	_, err = h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Timeout: 120_000,
		Hosts: []string{strings.TrimPrefix(srv.URL, "https://")}, TLS: &hub.TLS{CA: string(srv.Authority.PEM)},
		Auth: hub.Auth{OAuth: &hub.OAuth{
			Issuer: srv.URL, ClientID: "hub", ClientAuth: hub.ClientNone, RedirectURL: redirect, Scope: "openid offline_access",
			AuthorizationParams: []hub.Param{{Name: "prompt", Value: "consent"}},
		}},
		Requests: []hub.Request{{Name: "read", Method: "GET", URL: srv.URL + "/api"}},
	})
	require.NoError(t, err)
	target, err := h.AuthorizeURL(t.Context(), "con", userAgent)
	require.NoError(t, err)
	resp, err := srv.Browser(t, redirect).Get(target)
	require.NoError(t, err)
	defer resp.Body.Close()
	back, err := resp.Location()
	require.NoError(t, err)
	_, err = h.CompleteAuthorization(t.Context(), back.Query(), userAgent)
	require.NoError(t, err)
}

// The same as TestFiguresOfManyProcesses at oidc-provider, which detects the reuse of a
// refresh token and then revokes the grant: the consent of a person outlives every expiry.
func TestFiguresOfManyProcessesAtAServerOfOthers(t *testing.T) {
	srv := oidc.Start(t, oidc.Config{Clients: []oidc.Client{{
		"client_id": "hub", "token_endpoint_auth_method": "none", "grant_types": []string{"authorization_code", "refresh_token"},
		"redirect_uris": []string{redirect}, "response_types": []string{"code"}, "scope": "openid offline_access",
	}}})
	at := newPlace(t)
	h := at.start(t, &clock{})
	consent(t, h, srv)
	require.NoError(t, read(t.Context(), h))
	before := srv.Count(t)

	const callers = 125 // this server is one thread, which also serves the calls
	failed := load(t, task{Place: at, Callers: callers})
	count := srv.Count(t)
	expiries, _ := size()
	t.Logf("| hub, oidc-provider | %d × %d | %d | %.2f | %d | %t | %d |", processes, callers, expiries,
		float64(count["token"]-before["token"])/float64(expiries), count["grant.revoked"], count["grant.revoked"] > 0, failed)
	assert.Equal(t, expiries, count["token"]-before["token"])
	assert.Zero(t, count["grant.revoked"])
	assert.Zero(t, count["grant.error"])
	assert.Zero(t, failed)
}
