package hub_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestADynamicPayloadDescribesTheWholeCall(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, dynamic())
	_, err := execute(t, h, "any", `{"url":"`+srv.URL+`/a%2Fb?x=1","method":"PUT","mediaType":"application/json",
		"headers":{"X-A":"one","X-N":12345678901234567890,"X-B":true},
		"queryParameters":{"q":"a b&c=d","n":1.50},
		"body":{"n":12345678901234567890,"t":"{{text}}","l":[null,true]}}`)
	require.NoError(t, err)
	got := srv.Requests()[0]
	assert.Equal(t, "PUT", got.Method)
	assert.Equal(t, "/a%2Fb?x=1&q=a%20b%26c%3Dd&n=1.50", got.Target)
	assert.Equal(t, "one", got.Header.Get("X-A"))
	assert.Equal(t, "12345678901234567890", got.Header.Get("X-N"))
	assert.Equal(t, "true", got.Header.Get("X-B"))
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.JSONEq(t, `{"n":12345678901234567890,"t":"{{text}}","l":[null,true]}`, string(got.Body))
	assert.Contains(t, string(got.Body), "12345678901234567890")
}

func TestADynamicPayloadMayRepeatNames(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, dynamic())
	_, err := execute(t, h, "any", `{"url":"`+srv.URL+`","method":"GET",
		"queryParameters":[{"name":"id","value":1},{"name":"id","value":2}],
		"headers":[{"name":"X-L","value":"a"},{"name":"X-L","value":"b"}]}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, srv.Requests()[0].URL.Query()["id"])
	assert.Equal(t, []string{"a", "b"}, srv.Requests()[0].Header["X-L"])
}

func TestTheRequestsOwnValuesAreDefaultsOfADynamicPayload(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	own := func(r *hub.Request) {
		r.Method, r.URL, r.MediaType, r.Body = "POST", srv.URL+"/own", "application/json", `{"own":"[[who]]"}`
		r.Headers = []hub.Header{{Name: "X-Own", Value: "own"}, {Name: "X-Both", Value: "own"}}
		r.Query = []hub.Param{{Name: "own", Value: "1"}, {Name: "both", Value: "own"}}
	}
	for name, tt := range map[string]struct {
		payload string
		method  string
		target  string
		both    string
		body    string
	}{
		"nothing given": {`{}`, "POST", "/own?own=1&both=own", "own", `{"own":"me"}`},
		"a URL":         {`{"url":"` + srv.URL + `/other"}`, "POST", "/other?own=1&both=own", "own", `{"own":"me"}`},
		"a verb":        {`{"method":"PATCH"}`, "PATCH", "/own?own=1&both=own", "own", `{"own":"me"}`},
		"parameters":    {`{"queryParameters":{"both":"theirs"},"headers":{"x-both":"theirs"}}`, "POST", "/own?own=1&both=theirs", "theirs", `{"own":"me"}`},
		"a body":        {`{"body":["theirs"]}`, "POST", "/own?own=1&both=own", "own", `["theirs"]`},
		"text":          {`{"mediaType":"text/plain","body":"theirs"}`, "POST", "/own?own=1&both=own", "own", `theirs`},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			connector(t, h, srv, dynamic(own), func(c *hub.Connector) { c.Variables = map[string]string{"who": "me"} })
			srv.Forget()
			_, err := execute(t, h, "any", tt.payload)
			require.NoError(t, err)
			got := srv.Requests()[0]
			assert.Equal(t, tt.method, got.Method)
			assert.Equal(t, tt.target, got.Target)
			assert.Equal(t, "own", got.Header.Get("X-Own"))
			assert.Equal(t, []string{tt.both}, got.Header.Values("X-Both"))
			assert.Equal(t, tt.body, string(got.Body))
		})
	}
}

func TestADynamicPayloadIsHeldAgainstTheEnvelope(t *testing.T) {
	srv := hubtest.NewServer(t)
	for name, tt := range map[string]struct{ payload, rule string }{
		"no object":              {`[]`, "payload type"},
		"a member unknown":       {`{"uri":"x"}`, "payload/uri additionalProperties"},
		"a twin by case":         {`{"url":"https://x","URL":"https://y"}`, "payload/URL additionalProperties"},
		"the same twice":         {`{"url":"https://x","url":"https://y"}`, "payload/url duplicate-member"},
		"a verb of its own":      {`{"method":"CONNECT"}`, "payload/method enum"},
		"a verb in lower case":   {`{"method":"get"}`, "payload/method enum"},
		"headers that nest":      {`{"headers":{"a":{"b":"c"}}}`, "payload/headers/a type"},
		"a URL that is a number": {`{"url":1}`, "payload/url type"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			connector(t, h, srv, dynamic(func(r *hub.Request) { r.Method, r.URL = "GET", srv.URL }))
			_, err := execute(t, h, "any", tt.payload)
			e := failed(t, err, hub.Invalid)
			assert.Contains(t, brokenRules(e), tt.rule)
			assert.Empty(t, srv.Requests())
		})
	}
}

func TestADynamicRequestsOwnSchemaApplies(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, dynamic(func(r *hub.Request) {
		r.Method, r.URL, r.MediaType = "POST", srv.URL, "application/json"
		r.PayloadSchema = json.RawMessage(`{"required":["body"],"properties":{"body":{"required":["id"]}}}`)
	}))
	_, err := execute(t, h, "any", `{"body":{"id":1}}`)
	require.NoError(t, err)
	_, err = execute(t, h, "any", `{"body":{}}`)
	assert.Equal(t, []string{"payload/body required"}, brokenRules(failed(t, err, hub.Invalid)))
}

func TestVerbsAndHostsBindADynamicPayload(t *testing.T) {
	srv, other := hubtest.NewServer(t), hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.Methods = []string{"GET"} })
	connector(t, h, srv, dynamic(), func(c *hub.Connector) {
		c.Template = tpl.ID
		c.Variables = map[string]string{"evil": "evil"}
	})
	for name, tt := range map[string]struct {
		payload string
		code    hub.Code
	}{
		"allowed":             {`{"method":"GET","url":"` + srv.URL + `"}`, ""},
		"another verb":        {`{"method":"DELETE","url":"` + srv.URL + `"}`, hub.Invalid},
		"no verb":             {`{"url":"` + srv.URL + `"}`, hub.Invalid},
		"no URL":              {`{"method":"GET"}`, hub.Invalid},
		"another host":        {`{"method":"GET","url":"` + other.URL + `"}`, hub.Forbidden},
		"another port":        {`{"method":"GET","url":"https://127.0.0.1:1"}`, hub.Forbidden},
		"a host by variable":  {`{"method":"GET","url":"https://[[evil]].example"}`, hub.Forbidden},
		"http":                {`{"method":"GET","url":"http://` + srv.Host() + `"}`, hub.Forbidden},
		"user information":    {`{"method":"GET","url":"https://u:p@` + srv.Host() + `"}`, hub.Invalid},
		"a header of ours":    {`{"method":"GET","url":"` + srv.URL + `","headers":{"Host":"evil.example"}}`, hub.Invalid},
		"a second line":       {`{"method":"GET","url":"` + srv.URL + `","headers":{"X":"a\r\nY: b"}}`, hub.Invalid},
		"a reference to none": {`{"method":"GET","url":"` + srv.URL + `","headers":{"X":"[[none]]"}}`, hub.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Forget()
			_, err := execute(t, h, "any", tt.payload)
			if tt.code == "" {
				require.NoError(t, err)
				return
			}
			failed(t, err, tt.code)
			assert.Empty(t, srv.Requests())
			assert.Empty(t, other.Requests())
		})
	}
}

// Variables may stand anywhere in a script's text; a secret only in the header or query key
// that its binding names, lest text that a customer typed become a secret in a ticket.
func TestSecretsInADynamicPayloadStandOnlyWhereTheirBindingSays(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, dynamic(func(r *hub.Request) { r.Method, r.URL, r.MediaType = "POST", srv.URL, "application/json" }),
		func(c *hub.Connector) {
			c.Variables = map[string]string{"region": "eu"}
			c.Secrets = []hub.Secret{{Name: "bound", Places: []string{"header:X-Key", "query:key", "body"}}, {Name: "free"}}
		})
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "bound", secrets.New("bound-0123456789")))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "free", secrets.New("free-0123456789")))
	for name, tt := range map[string]struct {
		payload string
		good    bool
	}{
		"variables anywhere":       {`{"headers":{"X-R":"[[region]]"},"queryParameters":{"r":"[[region]]"},"body":{"r":"in [[region]]"}}`, true},
		"its header":               {`{"headers":{"X-Key":"[[bound]]"}}`, true},
		"its header, in any case":  {`{"headers":{"x-key":"[[bound]]"}}`, true},
		"its query key":            {`{"queryParameters":{"key":"[[bound]]"}}`, true},
		"another header":           {`{"headers":{"X-Other":"[[bound]]"}}`, false},
		"another query key":        {`{"queryParameters":{"Key":"[[bound]]"}}`, false},
		"the body":                 {`{"body":{"text":"[[bound]]"}}`, false},
		"the path":                 {`{"url":"` + srv.URL + `/[[bound]]"}`, false},
		"a query inside the URL":   {`{"url":"` + srv.URL + `/?other=[[bound]]"}`, false},
		"one without places":       {`{"headers":{"X-Key":"[[free]]"}}`, false},
		"one without places, body": {`{"body":["[[free]]"]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Forget()
			_, err := execute(t, h, "any", tt.payload)
			if tt.good {
				require.NoError(t, err)
				assert.NotContains(t, srv.Requests()[0].Target+string(srv.Requests()[0].Body), "[[")
				return
			}
			require.Error(t, err)
			assert.Empty(t, srv.Requests())
			assert.NotContains(t, err.Error(), "0123456789")
		})
	}
}

