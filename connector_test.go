package hub_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
)

func TestConnectorRulesAreReportedAllAtOnce(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h, func(tpl *hub.Template) {
		tpl.Methods, tpl.AllowedHosts, tpl.AuthType = []string{"GET", "POST"}, []string{"*.example.com"}, hub.AuthOAuth2
		tpl.Limits.Timeout = 30000
		tpl.Fields = []hub.Field{{Key: "region", Enum: []string{"eu"}}, {Key: "secret", Secret: true}}
	})
	_, err := h.CreateConnector(t.Context(), hub.Connector{
		ID: "UPPER", Name: "", Template: tpl.ID, Hosts: []string{"evil.test", "::::"}, Timeout: 30001,
		Auth:      hub.Auth{Request: &hub.AuthRequest{Method: "TRACE", Body: "a=[[nobody]]", Query: []hub.Param{{Name: ""}}}},
		Headers:   []hub.Header{{Name: "Te", Value: "x"}, {Name: "X-A", Value: "[[nobody]]"}, {Name: "X-B", Value: "a\r\nb"}, {Name: "x-b"}},
		Variables: map[string]string{"region": "us", "1st": "x", "secret": "x", "key": "x"},
		Secrets: []hub.Secret{
			{Name: "key", Hosts: []string{"?"}, Places: []string{"cookie:x"}}, {Name: "key"}, {Name: ""}, {Name: "region"},
			{Name: "s", Description: strings.Repeat("d", 4097)},
		},
		TLS:  &hub.TLS{CA: "no PEM", Certificate: "no PEM", Key: "nobody", MinVersion: "1.0"},
		Tags: []string{"a", "a", "", strings.Repeat("t", 65), "x\ny"},
		Requests: []hub.Request{
			{Name: "r", Method: "DELETE", URL: "https://evil.test/{{x}}"},
			{Name: "r", ID: "Bad Id", Trigger: "cron", State: "asleep", Description: strings.Repeat("d", 4097)},
			{
				Name: "s", Trigger: hub.TriggerStudio, Method: "GET", URL: "https://a.example.com/..", Timeout: 30002,
				PayloadSchema: json.RawMessage(`{"type":1}`), Sample: json.RawMessage(`{"a":1,"a":2}`),
				Headers: []hub.Header{{Name: "Authorization", Value: "mine"}},
				Outputs: map[string]hub.Output{"a b": {Path: "x|@dig"}, "c": {Path: "", Default: json.RawMessage(`{`)}},
				Success: &hub.Success{Statuses: []string{"99"}}, Retry: &hub.Retry{Attempts: 4, IdempotencyHeader: "Host", Statuses: []string{"x"}},
				OutputSchema: json.RawMessage(`[]`),
			},
			{Name: "m", Method: "GET", URL: "https://a.example.com", PayloadMode: hub.PayloadMapped, Sample: json.RawMessage(`1`)},
			{Name: "f", Method: "POST", URL: "https://a.example.com", Body: "x", Form: []hub.FormField{{Name: ""}}, Query: []hub.Param{{}}},
			{Name: "d", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic, Form: []hub.FormField{{Name: "a"}}, URL: "https://other.test"},
		},
	})
	found := rules(t, err)
	assertRules(t, found,
		"id pattern", "name required", "hosts[0] host", "hosts[1] host", "timeout range",
		"auth.request.method enum", "auth.request.body unknown-reference", "auth.request.query[0].name required",
		"headers[0].name header-name", "headers[1].value unknown-reference", "headers[3].name duplicate",
		"variables.region enum", `variables."1st" pattern`, "variables.secret duplicate", "variables.key duplicate",
		"secrets[0].hosts[0] host", "secrets[0].places[0] place", "secrets[1].name duplicate", "secrets[2].name required",
		"secrets[3].name duplicate", "secrets[4].description too-long",
		"tls.ca certificate", "tls.certificate certificate", "tls.key unknown-reference", "tls.minVersion enum",
		"tags[1] duplicate", "tags[2] required", "tags[3] too-long", "tags[4] control-character",
		"requests[0].method method", "requests[0].url no-payload",
		"requests[1].name duplicate", "requests[1].id pattern", "requests[1].trigger enum", "requests[1].state enum",
		"requests[1].description too-long", "requests[1].method required", "requests[1].url required",
		"requests[2].payloadMode required", "requests[2].timeout range", "requests[2].sample/a duplicate-member",
		"requests[2].headers[0].name auth", `requests[2].outputs."a b" pattern`, `requests[2].outputs."a b".path path`,
		"requests[2].outputs.c.path path", "requests[2].outputs.c.default json", "requests[2].success.statuses[0] status",
		"requests[2].retry.attempts range", "requests[2].retry.idempotencyHeader header-name", "requests[2].retry.statuses[0] status",
		"requests[3].payloadMode trigger", "requests[3].sample trigger",
		"requests[4].body body-and-form", "requests[4].form[0].name required", "requests[4].query[0].name required",
		"requests[5].form payload-mode",
	)
	assert.NotContains(t, found, "headers[0].name forbidden-header", "it is told already")
	all := strings.Join(found, "\n")
	for _, path := range []string{"auth.request.url ", "headers[2].value ", "requests[2].url ", "requests[2].payloadSchema", "requests[2].outputSchema"} {
		assert.Contains(t, all, path)
	}
}

