package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/bench/internal/job"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// withHub is the hub as it is shipped: only the doors to the loopback interface are opened, and
// somebody listens to its events.
type withHub struct {
	hub    *hub.Hub
	store  *memory.Store
	events atomic.Int64
}

const connector, request = "Incidents", "create"

var errStub = errors.New("a hub has one way out, and no stub in its place")

func openHub(ctx context.Context, target job.Target) (job.Peer, error) {
	if target.Stub != nil {
		return nil, errStub
	}
	p, err := newHub(target, hub.Limits{})
	if err != nil {
		return nil, err
	}
	if err := p.saveTemplate(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := p.saveConnector(ctx, target, connector); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func newHub(target job.Target, limits hub.Limits) (*withHub, error) {
	keeper, err := keyset.Generate()
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if target.CA != "" && !roots.AppendCertsFromPEM([]byte(target.CA)) {
		return nil, errors.New("the target's certificate cannot be read")
	}
	p := &withHub{store: memory.New()}
	p.hub, err = hub.New(p.store, keeper, &hub.Options{
		Egress:   hub.Egress{AllowLoopback: true, AllowHTTP: true, AllowAnyPort: true, RootCAs: roots},
		Limits:   limits,
		Observer: func(context.Context, hub.Event) { p.events.Add(1) },
	})
	return p, err
}

func (p *withHub) saveTemplate(ctx context.Context) error {
	_, err := p.hub.CreateTemplate(ctx, hub.Template{
		ID: "incidents", Name: "Incidents", Methods: []string{"POST"}, AuthType: hub.AuthClientCredentials,
	})
	return err
}

func (p *withHub) saveConnector(ctx context.Context, target job.Target, name string) error {
	con, err := p.hub.CreateConnector(ctx, hub.Connector{
		Name: name, Template: "incidents",
		Auth: hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{
			TokenURL: target.Origin + job.TokenPath, ClientAuth: "client_secret_basic",
		}},
		Variables: map[string]string{"source": job.Source, "clientId": job.ClientID},
		Secrets:   []hub.Secret{{Name: "apiKey"}, {Name: "clientSecret"}},
		Requests: []hub.Request{{
			Name: request, Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST",
			URL:     target.Origin + "/v2/customers/{{customer.id}}/incidents",
			Query:   []hub.Param{{Name: "queue", Value: "{{contact.queue}}"}, {Name: "notify", Value: "true"}},
			Headers: []hub.Header{{Name: "X-Api-Key", Value: "[[apiKey]]"}, {Name: "X-Agent", Value: "agent-{{agent.id}}"}},
			Body: `{"title":"{{ticket.subject}}","text":"{{ticket.description}}","priority":"{{ticket.priority}}",` +
				`"tags":"{{ticket.tags}}","amount":{"value":"{{ticket.amount}}","currency":"{{ticket.currency}}"},` +
				`"requester":"{{customer.name}} <{{customer.email}}>","source":"[[source]]","agent":"{{agent.id}}"}`,
			MediaType:     "application/json",
			PayloadSchema: json.RawMessage(job.Schema),
			Outputs:       map[string]hub.Output{"number": {Path: "result.number"}, "id": {Path: "result.id"}},
		}},
	})
	if err != nil {
		return err
	}
	return errors.Join(
		p.hub.SetSecret(ctx, con.ID, "apiKey", secrets.New(job.APIKey)),
		p.hub.SetSecret(ctx, con.ID, "clientSecret", secrets.New(job.ClientSecret)))
}

// Call does the work.
func (p *withHub) Call(ctx context.Context, payload []byte) (job.Answer, error) {
	return p.call(ctx, connector, payload)
}

func (p *withHub) call(ctx context.Context, connector string, payload []byte) (job.Answer, error) {
	res, err := p.hub.Execute(ctx, hub.Call{Connector: connector, Request: request, Payload: payload})
	if err != nil {
		return job.Answer{}, err
	}
	number, ok := res.Outputs["number"].(string)
	if !ok {
		return job.Answer{}, fmt.Errorf("the number is a %T", res.Outputs["number"])
	}
	id, ok := res.Outputs["id"].(json.Number)
	if !ok {
		return job.Answer{}, fmt.Errorf("the id is a %T", res.Outputs["id"])
	}
	n, err := id.Int64()
	return job.Answer{Number: number, ID: n}, err
}

// Close closes the hub and its store.
func (p *withHub) Close() error {
	return errors.Join(p.hub.Close(context.Background()), p.store.Close())
}
