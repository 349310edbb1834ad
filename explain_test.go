package hub_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A person who reads an error of a payload learns where, what was demanded, and by which
// rule; never what the payload held.
func TestPayloadErrorsSayWhatIsDemanded(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("")
	connector(t, h, srv, func(c *hub.Connector) {
		c.Requests = []hub.Request{{
			Name: "create", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: srv.URL,
			PayloadSchema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["name"],"minProperties":1,
				"not":{"required":["forbidden"]},
				"properties":{"name":{"type":"string","minLength":2,"maxLength":4,"pattern":"^[a-z]+$"},"forbidden":{},
				"size":{"enum":["s","m"]},"n":{"minimum":3,"multipleOf":2},"list":{"maxItems":1,"uniqueItems":true}}}`),
		}}
	})
	for name, tt := range map[string]struct{ payload, want string }{
		"type":        {`canary`, `payload: is not valid JSON (at byte 0) (syntax)`},
		"cut":         {`{"name":`, `payload/name: is JSON that ends in the middle (at byte 8) (truncated)`},
		"twice":       {`{"name":"ab","name":"cd"}`, `payload/name: is a member that its object has twice (at byte 13) (duplicate-member)`},
		"digits":      {`{"n":` + digits(65) + `}`, `payload/n: is a number of more than the 64 digits allowed (at byte 69) (number-too-long)`},
		"kind":        {`["canary"]`, `payload: must be of type "object" (type)`},
		"member":      {`{"size":"m"}`, `payload: must have the member name (required)`},
		"unknown":     {`{"name":"abc","canary":1}`, `payload/canary: is not a member that the schema knows (additionalProperties)`},
		"short":       {`{"name":"a"}`, `payload/name: must have at least 2 characters (minLength)`},
		"long":        {`{"name":"canary"}`, `payload/name: must have at most 4 characters (maxLength)`},
		"pattern":     {`{"name":"AB"}`, `payload/name: must match the pattern "^[a-z]+$" (pattern)`},
		"choice":      {`{"name":"ab","size":"canary"}`, `payload/size: must be one of ["s","m"] (enum)`},
		"minimum":     {`{"name":"ab","n":2}`, `payload/n: must be at least 3 (minimum)`},
		"multiple":    {`{"name":"ab","n":5}`, `payload/n: must be a multiple of 2 (multipleOf)`},
		"items":       {`{"name":"ab","list":[1,2]}`, `payload/list: must have at most 1 items (maxItems)`},
		"other words": {`{"name":"ab","forbidden":1}`, `payload: breaks not (not)`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "create", Payload: json.RawMessage(tt.payload)})
			var e *hub.Error
			require.ErrorAs(t, err, &e)
			require.Len(t, e.Fields, 1)
			assert.Equal(t, tt.want, e.Fields[0].String())
			if name != "unknown" {
				assert.NotContains(t, err.Error(), "canary")
			}
		})
	}
	assert.Empty(t, srv.Requests(), "what is refused is not sent")
}

func digits(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '1'
	}
	return string(out)
}