func TestConnectorWithoutTemplateIsJudgedAllTheSame(t *testing.T) {
	_, err := open(t).CreateConnector(t.Context(), hub.Connector{Tags: []string{""}})
	assert.Equal(t, []string{"template required", "name required", "tags[0] required"}, rules(t, err))
	_, err = open(t).CreateConnector(t.Context(), hub.Connector{Template: "none", Name: "n", Timeout: -1, Requests: []hub.Request{get("r")}})
	assert.Equal(t, []string{"template unknown-reference", "timeout range"}, rules(t, err))
}

func TestConnectorDefaults(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = hub.AuthOAuth2 })
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "c", Template: tpl.ID, Hosts: []string{"API.Example.com.", "api.example.com:443", "[2001:DB8::1]"},
		Auth:     hub.Auth{Request: &hub.AuthRequest{URL: "https://api.example.com/token", Body: "a=b"}},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: "https://api.example.com"}},
	})
	require.NoError(t, err)
	assert.Equal(t, 10_000, con.Timeout)
	assert.Equal(t, 1, con.TemplateVersion)
	assert.Equal(t, []string{"api.example.com", "[2001:db8::1]"}, con.Hosts, "one form, none twice")
	assert.Equal(t, hub.AuthOAuth2, con.Auth.Kind)
	assert.Equal(t, "POST application/x-www-form-urlencoded", con.Auth.Request.Method+" "+con.Auth.Request.MediaType)
	assert.Equal(t, hub.TriggerManual, con.Requests[0].Trigger)
	assert.Equal(t, hub.StateActive, con.Requests[0].State)
	assert.Regexp(t, "^con_[a-z0-9]+$", con.ID)
	assert.Regexp(t, "^req_[a-z0-9]+$", con.Requests[0].ID)

	tpl2 := template(t, h, func(tpl *hub.Template) { tpl.Name, tpl.Limits.Timeout = "slow", 4000 })
	narrow, err := h.CreateConnector(t.Context(), hub.Connector{Name: "n", Template: tpl2.ID})
	require.NoError(t, err)
	assert.Equal(t, 4000, narrow.Timeout, "the default bends to the template's ceiling")
}