// There is one pass: what a payload holds between braces is text, and so is what a variable
// holds between brackets.
func TestADynamicPayloadIsNotATemplate(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, dynamic(func(r *hub.Request) { r.Method, r.URL, r.MediaType = "POST", srv.URL, "application/json" }),
		func(c *hub.Connector) { c.Variables = map[string]string{"a": "[[b]]", "b": "two"} })
	_, err := execute(t, h, "any", `{"headers":{"X-T":"{{url}} [[a]] \\[[b]]"},"body":{"{{k}}":"{{url}}","a":"[[a]]"}}`)
	require.NoError(t, err)
	got := srv.Requests()[0]
	assert.Equal(t, "{{url}} [[b]] [[b]]", got.Header.Get("X-T"))
	assert.JSONEq(t, `{"{{k}}":"{{url}}","a":"[[b]]"}`, string(got.Body))
}

func TestAPayloadThatStudioCutIsToldSo(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, dynamic(func(r *hub.Request) { r.Method, r.URL = "POST", srv.URL }), mapped("fill", "POST", srv.URL))
	whole := `{"body":"` + strings.Repeat("a", 40_000) + `"}`
	for name, tt := range map[string]struct {
		payload string
		rule    string
	}{
		"32,768 bytes": {whole[:32<<10], "truncated-by-studio"},
		"32,000 bytes": {whole[:32_000], "truncated-by-studio"},
		"32,767 bytes": {whole[:32<<10-1], "truncated"},
		"32,769 bytes": {whole[:32<<10+1], "truncated"},
		"a few bytes":  {whole[:20], "truncated"},
	} {
		for _, request := range []string{"any", "fill"} {
			_, err := execute(t, h, request, tt.payload)
			e := failed(t, err, hub.Invalid)
			require.Len(t, e.Fields, 1)
			assert.Equal(t, tt.rule, e.Fields[0].Rule, name)
			if tt.rule == "truncated-by-studio" {
				assert.Contains(t, e.Detail(), "Studio cuts objects at 32 KB")
			}
		}
	}
	valid := `{"a":"` + strings.Repeat("a", 32<<10-8) + `"}`
	require.Len(t, valid, 32<<10)
	srv.Handle("/", hubtest.Status(200))
	_, err := execute(t, h, "fill", valid)
	require.NoError(t, err, "32 KB that are whole are no fault")
}

