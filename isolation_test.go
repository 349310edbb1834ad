package hub_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
)

// Every method that takes the id of another tenant's thing finds nothing.
func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	h := open(t)
	acme, other := h.Tenant("acme"), h.Tenant("other")
	con := filled(t, acme, 2, 1)
	tpl, err := acme.GetTemplate(t.Context(), con.Template)
	require.NoError(t, err)
	require.NoError(t, acme.SetSecret(t.Context(), con.ID, "key", secrets.New("0123456789")))
	r := con.Requests[0]
	for _, stranger := range []*hub.Tenant{other, h.Tenant("")} {
		for name, call := range map[string]func(ctx context.Context) error{
			"GetTemplate":          func(ctx context.Context) error { _, err := stranger.GetTemplate(ctx, tpl.ID); return err },
			"GetTemplateVersion":   func(ctx context.Context) error { _, err := stranger.GetTemplateVersion(ctx, tpl.ID, 1); return err },
			"TemplateIcon":         func(ctx context.Context) error { _, err := stranger.TemplateIcon(ctx, tpl.ID, 1); return err },
			"ReviseTemplate":       func(ctx context.Context) error { _, err := stranger.ReviseTemplate(ctx, tpl); return err },
			"RestrictTemplate":     func(ctx context.Context) error { return stranger.RestrictTemplate(ctx, tpl.ID, nil) },
			"DeleteTemplate":       func(ctx context.Context) error { return stranger.DeleteTemplate(ctx, tpl.ID, tpl.Revision) },
			"GetConnector":         func(ctx context.Context) error { _, err := stranger.GetConnector(ctx, con.ID); return err },
			"GetConnector by name": func(ctx context.Context) error { _, err := stranger.GetConnector(ctx, con.Name); return err },
			"UpdateConnector":      func(ctx context.Context) error { _, err := stranger.UpdateConnector(ctx, con); return err },
			"CopyConnector":        func(ctx context.Context) error { _, err := stranger.CopyConnector(ctx, con.ID, "mine"); return err },
			"PauseConnector":       func(ctx context.Context) error { _, err := stranger.PauseConnector(ctx, con.ID); return err },
			"ResumeConnector":      func(ctx context.Context) error { _, err := stranger.ResumeConnector(ctx, con.ID); return err },
			"DeleteConnector":      func(ctx context.Context) error { return stranger.DeleteConnector(ctx, con.ID, con.Revision) },
			"PlanUpgrade":          func(ctx context.Context) error { _, err := stranger.PlanUpgrade(ctx, con.ID, 1); return err },
			"UpgradeConnector": func(ctx context.Context) error {
				_, err := stranger.UpgradeConnector(ctx, con.ID, con.Revision, 1)
				return err
			},
			"Readiness":  func(ctx context.Context) error { _, err := stranger.Readiness(ctx, con.ID); return err },
			"AddRequest": func(ctx context.Context) error { _, err := stranger.AddRequest(ctx, con.ID, get("x")); return err },
			"UpdateRequest": func(ctx context.Context) error {
				_, err := stranger.UpdateRequest(ctx, con.ID, con.Revision, r)
				return err
			},
			"DeleteRequest":     func(ctx context.Context) error { return stranger.DeleteRequest(ctx, con.ID, r.ID, con.Revision) },
			"GetRequest":        func(ctx context.Context) error { _, err := stranger.GetRequest(ctx, con.ID, r.ID); return err },
			"ListRequests":      func(ctx context.Context) error { _, err := stranger.ListRequests(ctx, con.ID, ""); return err },
			"ActivateRequest":   func(ctx context.Context) error { _, err := stranger.ActivateRequest(ctx, con.ID, "i0"); return err },
			"DeactivateRequest": func(ctx context.Context) error { _, err := stranger.DeactivateRequest(ctx, con.ID, r.ID); return err },
			"SwapRequests":      func(ctx context.Context) error { _, err := stranger.SwapRequests(ctx, con.ID, "i0", "a0"); return err },
			"SetSecret": func(ctx context.Context) error {
				return stranger.SetSecret(ctx, con.ID, "key", secrets.New("stolen!!!!"))
			},
			"DeleteSecret": func(ctx context.Context) error { return stranger.DeleteSecret(ctx, con.ID, "key") },
			"ListSecrets":  func(ctx context.Context) error { _, err := stranger.ListSecrets(ctx, con.ID); return err },
			"Execute": func(ctx context.Context) error {
				_, err := stranger.Execute(ctx, hub.Call{Connector: con.ID, Request: r.Name})
				return err
			},
			"Plan": func(ctx context.Context) error {
				_, err := stranger.Plan(ctx, hub.Call{Connector: con.Name, Request: r.Name})
				return err
			},
			"TestRequest": func(ctx context.Context) error {
				_, err := stranger.TestRequest(ctx, hub.Call{Connector: con.ID, Request: r.Name})
				return err
			},
			"TestConnector":    func(ctx context.Context) error { _, err := stranger.TestConnector(ctx, con.ID); return err },
			"Authenticate":     func(ctx context.Context) error { _, err := stranger.Authenticate(ctx, con.ID); return err },
			"HTTPClient":       func(ctx context.Context) error { _, err := stranger.HTTPClient(ctx, con.ID); return err },
			"StudioProperties": func(ctx context.Context) error { _, err := stranger.StudioProperties(ctx, con.ID, r.Name); return err },
		} {
			assert.ErrorIs(t, call(t.Context()), hub.NotFound, name)
		}
		_, err := stranger.CreateConnector(t.Context(), hub.Connector{Name: "mine", Template: tpl.ID})
		assert.Equal(t, []string{"template unknown-reference"}, rules(t, err))
		for con, err := range stranger.Connectors(t.Context(), hub.ListOptions{}) {
			t.Errorf("lists %v, %v", con.Name, err)
		}
		_, err = stranger.CreateTemplate(t.Context(), hub.Template{ID: tpl.ID, Name: tpl.Name, Methods: []string{"GET"}})
		assert.NoError(t, err, "ids and names of another tenant are free")
	}
	still, err := acme.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	con.Secrets = []hub.Secret{{Name: "key"}}
	requireSame(t, con, still)
}

func TestTenantsThatCannotBe(t *testing.T) {
	h := open(t)
	for _, name := range []string{strings.Repeat("t", 256), "a\x00", "a\nb", "\xff"} {
		_, err := h.Tenant(name).GetTemplate(t.Context(), "x")
		assert.Equal(t, []string{"tenant name"}, rules(t, err))
	}
	_, err := h.Tenant(strings.Repeat("t", 255)).GetTemplate(t.Context(), "x")
	assert.ErrorIs(t, err, hub.NotFound)
	_, err = h.Tenant("A").CreateTemplate(t.Context(), hub.Template{ID: "x", Name: "x", Methods: []string{"GET"}})
	require.NoError(t, err)
	_, err = h.Tenant("a").GetTemplate(t.Context(), "x")
	assert.ErrorIs(t, err, hub.NotFound, "names of tenants are compared as bytes")
}
