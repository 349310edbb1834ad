package hub_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestExecuteMapsAPayloadIntoACallAndTheAnswerIntoOutputs(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789abcdef", time.Hour))
	srv.Handle("POST /tickets", hubtest.JSON(201, map[string]any{"result": map[string]any{"number": "INC001", "id": 12345678901234567890.0}}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) {
		c.Auth = hub.Auth{Kind: hub.AuthOAuth2, Request: &hub.AuthRequest{
			URL: srv.URL + "/token", Body: "grant_type=client_credentials&client_id=[[clientId]]&client_secret=[[clientSecret]]",
		}}
		c.Variables = map[string]string{"clientId": "me"}
		c.Secrets = []hub.Secret{{Name: "clientSecret"}}
		c.Requests = []hub.Request{{
			Name: "create", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: srv.URL + "/tickets",
			Body:          `{"title":"{{title}}","n":"{{n}}","who":"Dear {{who ?? \"nobody\"}}"}`,
			PayloadSchema: json.RawMessage(`{"type":"object","required":["title"],"properties":{"title":{"type":"string","maxLength":40}}}`),
			Outputs:       map[string]hub.Output{"number": {Path: "result.number"}, "absent": {Path: "nope", Default: json.RawMessage(`"x"`)}},
		}}
	})
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "clientSecret", secrets.New("s3cret&=?/value")))

	res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "create", Payload: []byte(`{"title":"Hi","n":12345678901234567890}`)})
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, res.Branch)
	assert.Equal(t, 201, res.Status)
	assert.Equal(t, "INC001", res.Get("result.number").String())
	assert.Equal(t, map[string]any{"number": "INC001", "absent": "x"}, res.Outputs)

	sent := srv.Requests()
	require.Len(t, sent, 2)
	assert.Equal(t, "grant_type=client_credentials&client_id=me&client_secret=s3cret%26%3D%3F%2Fvalue", string(sent[0].Body))
	assert.Equal(t, "Bearer tok-0123456789abcdef", sent[1].Header.Get("Authorization"))
	assert.JSONEq(t, `{"title":"Hi","n":12345678901234567890,"who":"Dear nobody"}`, string(sent[1].Body))

	plan, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "create", Payload: []byte(`{"title":"Hi","n":1}`)})
	require.NoError(t, err)
	t.Logf("%+v", plan)

	_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "create", Payload: []byte(`{"n":1}`)})
	t.Log(err)
	require.ErrorIs(t, err, hub.Invalid)
}