func TestTimeoutCeilings(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h)
	for name, c := range map[string]struct {
		timeout int
		ok      bool
	}{"the ceiling": {120_000, true}, "above it": {120_001, false}, "negative": {-1, false}, "one": {1, true}} {
		_, err := h.CreateConnector(t.Context(), hub.Connector{Name: name, Template: tpl.ID, Timeout: c.timeout})
		assert.Equal(t, c.ok, err == nil, "%s: %v", name, err)
	}
	wide := open(t, func(o *hub.Options) { o.Limits.MaxTimeout = -1 }).Tenant("")
	_, err := wide.CreateConnector(t.Context(), hub.Connector{Name: "c", Template: template(t, wide).ID, Timeout: 3_600_000})
	assert.NoError(t, err)
}

func TestHostsJoinOnlyWhileNoSecretIsSet(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.AllowedHosts = []string{"*.example.com"} })
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "c", Template: tpl.ID, Variables: map[string]string{"region": "eu"},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: "https://[[region]].example.com/x"}},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"eu.example.com"}, con.Hosts)
	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "s", Method: "GET", URL: "https://us.example.com"})
	require.NoError(t, err)
	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "x", Method: "GET", URL: "https://evil.test"})
	assert.Equal(t, []string{"requests[2].url host"}, rules(t, err), "not beyond the template")

	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("0123456789")))
	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "t", Method: "GET", URL: "https://ap.example.com"})
	assert.Equal(t, []string{"requests[2].url host"}, rules(t, err), "with a secret, hosts change only by name")
	con, err = h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	con.Hosts = append(con.Hosts, "ap.example.com")
	con, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "t", Method: "GET", URL: "https://ap.example.com"})
	assert.NoError(t, err)
}

func TestRevisionsOfAConnector(t *testing.T) {
	h := open(t).Tenant("")
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "c", Template: template(t, h).ID, Hosts: []string{"a.example.com"}})
	require.NoError(t, err)
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("0123456789")))
	con.Tags = []string{"edited"}
	con, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err, "a secret that is set disturbs no editor")
	assert.Equal(t, []hub.Secret{{Name: "key"}}, con.Secrets, "and stays declared")
	named := con
	named.ID = con.Name
	named, err = h.UpdateConnector(t.Context(), named)
	require.NoError(t, err)
	assert.Equal(t, con.ID, named.ID, "found by its name, it keeps its id")
	con = named

	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "r", Method: "GET", URL: "https://a.example.com"})
	require.NoError(t, err)
	_, err = h.UpdateConnector(t.Context(), con)
	assert.ErrorIs(t, err, hub.Conflict, "a request that was added is not lost")
	con.Revision = 0
	_, err = h.UpdateConnector(t.Context(), con)
	assert.Equal(t, []string{"revision required"}, rules(t, err))
	fresh, err := h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	assert.Len(t, fresh.Requests, 1)

	moved := fresh
	moved.TemplateVersion = 2
	_, err = h.UpdateConnector(t.Context(), moved)
	assert.Equal(t, []string{"template immutable"}, rules(t, err))
	assert.ErrorIs(t, h.DeleteConnector(t.Context(), con.ID, con.Revision+1), hub.Conflict)
	require.NoError(t, h.DeleteConnector(t.Context(), con.ID, fresh.Revision))
	_, err = h.GetConnector(t.Context(), con.ID)
	assert.ErrorIs(t, err, hub.NotFound)
	again, err := h.CreateConnector(t.Context(), hub.Connector{ID: con.ID, Name: "c", Template: fresh.Template})
	require.NoError(t, err)
	assert.Greater(t, again.Revision, fresh.Revision, "a stale editor cannot mistake it for the old one")
	list, err := h.ListSecrets(t.Context(), con.ID)
	require.NoError(t, err)
	assert.Empty(t, list, "the secrets went with it")
}

