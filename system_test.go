package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

func system(t *testing.T, list ...hub.Template) *hub.Hub {
	t.Helper()
	return open(t, func(o *hub.Options) { o.SystemTemplates = list })
}

func sys(id, name string, version int) hub.Template {
	return hub.Template{ID: id, Name: name, Version: version, Methods: []string{"GET"}}
}

func TestSystemTemplatesAreReadOnly(t *testing.T) {
	withIcon := sys("crm", "CRM", 2)
	withIcon.Icon = pixel
	h := system(t, withIcon, sys("crm", "CRM", 1), sys("erp", "ERP", 0))
	acme := h.Tenant("acme")
	tpl, err := acme.GetTemplate(t.Context(), "crm")
	require.NoError(t, err)
	assert.Equal(t, []any{2, true, "image/gif", []byte(nil)}, []any{tpl.Version, tpl.System, tpl.IconType, tpl.Icon})
	icon, err := acme.TemplateIcon(t.Context(), "crm", 0)
	require.NoError(t, err)
	assert.Equal(t, pixel, icon.Data)
	_, err = acme.TemplateIcon(t.Context(), "crm", 1)
	assert.ErrorIs(t, err, hub.NotFound)
	old, err := acme.GetTemplateVersion(t.Context(), "crm", 1)
	require.NoError(t, err)
	assert.Equal(t, 1, old.Version)
	_, err = acme.GetTemplateVersion(t.Context(), "crm", 3)
	assert.ErrorIs(t, err, hub.NotFound)

	_, err = acme.ReviseTemplate(t.Context(), tpl)
	assert.ErrorIs(t, err, hub.ReadOnly)
	assert.ErrorIs(t, acme.DeleteTemplate(t.Context(), "crm", 1), hub.ReadOnly)
	assert.ErrorIs(t, acme.RestrictTemplate(t.Context(), "crm", nil), hub.ReadOnly)
	for _, taken := range []hub.Template{sys("crm", "other", 0), sys("other", "CRM", 0)} {
		_, err = acme.CreateTemplate(t.Context(), taken)
		assert.ErrorIs(t, err, hub.Exists)
	}
	own, err := acme.CreateTemplate(t.Context(), sys("own", "Own", 7))
	require.NoError(t, err)
	assert.Equal(t, 1, own.Version)
	own.Name = "ERP"
	_, err = acme.ReviseTemplate(t.Context(), own)
	assert.ErrorIs(t, err, hub.Exists, "no revision takes a system template's name")

	tpl.Methods[0] = "spoilt"
	again, err := acme.GetTemplate(t.Context(), "crm")
	require.NoError(t, err)
	assert.Equal(t, []string{"GET"}, again.Methods)
}

func TestSystemTemplatesStandFirstOnPages(t *testing.T) {
	h := system(t, sys("s2", "sys two", 0), sys("s1", "Sys One", 0), sys("s3", "zebra", 0)).Tenant("acme")
	for _, name := range []string{"Alpha", "sys own", "beta"} {
		template(t, h, func(tpl *hub.Template) { tpl.Name = name })
	}
	names := func(opts hub.ListOptions) []string {
		var list []string
		for tpl, err := range h.Templates(t.Context(), opts) {
			require.NoError(t, err)
			list = append(list, tpl.Name)
		}
		return list
	}
	for limit := range 8 {
		assert.Equal(t, []string{"Sys One", "sys two", "zebra", "Alpha", "beta", "sys own"}, names(hub.ListOptions{Limit: limit}), "pages of %d", limit)
		assert.Equal(t, []string{"Sys One", "sys two", "sys own"}, names(hub.ListOptions{Limit: limit, Prefix: "SYS"}), "pages of %d", limit)
	}
	page, err := h.ListTemplates(t.Context(), hub.ListOptions{Limit: 2})
	require.NoError(t, err)
	assert.Len(t, page.Items, 2)
	page, err = h.ListTemplates(t.Context(), hub.ListOptions{Limit: 2, Cursor: page.Next})
	require.NoError(t, err)
	assert.Equal(t, "zebra Alpha", page.Items[0].Name+" "+page.Items[1].Name, "a page across both parts")
}

// What the host application itself restricts holds for all tenants, at once.
func TestTheHubRestrictsASystemTemplateForAllTenants(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]any{}))
	h := system(t, sys("crm", "CRM", 0))
	for _, name := range []string{"", "acme", "beta"} {
		connector(t, h.Tenant(name), srv, func(c *hub.Connector) {
			c.Template, c.Requests = "crm", []hub.Request{{Name: "r", Method: "GET", URL: srv.URL}}
		})
		_, err := h.Tenant(name).Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
		require.NoError(t, err)
	}
	require.NoError(t, h.RestrictTemplate(t.Context(), "crm", []string{"elsewhere.example.com"}))
	for _, name := range []string{"", "acme", "beta"} {
		_, err := h.Tenant(name).Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
		assert.ErrorIs(t, err, hub.Forbidden, "tenant %q", name)
	}
	assert.Equal(t, []string{"hosts[0] host"}, rules(t, h.RestrictTemplate(t.Context(), "crm", []string{srv.Host()})))
}

func TestSystemTemplatesThatCannotBe(t *testing.T) {
	broken := sys("bad", "Bad", 0)
	broken.Methods, broken.Icon = nil, []byte("MZ")
	for name, c := range map[string]struct {
		list []hub.Template
		want string
	}{
		"without id":   {[]hub.Template{sys("", "A", 0)}, "Options.SystemTemplates[0]: invalid: id"},
		"broken rules": {[]hub.Template{sys("a", "A", 0), broken}, "Options.SystemTemplates[1]: invalid: methods"},
		"same version": {[]hub.Template{sys("a", "A", 1), sys("a", "A", 0)}, `version 1 of "a" is listed twice`},
		"same name":    {[]hub.Template{sys("a", "A", 0), sys("b", "A", 0)}, `two are named "A"`},
	} {
		t.Run(name, func(t *testing.T) {
			keeper, err := keyset.Generate()
			require.NoError(t, err)
			_, err = hub.New(memory.New(), keeper, &hub.Options{SystemTemplates: c.list})
			assert.ErrorContains(t, err, c.want)
		})
	}
}
