package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// before and after are two versions of a template that differ in everything a connector
// can depend on.
func before() hub.Template {
	return hub.Template{
		ID: "tpl", Name: "T", AuthType: hub.AuthOAuth2, Methods: []string{"GET", "POST", "DELETE"},
		AllowedHosts: []string{"*.example.com", "old.example.org"},
		Fields: []hub.Field{
			{Key: "region"}, {Key: "becomes-secret"}, {Key: "becomes-variable", Secret: true}, {Key: "gone", Default: "kept"},
			{Key: "gone-secret", Secret: true},
		},
	}
}

func after(revision int64) hub.Template {
	return hub.Template{
		ID: "tpl", Revision: revision, Name: "T", AuthType: hub.AuthNone, Methods: []string{"GET", "POST"},
		AllowedHosts: []string{"*.example.com"},
		Headers:      []hub.TemplateHeader{{Name: "X-New", Required: true}},
		Fields: []hub.Field{
			{Key: "region", Enum: []string{"us"}}, {Key: "becomes-secret", Secret: true}, {Key: "becomes-variable"},
			{Key: "asked", Required: true},
		},
		Limits: hub.TemplateLimits{Timeout: 5000, Attempts: 1},
	}
}

// upgradable saves a connector on version 1 that version 2 breaks in every way.
func upgradable(t *testing.T, h *hub.Tenant) hub.Connector {
	t.Helper()
	tpl, err := h.CreateTemplate(t.Context(), before())
	require.NoError(t, err)
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Timeout: 8000, Hosts: []string{"a.example.com", "old.example.org"},
		Auth:      hub.Auth{Request: &hub.AuthRequest{URL: "https://old.example.org/token", Body: "a=b"}},
		Variables: map[string]string{"region": "eu", "becomes-secret": "x"},
		Requests: []hub.Request{
			{Name: "verb", Method: "DELETE", URL: "https://a.example.com"},
			{Name: "host", Method: "GET", URL: "https://old.example.org"},
			{Name: "fine", Method: "GET", URL: "https://a.example.com/[[gone]]", Timeout: 7000, Retry: &hub.Retry{Attempts: 3}},
			{Name: "secret", Method: "GET", URL: "https://a.example.com", Headers: []hub.Header{{Name: "X-Key", Value: "[[gone-secret]]"}}},
		},
	})
	require.NoError(t, err)
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "becomes-variable", secrets.New("0123456789")))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "gone-secret", secrets.New("0123456789")))
	_, err = h.ReviseTemplate(t.Context(), after(tpl.Revision))
	require.NoError(t, err)
	return con
}

func ids(breaks []hub.Break) []string {
	list := []string{}
	for _, b := range breaks {
		list = append(list, b.ID)
	}
	return list
}

