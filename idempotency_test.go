package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A key that the definition describes comes from the payload, and is the same on each attempt.
func TestTheIdempotencyKeyIsTakenFromThePayload(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.Variables = map[string]string{"region": "eu"} },
		mapped("go", "POST", srv.URL, func(r *hub.Request) {
			r.Retry = &hub.Retry{Idempotent: true, IdempotencyHeader: "X-Once", IdempotencyKey: `{{ticketId ?? ""}}`}
		}), mapped("both", "POST", srv.URL, func(r *hub.Request) {
			r.Retry = &hub.Retry{Idempotent: true, IdempotencyHeader: "X-Once", IdempotencyKey: `[[region]]-{{ticketId}}`}
		}))
	keys := func(request, payload, callers string) []string {
		t.Helper()
		srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(200)))
		srv.Forget()
		_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: request, Payload: []byte(payload), IdempotencyKey: callers})
		require.NoError(t, err)
		var list []string
		for _, r := range srv.Requests() {
			list = append(list, r.Header.Get("X-Once"))
		}
		return list
	}
	assert.Equal(t, []string{"17", "17"}, keys("go", `{"ticketId":17}`, ""))
	assert.Equal(t, []string{"eu-17", "eu-17"}, keys("both", `{"ticketId":"17"}`, "the-callers"))
	assert.Equal(t, []string{"the-callers", "the-callers"}, keys("go", `{}`, "the-callers"))
	made := keys("go", `{}`, "")
	assert.Equal(t, made[0], made[1])
	assert.GreaterOrEqual(t, len(made[0]), 26)

	plan, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "both", Payload: []byte(`{"ticketId":1}`)})
	require.NoError(t, err)
	assert.Equal(t, "eu-1", plan.Header.Get("X-Once"))
}

func TestIdempotencyKeysAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		retry hub.Retry
		want  string
	}{
		"no header":              {hub.Retry{IdempotencyKey: "x"}, "retry.idempotencyHeader required"},
		"twice":                  {hub.Retry{IdempotencyHeader: "x-own", IdempotencyKey: "x"}, "retry.idempotencyKey duplicate"},
		"an unknown reference":   {hub.Retry{IdempotencyHeader: "X-Once", IdempotencyKey: "[[nobody]]"}, "retry.idempotencyKey unknown-reference"},
		"no payload":             {hub.Retry{IdempotencyHeader: "X-Once", IdempotencyKey: "{{id}}"}, "retry.idempotencyKey no-payload"},
		"a control character":    {hub.Retry{IdempotencyHeader: "X-Once", IdempotencyKey: "a\nb"}, "retry.idempotencyKey bad-header-value"},
		"a reference not closed": {hub.Retry{IdempotencyHeader: "X-Once", IdempotencyKey: "{{id"}, "retry.idempotencyKey bad-syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			tpl := template(t, h)
			_, err := h.CreateConnector(t.Context(), hub.Connector{
				Name: "con", Template: tpl.ID, Hosts: []string{"api.example.com"}, Requests: []hub.Request{{
					Name: "go", Method: "POST", URL: "https://api.example.com", Retry: &tt.retry, Headers: []hub.Header{{Name: "X-Own", Value: "1"}},
				}},
			})
			assert.Equal(t, []string{"requests[0]." + tt.want}, brokenRules(failed(t, err, hub.Invalid)))
		})
	}
}
