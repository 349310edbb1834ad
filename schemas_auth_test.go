package hub_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// kindsOfAuth has a complete member for each kind of authentication.
var kindsOfAuth = map[hub.AuthKind]string{
	hub.AuthNone:   `{}`,
	hub.AuthOAuth2: `{"request":{"url":"https://a.example.com/token"}}`,
	hub.AuthAPIKey: `{"apiKey":{"in":"query","name":"key","value":"[[k]]"}}`,
	hub.AuthBasic:  `{"basic":{"username":"[[v]]","password":"[[k]]"}}`,
	hub.AuthBearer: `{"bearer":{"token":"[[k]]"}}`,
	hub.AuthClientCredentials: `{"oauth":{"issuer":"https://a.example.com","tokenUrl":"https://a.example.com/token","headers":[{"name":"X-A","value":"b"}],
		"clientId":"[[v]]","clientAuth":"client_secret_basic","clientSecret":"[[k]]","scope":"a b","audience":["x"],"resource":["https://r.example"],
		"tokenParams":[{"name":"p","value":"v"}],"dpop":true}}`,
	hub.AuthSession: `{"request":{"url":"https://a.example.com/login"},"session":{"path":"token","in":"header","name":"X-Session","prefix":"s ",
		"success":{"statuses":["302"]},"expires":{"path":"ends","form":"unix"}}}`,
	hub.AuthHMAC: `{"hmac":{"key":"[[k]]","keyEncoding":"hex","algorithm":"sha512","encoding":"base64","timestamp":"http","canonical":"{method}",
		"headers":[{"name":"X-Sign","value":"{signature}"}],"query":[{"name":"q","value":"v"}]}}`,
	hub.AuthAWS: `{"aws":{"accessKeyId":"[[v]]","secretAccessKey":"[[k]]","sessionToken":"[[k]]","region":"eu-1","service":"api"}}`,
}

func TestSchemaKnowsTheKindsOfAuthentication(t *testing.T) {
	m := models(t)["connector"]
	for kind, auth := range kindsOfAuth {
		t.Run(string(kind), func(t *testing.T) {
			h := m.hub.Tenant(string(kind))
			template(t, h, func(tpl *hub.Template) { tpl.ID, tpl.AuthType = "any", kind })
			var member map[string]any
			require.NoError(t, json.Unmarshal([]byte(auth), &member))
			save := func(kind hub.AuthKind) (code, schema error) {
				member["kind"] = kind
				data, err := json.Marshal(map[string]any{
					"name": "c", "template": "any", "hosts": []string{"a.example.com"},
					"auth": member, "variables": map[string]string{"v": "x"}, "secrets": []any{map[string]any{"name": "k"}},
				})
				require.NoError(t, err)
				var con hub.Connector
				require.NoError(t, json.Unmarshal(data, &con))
				_, code = h.CreateConnector(t.Context(), con)
				return code, m.admits(data)
			}
			code, schema := save(kind)
			assert.NoError(t, code)
			assert.NoError(t, schema)
			if kind == hub.AuthNone {
				return
			}
			_, schema = save(hub.AuthNone)
			assert.Error(t, schema, "the member belongs to its kind")
		})
	}
}
