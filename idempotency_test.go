package hub_test

import (
	"strings"
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
	assert.Equal(t, []string{"the-callers", "the-callers"}, keys("go", `{"ticketId":" \t"}`, "the-callers"), "blanks are no key")
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

// Each page of a walk that posts is a request of its own, and has a key of its own: the first
// the call's, the others one that is made of it, so that whoever makes the walk again
// sends the same keys.
func TestEachPageHasAnIdempotencyKeyOfItsOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	post := func(name, key string) func(*hub.Connector) {
		return paged(name, "POST", srv.URL+"/body", hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", Member: "after"}, func(r *hub.Request) {
			r.Trigger, r.PayloadMode, r.Body = hub.TriggerStudio, hub.PayloadMapped, `{"after":"{{after ?? \"\"}}"}`
			r.Retry = &hub.Retry{Idempotent: true, IdempotencyHeader: "X-Once", IdempotencyKey: key}
		})
	}
	connector(t, h, srv, post("payload", "ticket-{{id}}"), post("id", "{{id}}"), post("caller", ""))
	long := strings.Repeat("k", 255)
	for name, tt := range map[string]struct{ request, id, callers, want string }{
		"of the payload":         {"payload", "17", "", "ticket-17"},
		"of the payload, always": {"payload", "17", "unused", "ticket-17"},
		"of the caller":          {"caller", "17", "the-callers", "the-callers"},
		"of blanks":              {"id", " ", "the-callers", "the-callers"},
		"at the bound":           {"caller", "17", long, long},
		"made":                   {"caller", "17", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			walk := func() (keys []string) {
				pages := list{n: 8, size: 3}
				busy := hubtest.Status(503).RetryAfter(0)
				srv.Handle("/", hubtest.Sequence(pages, busy, pages, pages))
				srv.Forget()
				call := hub.Call{Connector: "con", Request: tt.request, Payload: []byte(`{"id":"` + tt.id + `"}`), IdempotencyKey: tt.callers}
				for _, err := range h.ExecutePages(t.Context(), call, nil) {
					require.NoError(t, err)
				}
				for _, r := range srv.Requests() {
					keys = append(keys, r.Header.Get("X-Once"))
				}
				return keys
			}
			keys := walk()
			require.Len(t, keys, 4)
			assert.Equal(t, keys[1], keys[2], "the attempts of a page")
			assert.NotEqual(t, keys[0], keys[1])
			assert.NotEqual(t, keys[1], keys[3])
			for _, key := range keys {
				assert.LessOrEqual(t, len(key), 255)
			}
			if tt.want == "" {
				assert.NotEqual(t, keys[0], walk()[0])
				return
			}
			assert.Equal(t, keys, walk())
			assert.Equal(t, tt.want, keys[0])
			if len(tt.want) < 250 {
				assert.Equal(t, []string{tt.want + "-2", tt.want + "-3"}, []string{keys[1], keys[3]})
			}
		})
	}
}
