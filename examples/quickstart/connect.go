package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
)

// How connect found the connector.
const (
	stateCreated  = "created"
	stateReopened = "reopened, as an earlier run left it"
	stateUpdated  = "updated, because its definition or the URL changed"
)

// connect returns the connector that the definition describes. An earlier run may have made
// it: then it is used as it is, or brought up to date.
func (s *session) connect(ctx context.Context, def *definition, p *printer) (hub.Connector, error) {
	con, err := s.GetConnector(ctx, def.Connector.Name)
	switch {
	case errors.Is(err, hub.NotFound):
		var tpl hub.Template
		tpl, con, err = s.CreateTemplateAndConnector(ctx, def.Template, def.Connector)
		return con, p.connected(stateCreated, tpl, con, err)
	case err != nil:
		return con, err
	}
	state := stateReopened
	if !slices.Contains(con.Tags, def.tag) {
		state = stateUpdated
		if con, err = s.update(ctx, con, def); err != nil {
			return con, err
		}
	}
	tpl, err := s.GetTemplateVersion(ctx, con.Template, con.TemplateVersion)
	return con, p.connected(state, tpl, con, err)
}

// update brings what is stored up to the definition. A saved template does not change: it
// gets a next version, to which the connector moves. What the move breaks, the definition
// mends right after it, so all of it is accepted.
func (s *session) update(ctx context.Context, con hub.Connector, def *definition) (hub.Connector, error) {
	saved, err := s.GetTemplate(ctx, con.Template)
	if err != nil {
		return con, err
	}
	next := def.Template
	next.ID, next.Revision = saved.ID, saved.Revision
	if next, err = s.ReviseTemplate(ctx, next); err != nil {
		return con, err
	}
	move, err := s.PlanUpgrade(ctx, con.ID, next.Version)
	if err != nil {
		return con, err
	}
	var accept []string
	for _, b := range move.Breaks {
		accept = append(accept, b.ID)
	}
	moved, err := s.UpgradeConnector(ctx, con.ID, con.Revision, next.Version, accept...)
	if err != nil {
		return con, err
	}
	changed := def.Connector
	changed.ID, changed.Revision = moved.ID, moved.Revision
	changed.Template, changed.TemplateVersion = moved.Template, moved.TemplateVersion
	return s.UpdateConnector(ctx, changed)
}

// secrets gives every secret its value: from the environment, or that of the local server.
// A secret is bound to the connector's hosts of the moment when it is set. If the connector
// has another host since, the value must be set again, or the hub does not send it there.
func (s *session) secrets(ctx context.Context, con hub.Connector, o *options, local *demo, p *printer) error {
	list, err := s.ListSecrets(ctx, con.ID)
	if err != nil {
		return err
	}
	for _, info := range list {
		value, given, err := o.secretFor(info.Name, local)
		switch {
		case err != nil:
			return err
		case info.Set && (!given || local != nil) && coversAll(info.Hosts, con.Hosts):
			p.secret(info.Name, "kept, bound to "+join(info.Hosts))
			continue
		case !given:
			return fmt.Errorf("secret %q has no value for %s: put it into an environment variable and add -secret %s=VARIABLE",
				info.Name, join(con.Hosts), info.Name)
		}
		if err := s.SetSecret(ctx, con.ID, info.Name, value); err != nil {
			return err
		}
		p.secret(info.Name, setBecause(info, con.Hosts))
	}
	return nil
}

// secretFor returns the value of a secret, if the command line or the local server has one.
func (o *options) secretFor(name string, local *demo) (secrets.Value, bool, error) {
	variable, ok := o.secrets[name]
	if !ok {
		value, ok := local.secret(name)
		return value, ok, nil
	}
	value := secrets.New(os.Getenv(variable))
	if value.IsZero() {
		return value, false, fmt.Errorf("-secret %s: the environment variable %s is not set", name, variable)
	}
	return value, true, nil
}

func setBecause(before hub.SecretInfo, hosts []string) string {
	switch {
	case !before.Set:
		return "sealed, bound to " + join(hosts)
	case coversAll(before.Hosts, hosts):
		return "replaced, bound to " + join(hosts)
	default:
		return "set again: it was bound to " + join(before.Hosts) + ", the connector now calls " + join(hosts)
	}
}

// coversAll reports whether every one of hosts is among those that a secret is bound to.
func coversAll(bound, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(h string) bool { return !slices.Contains(bound, h) })
}
