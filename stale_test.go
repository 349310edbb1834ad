package hub_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// An earlier answer to a call with files may be that to other files.
func TestCallsWithFilesHaveNoEarlierAnswer(t *testing.T) {
	for name, change := range map[string]func(*hub.Request){
		"body": func(r *hub.Request) { r.BodyFile = "scan" },
		"form": func(r *hub.Request) { r.Form = []hub.FormField{{Name: "scan", File: "scan"}} },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			_, err := h.CreateConnector(t.Context(), hub.Connector{
				Name: "con", Template: template(t, h).ID, Hosts: []string{"api.example.com"}, Requests: []hub.Request{func() hub.Request {
					r := hub.Request{Name: "go", Method: "POST", URL: "https://api.example.com"}
					standIns(60, "")(&r)
					r.Retry.Idempotent = true
					change(&r)
					return r
				}()},
			})
			assert.Equal(t, []string{"requests[0].fallback.staleFor files"}, brokenRules(failed(t, err, hub.Invalid)))
		})
	}
}

// What is called in the name of a person who consented may be another person's the next time.
func TestConsentsHaveNoEarlierAnswer(t *testing.T) {
	endpoints := map[hub.AuthKind]hub.OAuth{
		hub.AuthAuthorizationCode: {AuthorizationURL: "https://as.example.com/authorize", TokenURL: "https://api.example.com/token", RedirectURL: "https://app.example.com/back", ClientAuth: hub.ClientNone},
		hub.AuthDeviceCode:        {DeviceURL: "https://api.example.com/device", TokenURL: "https://api.example.com/token", ClientAuth: hub.ClientNone},
	}
	for kind, o := range endpoints {
		t.Run(string(kind), func(t *testing.T) {
			h := open(t).Tenant("acme")
			tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType, tpl.Fields = kind, hub.AuthFields(kind) })
			con := hub.Connector{
				Name: "con", Template: tpl.ID, Hosts: []string{"api.example.com"}, Auth: hub.Auth{Kind: kind, OAuth: &o},
				Requests: []hub.Request{{Name: "go", Method: "GET", URL: "https://api.example.com", Fallback: &hub.Fallback{StaleFor: 60}}},
			}
			_, err := h.CreateConnector(t.Context(), con)
			assert.Equal(t, []string{"requests[0].fallback.staleFor consent"}, brokenRules(failed(t, err, hub.Invalid)))
			con.Requests[0].Fallback = &hub.Fallback{Outputs: []byte(`{}`)}
			_, err = h.CreateConnector(t.Context(), con)
			require.NoError(t, err)
		})
	}
}

// A payload that describes a POST has no earlier answer either if it carries a key.
func TestAKeyHasNoEarlierAnswerOfAnother(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "POST", srv.URL, standIns(60, ""), func(r *hub.Request) {
		r.Trigger, r.PayloadMode, r.Method, r.URL = hub.TriggerStudio, hub.PayloadDynamic, "", ""
		r.Retry.Idempotent, r.Retry.IdempotencyHeader = true, "Idempotency-Key"
	}))
	for method, stands := range map[string]bool{"POST": false, "GET": true} {
		srv.Handle("/", numberIs(7))
		call := hub.Call{Connector: "con", Request: "go", IdempotencyKey: "k1", Payload: []byte(`{"method":"` + method + `","url":"` + srv.URL + `/"}`)}
		_, err := h.Execute(t.Context(), call)
		require.NoError(t, err, method)
		srv.Handle("/", hubtest.Status(500))
		call.IdempotencyKey = "k2"
		_, err = h.Execute(t.Context(), call)
		assert.Equal(t, stands, err == nil, method)
	}
}

// A secret that is kept elsewhere changes without the connector: the answer to the call with the
// value before is another's, also where the authentication alone carries it.
func TestAReferenceThatRotatedHasNoEarlierAnswer(t *testing.T) {
	now := newClock()
	d := &depot{values: map[string]string{"kv/acme/crm#token": "token-of-alice-0123"}}
	h := open(t, at(now), func(o *hub.Options) {
		o.SecretLife = time.Minute
		o.Resolvers = map[string]secrets.Resolver{"vault": secrets.Scoped(d, func(tenant string) string { return "kv/" + tenant })}
	}).Tenant("acme")
	srv := hubtest.NewServer(t)
	srv.Handle("/things", hubtest.JSON(http.StatusOK, map[string]string{"who": "alice"}))
	con := kind(t, h, srv, hub.Auth{Kind: hub.AuthBearer}, map[string]string{"token": "token-of-alice-0123"}, func(c *hub.Connector) {
		c.Requests[0].Fallback = &hub.Fallback{StaleFor: 3600}
	})
	require.NoError(t, h.SetSecretRef(t.Context(), con.ID, con.Secrets[0].Name, "vault:kv/acme/crm#token"))
	_, err := execute(t, h, "read")
	require.NoError(t, err)
	srv.Handle("/things", hubtest.Status(500))

	now.advance(2 * time.Minute)
	res, err := execute(t, h, "read")
	require.NoError(t, err, "read again, and still the same value")
	assert.Equal(t, hub.SubstituteStale, res.Substitute)

	d.set("kv/acme/crm#token", "token-of-bob-0123", nil)
	now.advance(2 * time.Minute)
	_, err = execute(t, h, "read")
	failed(t, err, hub.Rejected)
}
