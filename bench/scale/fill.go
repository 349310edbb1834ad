package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/integrationhub/hub"
)

const (
	requests  = 20 // of each connector, half of them active
	templates = 10 // of each tenant, those with connectors
	fillers   = 8
)

// fill saves connectors until there are size.
func (b *bench) fill(ctx context.Context, size int) error {
	if err := b.saveTemplates(ctx, size); err != nil {
		return err
	}
	next := make(chan int)
	failures := make(chan error, fillers)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range fillers {
		running.Go(func() {
			for n := range next {
				if err := b.save(ctx, n); err != nil {
					failures <- err
					cancel()
					return
				}
			}
		})
	}
	for n := b.filled; n < size && ctx.Err() == nil; n++ {
		select {
		case next <- n:
		case <-ctx.Done():
		}
	}
	close(next)
	running.Wait()
	select {
	case err := <-failures:
		return err
	default:
	}
	b.filled = size
	return ctx.Err()
}

func (b *bench) tenant(n int) *hub.Tenant {
	if b.plan.each == 0 {
		return b.hub.Tenant("acme")
	}
	return b.hub.Tenant(fmt.Sprint("tenant-", n/b.plan.each))
}

// name is spread, so that names of one prefix are not saved one after the other.
func name(n int) string { return fmt.Sprintf("%03d connector %d", n*7919%1000, n) }

func tag(n int) string { return fmt.Sprint("team-", n*31%10) }

// number is that of the template of a connector, among those of its tenant.
func (b *bench) number(n int) int {
	if b.plan.each > 0 {
		n %= b.plan.each
	}
	return n % templates
}

// templateOf returns the id of the template of a connector, which the caller may choose.
func (b *bench) templateOf(n int) string { return templateID(b.number(n)) }

func templateID(number int) string { return fmt.Sprint("app-", number) }

// templateName is spread as name is.
func templateName(number int) string {
	return fmt.Sprintf("%03d application %d", number*7919%1000, number)
}

// saveTemplates saves the templates that connectors need until there are size of them.
func (b *bench) saveTemplates(ctx context.Context, size int) error {
	for n := b.filled; n < size; n++ {
		if b.plan.each > 0 && n%b.plan.each >= templates || b.plan.each == 0 && n >= templates {
			continue // the tenant has that one
		}
		if err := b.saveTemplate(ctx, n, b.number(n)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) saveTemplate(ctx context.Context, n, number int) error {
	_, err := b.tenant(n).CreateTemplate(ctx, hub.Template{
		ID: templateID(number), Name: templateName(number), Methods: []string{"GET", "POST"},
	})
	if err != nil {
		return fmt.Errorf("save a template: %w", err)
	}
	return nil
}

// save saves a connector, and where all are one tenant's a template for every tenth, for
// listings of templates to grow with.
func (b *bench) save(ctx context.Context, n int) error {
	if b.plan.each == 0 && n >= templates && n%templates == 0 {
		if err := b.saveTemplate(ctx, n, n); err != nil {
			return err
		}
	}
	if _, err := b.tenant(n).CreateConnector(ctx, b.connector(n)); err != nil {
		return fmt.Errorf("save a connector: %w", err)
	}
	return nil
}

func (b *bench) connector(n int) hub.Connector {
	con := hub.Connector{Name: name(n), Template: b.templateOf(n), Tags: []string{tag(n)}}
	for i := range requests {
		r := hub.Request{
			Name: fmt.Sprint("request-", i), Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped,
			Method: "POST", URL: "https://api.example.com/v2/items/{{id}}",
			MediaType: "application/json",
			Body:      `{"title":"{{title}}","count":"{{count}}","nested":{"a":["{{a}}",true]}}`,
		}
		if i >= requests/2 {
			r.State = hub.StateInactive
		}
		con.Requests = append(con.Requests, r)
	}
	return con
}