func TestCopyHasTheDefinitionsAndNoSecrets(t *testing.T) {
	h := open(t).Tenant("")
	_, err := h.CreateTemplate(t.Context(), fullTemplate())
	require.NoError(t, err)
	source, err := h.CreateConnector(t.Context(), fullConnector())
	require.NoError(t, err)
	require.NoError(t, h.SetSecret(t.Context(), source.ID, "clientSecret", secrets.New("0123456789")))
	_, err = h.CopyConnector(t.Context(), source.ID, source.Name)
	assert.ErrorIs(t, err, hub.Exists)
	_, err = h.CopyConnector(t.Context(), source.ID, "")
	assert.Equal(t, []string{"name required"}, rules(t, err))
	copied, err := h.CopyConnector(t.Context(), source.ID, "Copy")
	require.NoError(t, err)
	secretsOf, err := h.ListSecrets(t.Context(), copied.ID)
	require.NoError(t, err)
	assert.Len(t, secretsOf, 2)
	for _, s := range secretsOf {
		assert.False(t, s.Set, s.Name)
	}
	for i := range copied.Requests {
		assert.NotEqual(t, source.Requests[i].ID, copied.Requests[i].ID)
		copied.Requests[i].ID = source.Requests[i].ID
	}
	assert.NotEqual(t, source.ID, copied.ID)
	copied.ID, copied.Name, copied.Revision = source.ID, source.Name, source.Revision
	copied.CreatedAt, copied.UpdatedAt = source.CreatedAt, source.UpdatedAt
	requireSame(t, source, copied)
}

func TestTemplateAndConnectorAreSavedTogetherOrNotAtAll(t *testing.T) {
	h := open(t).Tenant("")
	tpl := hub.Template{Name: "T", Methods: []string{"GET"}}
	_, _, err := h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "T"}, hub.Connector{Timeout: -1})
	assert.Equal(t, []string{"template.methods required", "connector.name required", "connector.timeout range"}, rules(t, err))
	_, _, err = h.CreateTemplateAndConnector(t.Context(), tpl, hub.Connector{Name: "c", Timeout: -1})
	assert.Equal(t, []string{"connector.timeout range"}, rules(t, err))
	page, err := h.ListTemplates(t.Context(), hub.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, page.Items)
	saved, con, err := h.CreateTemplateAndConnector(t.Context(), tpl, hub.Connector{Name: "c"})
	require.NoError(t, err)
	assert.Equal(t, saved.ID, con.Template)
	_, _, err = h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "U", Methods: []string{"GET"}}, hub.Connector{Name: "c"})
	assert.ErrorIs(t, err, hub.Exists, "the connector's name is taken")
	page, err = h.ListTemplates(t.Context(), hub.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, page.Items, 1, "so its template is not saved either")
}

// A query for the name "" would find any connector.
func TestNothingIsFoundByNamesThatNothingHas(t *testing.T) {
	h := open(t).Tenant("")
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "c", Template: template(t, h).ID, Requests: []hub.Request{{Name: "r", Method: "GET", URL: "https://a.example.com"}},
	})
	require.NoError(t, err)
	for _, name := range []string{"", "\x00", "C", strings.Repeat("n", 300), "\xff", "../c"} {
		t.Run(fmt.Sprintf("%.12q", name), func(t *testing.T) {
			_, err := h.GetConnector(t.Context(), name)
			assert.ErrorIs(t, err, hub.NotFound)
			_, err = h.Execute(t.Context(), hub.Call{Connector: name, Request: "r"})
			assert.ErrorIs(t, err, hub.NotFound)
			_, err = h.UpdateConnector(t.Context(), hub.Connector{ID: name, Revision: con.Revision, Name: "stolen"})
			assert.ErrorIs(t, err, hub.NotFound)
			assert.ErrorIs(t, h.DeleteConnector(t.Context(), name, con.Revision), hub.NotFound)
			_, err = h.GetTemplate(t.Context(), name)
			assert.ErrorIs(t, err, hub.NotFound)
			_, err = h.GetTemplateVersion(t.Context(), name, 1)
			assert.ErrorIs(t, err, hub.NotFound)
		})
	}
}