func TestAnErrorOfADynamicCallLeadsToWhoWroteIt(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} }, dynamic(func(r *hub.Request) {
		r.Method, r.URL, r.MediaType = "POST", srv.URL, "text/plain"
		r.Headers = []hub.Header{{Name: "X-Own", Value: "own"}}
		r.Query = []hub.Param{{Name: "own", Value: "own"}}
	}))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-canary-0815")))
	for name, tt := range map[string]struct{ payload, want string }{
		"url":              {`{"url":"` + srv.URL + `/a/../b"}`, "payload/url dot-segment"},
		"media type":       {`{"mediaType":"gunk","body":"x"}`, "payload/mediaType bad-media-type"},
		"body":             {`{"mediaType":"application/json","body":"{"}`, "payload/body invalid-json"},
		"body, own type":   {`{"body":{"a":1}}`, "payload/body body-not-text"},
		"form":             {`{"mediaType":"multipart/form-data","body":{"a\r\nb":"1"}}`, "payload/body control-character"},
		"header":           {`{"headers":{"Host":"x"}}`, "payload/headers forbidden-header"},
		"header's value":   {`{"headers":{"X-A":"a\nb"}}`, "payload/headers bad-header-value"},
		"own header again": {`{"headers":{"x-own":"a\nb"}}`, "payload/headers bad-header-value"},
		"secret in header": {`{"headers":{"X-A":"[[key]]"}}`, "payload/headers secret-not-allowed"},
		"secret in query":  {`{"queryParameters":{"a":"[[key]]"}}`, "payload/queryParameters secret-not-allowed"},
		"secret in path":   {`{"url":"` + srv.URL + `/[[key]]"}`, "payload/url secret-not-allowed"},
		"secret in body":   {`{"body":"[[key]]"}`, "payload/body secret-not-allowed"},
		"unknown variable": {`{"queryParameters":[{"name":"a","value":"[[nope]]"}]}`, "payload/queryParameters unknown-reference"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := execute(t, h, "any", tt.payload)
			assert.Equal(t, []string{tt.want}, brokenRules(failed(t, err, hub.Invalid)))
		})
	}
	assert.Empty(t, srv.Requests())
}
