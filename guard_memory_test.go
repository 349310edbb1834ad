package hub_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// The guard remembers what it let pass. Whatever call was made before, another is judged as if it
// were the first: all pairs of calls to hosts, with secrets in places, are tried.
func TestTheGuardRemembersNothingThatDiffers(t *testing.T) {
	const one, two, other = "https://one.example.com", "https://two.example.com", "https://other.example.com"
	header := func(names ...string) string {
		text := ""
		for i, name := range names {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf(`"X-%s":"[[%s]]"`, name, name)
		}
		return `"headers":{` + text + `}`
	}
	calls := []struct {
		payload string
		passes  bool
	}{
		{`{"url":"` + one + `"}`, true},
		{`{"url":"` + two + `/a?b"}`, true},
		{`{"url":"` + other + `"}`, false},
		{`{"url":"` + one + `:8443"}`, false},
		{`{"url":"http://one.example.com"}`, false},
		{`{"url":"` + one + `",` + header("narrow") + `}`, true},
		{`{"url":"` + two + `",` + header("narrow") + `}`, false},
		{`{"url":"` + two + `",` + header("wide") + `}`, true},
		{`{"url":"` + one + `",` + header("wide") + `}`, true},
		{`{"url":"` + one + `",` + header("narrow", "wide") + `}`, true},
		{`{"url":"` + one + `",` + header("wide", "narrow") + `}`, true},
		{`{"url":"` + two + `",` + header("wide", "narrow") + `}`, false},
		{`{"url":"` + one + `","queryParameters":{"key":"[[wide]]"}}`, true},
	}
	h := open(t, func(o *hub.Options) { o.Egress = hub.Egress{} }).Tenant("acme")
	tpl := template(t, h)
	passes := func(payload string) bool {
		_, err := h.Plan(t.Context(), hub.Call{Connector: "con", Request: "r", Payload: []byte(payload)})
		if err != nil {
			require.ErrorIs(t, err, hub.Forbidden)
		}
		return err == nil
	}
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Hosts: []string{"one.example.com", "two.example.com"},
		Secrets: []hub.Secret{
			{Name: "narrow", Places: []string{"header:X-Narrow"}, Hosts: []string{"one.example.com"}},
			{Name: "wide", Places: []string{"header:X-Wide", "query:key"}},
		},
		Requests: []hub.Request{{Name: "r", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic, Method: "GET"}},
	})
	require.NoError(t, err)
	setSecret(t, h, con.ID, "narrow", "narrow-0123456789")
	setSecret(t, h, con.ID, "wide", "wide-0123456789")
	for i, before := range calls {
		for j, call := range calls {
			edit(t, h, con.ID, func(c *hub.Connector) { c.Tags = []string{fmt.Sprint(i, j)} }) // a new plan
			for range 2 {
				assert.Equal(t, before.passes, passes(before.payload), "%s", before.payload)
				assert.Equal(t, call.passes, passes(call.payload), "%s after %s", call.payload, before.payload)
			}
		}
	}
}
