package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/integrationhub/hub"
)

// check proves that the connector's credentials work, before anything depends on them: with
// the template's Verify request or, if it has none, by authenticating.
func (s *session) check(ctx context.Context, con hub.Connector, timeout time.Duration, p *printer) error {
	tpl, err := s.GetTemplateVersion(ctx, con.Template, con.TemplateVersion)
	if err != nil || tpl.Verify == nil && tpl.AuthType == hub.AuthNone {
		return err
	}
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	result, err := s.TestConnector(ctx, con.Name)
	p.line("check", branchOf(result, err))
	return withAnswer(err, result)
}

// calls runs the definition's requests one after the other: the first with the payload, each
// other one with the outputs of the one before it.
func (s *session) calls(ctx context.Context, con hub.Connector, run []string, payload []byte, timeout time.Duration, p *printer) error {
	for i, name := range run {
		p.heading(fmt.Sprintf("request %d of %d: %s", i+1, len(run), name))
		call, err := s.callOf(ctx, con, name, payload)
		if err != nil {
			return err
		}
		outputs, err := s.call(ctx, call, timeout, p)
		if err != nil {
			return err
		}
		if payload, err = json.Marshal(outputs); err != nil {
			return err
		}
	}
	return nil
}

// callOf names a request, and gives it a payload if it takes one: the given one, or else
// the request's own sample.
func (s *session) callOf(ctx context.Context, con hub.Connector, name string, payload []byte) (hub.Call, error) {
	call := hub.Call{Connector: con.Name, Request: name}
	req, err := s.GetRequest(ctx, con.ID, name)
	if err != nil || req.Trigger == hub.TriggerManual {
		return call, err
	}
	if call.Payload = payload; len(payload) == 0 {
		call.Payload = req.Sample
	}
	if len(call.Payload) == 0 {
		return call, fmt.Errorf("request %q takes a payload: name a file with -payload", name)
	}
	return call, nil
}

// call shows what would be sent, sends it, and shows what came of it.
func (s *session) call(ctx context.Context, call hub.Call, timeout time.Duration, p *printer) (map[string]any, error) {
	plan, err := s.Plan(ctx, call)
	if err != nil {
		return nil, err
	}
	p.plan(plan)
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	begun := time.Now()
	result, err := s.Execute(ctx, call)
	p.result(result, err, time.Since(begun))
	if err != nil {
		return nil, withAnswer(err, result)
	}
	return result.Outputs, nil
}

// within bounds a call beside the connector's own timeout; zero: not at all.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