func TestSavedDefinitionsAreNobodysMemory(t *testing.T) {
	h := open(t).Tenant("")
	tpl, con := fullTemplate(), fullConnector()
	_, err := h.CreateTemplate(t.Context(), tpl)
	require.NoError(t, err)
	first, err := h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	want, err := json.Marshal(first)
	require.NoError(t, err)
	spoil := func(c *hub.Connector) {
		c.Hosts[0], c.Tags[0], c.Variables["region"], c.Headers[0].Value = "spoilt", "spoilt", "spoilt", "spoilt"
		c.Requests[0].Headers[0].Value, c.Requests[0].PayloadSchema[2], c.Auth.Request.Body, c.TLS.Key = "spoilt", '!', "spoilt", "spoilt"
		c.Secrets[0].Places[0], c.Requests[0].Retry.Attempts = "spoilt", 99
	}
	spoil(&con)
	tpl.Methods[0], tpl.Fields[0].Enum[0], tpl.Icon[0] = "spoilt", "spoilt", 0
	spoil(&first)
	for range 2 {
		got, err := h.GetConnector(t.Context(), con.ID)
		require.NoError(t, err)
		encoded, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, string(want), string(encoded))
		spoil(&got)
	}
	wantTpl := fullTemplate()
	got, err := h.GetTemplate(t.Context(), tpl.ID)
	require.NoError(t, err)
	assert.Equal(t, wantTpl.Methods, got.Methods)
	assert.Equal(t, wantTpl.Fields, got.Fields)
	icon, err := h.TemplateIcon(t.Context(), tpl.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, pixel, icon.Data)
}

func TestNothingIsReturnedOfWhatCouldNotBeSaved(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h)
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: tpl.ID})
	require.NoError(t, err)
	other, err := h.CreateConnector(t.Context(), hub.Connector{Name: "other", Template: tpl.ID})
	require.NoError(t, err)

	again, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: tpl.ID})
	require.ErrorIs(t, err, hub.Exists)
	assert.Zero(t, again)
	again, err = h.CopyConnector(t.Context(), con.ID, "con")
	require.ErrorIs(t, err, hub.Exists)
	assert.Zero(t, again)
	other.Name = "con"
	again, err = h.UpdateConnector(t.Context(), other)
	require.ErrorIs(t, err, hub.Exists)
	assert.Zero(t, again)
	tpl2, err := h.CreateTemplate(t.Context(), hub.Template{Name: tpl.Name, Methods: []string{"GET"}})
	require.ErrorIs(t, err, hub.Exists)
	assert.Zero(t, tpl2)
	tpl2, again, err = h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "new", Methods: []string{"GET"}}, hub.Connector{Name: "con"})
	require.ErrorIs(t, err, hub.Exists)
	assert.Zero(t, tpl2)
	assert.Zero(t, again)
}

// What takes a name or an id never has two connectors to choose from.
func TestNamesAndIDsOfConnectorsDoNotMeet(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	tpl, err := h.CreateTemplate(ctx, hub.Template{Name: "T", Methods: []string{"GET"}})
	require.NoError(t, err)
	first, err := h.CreateConnector(ctx, hub.Connector{ID: "crm", Name: "Sales", Template: tpl.ID})
	require.NoError(t, err)
	_, err = h.CreateConnector(ctx, hub.Connector{Name: "crm", Template: tpl.ID})
	assert.ErrorIs(t, err, hub.Exists)
	_, err = h.CopyConnector(ctx, first.ID, first.ID)
	assert.ErrorIs(t, err, hub.Exists)

	second, err := h.CreateConnector(ctx, hub.Connector{ID: "same", Name: "same", Template: tpl.ID})
	require.NoError(t, err, "a connector may be called as its own id")
	second.Name = "crm"
	_, err = h.UpdateConnector(ctx, second)
	assert.ErrorIs(t, err, hub.Exists)
	first.Name = "tickets"
	_, err = h.UpdateConnector(ctx, first)
	require.NoError(t, err)
	_, err = h.CreateConnector(ctx, hub.Connector{ID: "tickets", Name: "Other", Template: tpl.ID})
	assert.ErrorIs(t, err, hub.Exists)
}
