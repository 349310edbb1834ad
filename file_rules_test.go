package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestFilesAreCheckedWhenARequestIsSaved(t *testing.T) {
	h := open(t).Tenant("acme")
	srv := hubtest.NewServer(t)
	for name, tt := range map[string]struct {
		r    hub.Request
		auth hub.Auth
		rule string // empty: fine
	}{
		"a body":               {hub.Request{BodyFile: "a"}, hub.Auth{}, ""},
		"a part":               {hub.Request{Form: []hub.FormField{{Name: "a", File: "a"}}}, hub.Auth{}, ""},
		"body and file":        {hub.Request{BodyFile: "a", Body: "{}"}, hub.Auth{}, "body-and-file"},
		"form and file":        {hub.Request{BodyFile: "a", Form: []hub.FormField{{Name: "a"}}}, hub.Auth{}, "body-and-file"},
		"value and file":       {hub.Request{Form: []hub.FormField{{Name: "a", Value: "x", File: "a"}}}, hub.Auth{}, "value-and-file"},
		"a form that is none":  {hub.Request{MediaType: "application/x-www-form-urlencoded", Form: []hub.FormField{{Name: "a", File: "a"}}}, hub.Auth{}, "not-multipart"},
		"no name":              {hub.Request{BodyFile: "a b"}, hub.Auth{}, "pattern"},
		"no name of a part":    {hub.Request{Form: []hub.FormField{{Name: "a", File: "a/b"}}}, hub.Auth{}, "pattern"},
		"a HEAD with a file":   {hub.Request{Method: "HEAD", BodyFile: "a"}, hub.Auth{}, "body-not-allowed"},
		"a multipart file":     {hub.Request{BodyFile: "a", MediaType: "multipart/form-data"}, hub.Auth{}, "bad-media-type"},
		"a dynamic request":    {hub.Request{BodyFile: "a", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic}, hub.Auth{}, "payload-mode"},
		"AWS signs bodies":     {hub.Request{BodyFile: "a"}, hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{AccessKeyID: "x", SecretAccessKey: "[[key]]", Region: "r", Service: "s"}}, "signed-body"},
		"an HMAC of the body":  {hub.Request{BodyFile: "a"}, hub.Auth{Kind: hub.AuthHMAC, HMAC: hmacOf("{method}{body}")}, "signed-body"},
		"an HMAC of the query": {hub.Request{BodyFile: "a"}, hub.Auth{Kind: hub.AuthHMAC, HMAC: hmacOf("{method}{query}")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			kind := tt.auth.Kind
			tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = kind })
			r := tt.r
			r.Name, r.URL = "go", srv.URL
			if r.Method == "" {
				r.Method = "POST"
			}
			_, err := h.CreateConnector(t.Context(), hub.Connector{
				Template: tpl.ID, Name: name, Hosts: []string{srv.Host()}, Auth: tt.auth, Secrets: []hub.Secret{{Name: "key"}}, Requests: []hub.Request{r},
			})
			if tt.rule == "" {
				require.NoError(t, err)
				return
			}
			var rules []string
			for _, f := range failed(t, err, hub.Invalid).Fields {
				rules = append(rules, f.Rule)
			}
			assert.Contains(t, rules, tt.rule)
		})
	}
}

func hmacOf(canonical string) *hub.HMAC {
	return &hub.HMAC{Key: "[[key]]", Algorithm: "sha256", Canonical: canonical, Headers: []hub.Header{{Name: "X-Signature", Value: "{signature}"}}}
}
