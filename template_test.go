package hub_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// rules returns the broken rules of an Invalid, as "path rule".
func rules(t testing.TB, err error) []string {
	t.Helper()
	require.ErrorIs(t, err, hub.Invalid)
	var e *hub.Error
	require.True(t, errors.As(err, &e))
	list := []string{}
	for _, f := range e.Fields {
		list = append(list, f.Path+" "+f.Rule)
		assert.NotEmpty(t, f.Message)
	}
	return list
}

// assertRules fails with the rules that were not found.
func assertRules(t testing.TB, found []string, want ...string) {
	t.Helper()
	missing := slices.DeleteFunc(want, func(w string) bool { return slices.Contains(found, w) })
	assert.Empty(t, missing, "not among %q", found)
}

func TestTemplateRulesAreReportedAllAtOnce(t *testing.T) {
	long := strings.Repeat("x", 256)
	_, err := open(t).CreateTemplate(t.Context(), hub.Template{
		ID: "Not An Id", Application: "a\x00", Description: strings.Repeat("d", 4097), IntegrationMethod: "SOAP", AuthType: "magic",
		Methods: []string{"GET", "GET", "TRACE"}, Icon: []byte("MZ"),
		Headers:      []hub.TemplateHeader{{Name: "Host", On: "moon"}, {Name: "X-A"}, {Name: "x-a", Default: "[[nobody]]"}},
		AllowedHosts: []string{"*.com", "https://a.example"},
		Fields: []hub.Field{
			{Key: "a b", Title: long, Pattern: "(", Format: "ipv4", Secret: true, Default: "x"},
			{Key: "k", VisibleWhen: &hub.Condition{Field: "k"}}, {Key: "k", Enum: []string{"a"}, Default: "b"},
			{Key: "open", Pattern: "a)|(?:b"},
		},
		Verify: &hub.Verify{URL: "gopher://x", Headers: []hub.Header{{Name: "X-B", Value: "[[nobody]]"}}, Query: []hub.Param{{}}, Success: &hub.Success{}},
		Limits: hub.TemplateLimits{Timeout: 120_001, Attempts: 4, ResponseBytes: 16<<20 + 1},
	})
	found := rules(t, err)
	assertRules(t, found,
		"id pattern", "name required", "application control-character", "description too-long", "integrationMethod enum", "authType enum",
		"methods[1] duplicate", "methods[2] enum", "icon image",
		"headers[0].name header-name", "headers[0].on enum", "headers[2].name duplicate", "headers[2].default unknown-reference",
		"allowedHosts[0] host", "allowedHosts[1] host",
		"fields[0].key pattern", "fields[0].title too-long", "fields[0].pattern regexp", "fields[0].format enum", "fields[0].default secret",
		"fields[1].visibleWhen.field unknown-reference", "fields[1].visibleWhen.values required", "fields[2].key duplicate", "fields[2].default enum",
		"fields[3].pattern regexp",
		"verify.method required", "verify.headers[0].value unknown-reference", "verify.query[0].name required", "verify.success.statuses required",
		"limits.timeout range", "limits.attempts range", "limits.responseBytes range",
	)
	assert.True(t, strings.Contains(strings.Join(found, "\n"), "verify.url "), "the URL of Verify is judged beside its missing method")
}

