package hub_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// A call that is given one token after the other hides all of them.
func TestEveryTokenThatACallHadIsHidden(t *testing.T) {
	c := &consenting{srv: things(t), now: newClock()}
	c.hub = open(t)
	c.Tenant = c.hub.Tenant("acme")
	tokens := 0
	c.srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens++
		hubtest.JSON(200, map[string]any{"access_token": fmt.Sprintf("tok-of-%d-0123456789", tokens), "token_type": "Bearer", "expires_in": 3600}).ServeHTTP(w, r)
	}))
	var seen []string
	c.srv.Handle("/things", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen = append(seen, r.Header.Get("Authorization")); len(seen) < 3 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		hubtest.JSON(200, map[string]any{"seen": strings.Join(seen, "|")}).ServeHTTP(w, r)
	}))
	con := kind(t, c.Tenant, c.srv, hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{TokenURL: c.srv.URL + "/token", ClientAuth: hub.ClientBasic}},
		map[string]string{"clientId": "me", "clientSecret": "s3cret-0123"})
	require.NoError(t, c.SetNextSecret(t.Context(), con.ID, "clientSecret", secrets.New("othersecret-next-value")))
	res, err := c.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
	require.NoError(t, err)
	require.Len(t, seen, 3)
	assert.NotContains(t, string(res.Body), "tok-of-")
}