func TestUpgradeReportsEachKindOfBreakAndWaitsForConsent(t *testing.T) {
	h := open(t).Tenant("")
	con := upgradable(t, h)
	plan, err := h.PlanUpgrade(t.Context(), "con", 0)
	require.NoError(t, err)
	assert.Equal(t, []any{con.ID, con.Revision, 1, 2}, []any{plan.Connector, plan.Revision, plan.From, plan.To})
	assert.ElementsMatch(t, []string{
		"auth:auth.kind", "host:hosts[1]", "host:requests[1].url", "method:requests[0].method", "timeout:timeout",
		"attempts:requests[2].retry.attempts", "enum:variables.region", "secret:variables.becomes-secret", "variable:secrets.becomes-variable",
	}, ids(plan.Breaks), "%+v", plan.Breaks)
	assert.ElementsMatch(t, []string{"variables.asked", "headers"}, []string{plan.Missing[0].Path, plan.Missing[1].Path})
	unchanged, err := h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	assert.Equal(t, con.Revision, unchanged.Revision, "a plan changes nothing")

	all := ids(plan.Breaks)
	for i := range all {
		left := append(append([]string{}, all[:i]...), all[i+1:]...)
		_, err := h.UpgradeConnector(t.Context(), con.ID, con.Revision, 2, left...)
		found := rules(t, err)
		assert.Equal(t, []string{plan.Breaks[i].Path + " not-accepted"}, found)
	}
	_, err = h.UpgradeConnector(t.Context(), con.ID, con.Revision-1, 2, all...)
	assert.ErrorIs(t, err, hub.Conflict)

	moved, err := h.UpgradeConnector(t.Context(), con.ID, con.Revision, 2, all...)
	require.NoError(t, err)
	assert.Equal(t, 2, moved.TemplateVersion)
	assert.Equal(t, hub.Auth{Kind: hub.AuthNone}, moved.Auth)
	assert.Equal(t, []string{"a.example.com"}, moved.Hosts)
	assert.Equal(t, map[string]string{"gone": "kept"}, moved.Variables, "what a field gave by default stays")
	assert.Equal(t, 5000, moved.Timeout)
	states := map[string]hub.State{}
	for _, r := range moved.Requests {
		states[r.Name] = r.State
	}
	assert.Equal(t, map[string]hub.State{"verb": hub.StateInactive, "host": hub.StateInactive, "fine": hub.StateActive, "secret": hub.StateActive}, states)
	assert.Equal(t, 5000, moved.Requests[2].Timeout)
	assert.Equal(t, 1, moved.Requests[2].Retry.Attempts)
	set := map[string]bool{}
	list, err := h.ListSecrets(t.Context(), con.ID)
	require.NoError(t, err)
	for _, s := range list {
		set[s.Name] = s.Set
	}
	assert.Equal(t, map[string]bool{"becomes-secret": false, "gone-secret": true}, set)

	again, err := h.PlanUpgrade(t.Context(), con.ID, 2)
	require.NoError(t, err)
	assert.Empty(t, again.Breaks)
}

// What no acceptance can mend is planned, too, and keeps the connector where it is.
func TestAnUpgradeLeavesNoValueOfASecretThatBecameAVariable(t *testing.T) {
	store := memory.New()
	h := openOn(t, store).Tenant("acme")
	con := upgradable(t, h)
	plan, err := h.PlanUpgrade(t.Context(), con.ID, 2)
	require.NoError(t, err)
	values := func() int {
		page, err := store.List(t.Context(), storage.Query{Kind: sealed.Kind, Everywhere: true})
		require.NoError(t, err)
		return len(page.Records)
	}
	require.Equal(t, 2, values())
	_, err = h.UpgradeConnector(t.Context(), con.ID, con.Revision, 2, ids(plan.Breaks)...)
	require.NoError(t, err)
	assert.Equal(t, 1, values())
}

func TestUpgradeThatNeedsTheDefinitionChanged(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = hub.AuthOAuth2 })
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Auth: hub.Auth{Request: &hub.AuthRequest{URL: "https://a.example.com/token"}},
		Requests: []hub.Request{{Name: "r", Method: "GET", URL: "https://a.example.com/[[@auth.tenant]]"}},
	})
	require.NoError(t, err)
	tpl.AuthType = hub.AuthNone
	_, err = h.ReviseTemplate(t.Context(), tpl)
	require.NoError(t, err)
	plan, err := h.PlanUpgrade(t.Context(), con.ID, 0)
	require.NoError(t, err)
	require.Len(t, plan.Breaks, 2)
	assert.Equal(t, "no-auth-answer:requests[0].url", plan.Breaks[1].ID)
	assert.Empty(t, plan.Breaks[1].Effect)
	_, err = h.UpgradeConnector(t.Context(), con.ID, con.Revision, 0, ids(plan.Breaks)...)
	assert.Equal(t, []string{"requests[0].url no-auth-answer"}, rules(t, err))
}

func TestUpgradeToWhatIsNotThere(t *testing.T) {
	h := open(t).Tenant("")
	con := upgradable(t, h)
	_, err := h.PlanUpgrade(t.Context(), con.ID, 3)
	assert.ErrorIs(t, err, hub.NotFound)
	_, err = h.UpgradeConnector(t.Context(), "nobody", con.Revision, 2)
	assert.ErrorIs(t, err, hub.NotFound)
	tpl, err := h.GetTemplate(t.Context(), "tpl")
	require.NoError(t, err)
	require.NoError(t, h.DeleteTemplate(t.Context(), "tpl", tpl.Revision))
	_, err = h.PlanUpgrade(t.Context(), con.ID, 2)
	assert.NoError(t, err, "versions outlive the library's entry")
}