func TestNamesCountBytes(t *testing.T) {
	for name, c := range map[string]struct {
		name string
		rule string // empty: accepted
	}{
		"255 bytes":         {strings.Repeat("n", 255), ""},
		"256 bytes":         {strings.Repeat("n", 256), "name too-long"},
		"85 runes of three": {strings.Repeat("日", 85), ""},
		"86 runes of three": {strings.Repeat("日", 86), "name too-long"},
		"grows when folded": {strings.Repeat("Ⱥ", 127), ""},
		"empty":             {"", "name required"},
		"NUL":               {"a\x00b", "name control-character"},
		"newline":           {"a\nb", "name control-character"},
		"C1 control":        {"a\u0085b", "name control-character"},
		"no UTF-8":          {"a\xffb", "name utf-8"},
		"half a rune":       {"a\xe6\x97", "name utf-8"},
		"emoji":             {"🎫 ticket", ""},
		"a blank":           {" ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			tpl, terr := h.CreateTemplate(t.Context(), hub.Template{Name: c.name, Methods: []string{"GET"}})
			_, cerr := h.CreateConnector(t.Context(), hub.Connector{Name: c.name, Template: template(t, h.Tenant("")).ID})
			if c.rule == "" {
				require.NoError(t, terr)
				require.NoError(t, cerr)
				got, err := h.GetTemplate(t.Context(), tpl.ID)
				require.NoError(t, err)
				assert.Equal(t, c.name, got.Name)
				con, err := h.GetConnector(t.Context(), c.name)
				require.NoError(t, err)
				assert.Equal(t, c.name, con.Name)
				return
			}
			assert.Equal(t, []string{c.rule}, rules(t, terr))
			assert.Equal(t, []string{c.rule}, rules(t, cerr))
		})
	}
}

// JSON would silently change a text that is not UTF-8.
func TestTextsThatJSONCannotHoldAreRefused(t *testing.T) {
	h := open(t)
	con := fullConnector()
	con.Template, con.Variables["tenant"] = "servicenow", "\xff"
	con.Requests[1].Body, con.Auth.Request.Query[0].Name = `{"id":"`+"\xff"+`"}`, "\xff"
	_, err := h.CreateTemplate(t.Context(), fullTemplate())
	require.NoError(t, err)
	_, err = h.CreateConnector(t.Context(), con)
	for _, path := range []string{"variables.tenant", "requests[1].body", "auth.request.query[0].name"} {
		assert.Contains(t, rules(t, err), path+" utf-8")
	}
	tpl := fullTemplate()
	tpl.Fields[0].Enum = []string{"eu", "\xff"}
	_, err = h.Tenant("other").CreateTemplate(t.Context(), tpl)
	assert.Equal(t, []string{"fields[0].enum[1] utf-8"}, rules(t, err))
}

func TestTemplateNamesAndIdsAreUnique(t *testing.T) {
	h := open(t)
	tpl := template(t, h.Tenant(""), func(tpl *hub.Template) { tpl.ID, tpl.Name = "one", "One" })
	for name, other := range map[string]hub.Template{"the name": {Name: "One"}, "the id": {ID: "one", Name: "Two"}} {
		other.Methods = []string{"GET"}
		_, err := h.CreateTemplate(t.Context(), other)
		assert.ErrorIs(t, err, hub.Exists, name)
	}
	_, err := h.CreateTemplate(t.Context(), hub.Template{Name: "one", Methods: []string{"GET"}})
	assert.NoError(t, err, "names are compared as bytes")
	require.NoError(t, h.DeleteTemplate(t.Context(), tpl.ID, tpl.Revision))
	_, err = h.CreateTemplate(t.Context(), hub.Template{Name: "One", Methods: []string{"GET"}})
	assert.NoError(t, err, "a deletion frees the name")
}

func TestReviseTemplateLeavesConnectorsAndVersions(t *testing.T) {
	h := open(t)
	v1 := template(t, h.Tenant(""))
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: v1.ID})
	require.NoError(t, err)
	next := v1
	next.Methods, next.Name = []string{"GET"}, "Renamed"
	v2, err := h.ReviseTemplate(t.Context(), next)
	require.NoError(t, err)
	assert.Equal(t, 2, v2.Version)
	assert.Greater(t, v2.Revision, v1.Revision)

	old, err := h.GetTemplateVersion(t.Context(), v1.ID, 1)
	require.NoError(t, err)
	requireSame(t, v1, old)
	still, err := h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	requireSame(t, con, still)
	_, err = h.AddRequest(t.Context(), con.ID, hub.Request{Name: "r", Method: "POST", URL: "https://a.example/x"})
	assert.NoError(t, err, "the connector goes by its own version")
	fresh, err := h.CreateConnector(t.Context(), hub.Connector{Name: "fresh", Template: v1.ID})
	require.NoError(t, err)
	assert.Equal(t, 2, fresh.TemplateVersion)

	_, err = h.ReviseTemplate(t.Context(), next)
	assert.ErrorIs(t, err, hub.Conflict, "a stale revision")
	next.Revision = 0
	_, err = h.ReviseTemplate(t.Context(), next)
	assert.Equal(t, []string{"revision required"}, rules(t, err))
	_, err = h.GetTemplateVersion(t.Context(), v1.ID, 3)
	assert.ErrorIs(t, err, hub.NotFound)
}

func TestDeletedTemplateServesItsConnectors(t *testing.T) {
	srv := server(t)
	h := open(t)
	tpl := template(t, h.Tenant(""))
	con := connector(t, h.Tenant(""), srv, func(c *hub.Connector) {
		c.Template = tpl.ID
		c.Requests = []hub.Request{{Name: "r", Method: "GET", URL: srv.URL}}
	})
	assert.ErrorIs(t, h.DeleteTemplate(t.Context(), tpl.ID, tpl.Revision+1), hub.Conflict)
	require.NoError(t, h.DeleteTemplate(t.Context(), tpl.ID, tpl.Revision))
	_, err := h.GetTemplate(t.Context(), tpl.ID)
	assert.ErrorIs(t, err, hub.NotFound)
	_, err = h.CreateConnector(t.Context(), hub.Connector{Name: "late", Template: tpl.ID})
	assert.Equal(t, []string{"template unknown-reference"}, rules(t, err))
	_, err = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
	assert.NoError(t, err)
	_, err = h.PauseConnector(t.Context(), con.ID)
	assert.NoError(t, err)
	_, err = h.CreateTemplate(t.Context(), hub.Template{ID: tpl.ID, Name: "again", Methods: []string{"GET"}})
	assert.ErrorIs(t, err, hub.Exists, "its versions keep the id")
}

func TestRestrictTemplateNarrowsAllVersionsForGood(t *testing.T) {
	good, bad := server(t), server(t)
	h := open(t)
	tpl := template(t, h.Tenant(""), func(tpl *hub.Template) { tpl.AllowedHosts = []string{good.Host(), bad.Host()} })
	connector(t, h.Tenant(""), good, func(c *hub.Connector) {
		c.Template, c.TLS.CA = tpl.ID, string(good.CA())+string(bad.CA())
		c.Hosts = append(c.Hosts, bad.Host())
		c.Requests = []hub.Request{{Name: "good", Method: "GET", URL: good.URL}, {Name: "bad", Method: "GET", URL: bad.URL}}
	})
	tpl, err := h.ReviseTemplate(t.Context(), tpl)
	require.NoError(t, err)
	require.NoError(t, h.DeleteTemplate(t.Context(), tpl.ID, tpl.Revision))
	call := func(request string) error {
		_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: request})
		return err
	}
	require.NoError(t, call("bad"))
	require.NoError(t, h.RestrictTemplate(t.Context(), tpl.ID, []string{good.Host()}))
	assert.NoError(t, call("good"))
	assert.ErrorIs(t, call("bad"), hub.Forbidden)
	assert.Equal(t, []string{"hosts[0] host"}, rules(t, h.RestrictTemplate(t.Context(), tpl.ID, []string{bad.Host()})))
	assert.ErrorIs(t, call("bad"), hub.Forbidden)

	_, err = h.PauseConnector(t.Context(), "con")
	require.NoError(t, err, "a connector with a revoked host can be paused")
	_, err = h.ResumeConnector(t.Context(), "con")
	require.NoError(t, err)
	_, err = h.DeactivateRequest(t.Context(), "con", "bad")
	require.NoError(t, err)
	_, err = h.AddRequest(t.Context(), "con", hub.Request{Name: "more", Method: "GET", URL: good.URL})
	assert.Equal(t, []string{"hosts[1] host"}, rules(t, err), "an edit must settle it")
	require.NoError(t, h.RestrictTemplate(t.Context(), tpl.ID, nil))
	assert.ErrorIs(t, call("good"), hub.Forbidden, "no hosts: none")
	assert.ErrorIs(t, h.RestrictTemplate(t.Context(), "nowhere", nil), hub.NotFound)
	assert.ErrorIs(t, h.RestrictTemplate(t.Context(), "No Id\x00", nil), hub.NotFound)
}
