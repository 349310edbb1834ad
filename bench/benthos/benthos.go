//go:build !race

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"   // the processor http
	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // try, mapping, json_schema
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/integrationhub/hub/bench/internal/job"
)

// idle is how many connections Benthos may keep, as the other peers may.
const idle = 256

// label names the processor that does the work.
const label = "incidents"

// config is the work in Benthos' own words. Its processor http sends with net/http's default
// transport.
const config = `
try:
  - json_schema:
      schema: %[1]q
  - mapping: |
      meta customer = this.customer.id.escape_url_query()
      meta queue = this.contact.queue.escape_url_query()
      meta agent = this.agent.id
      root.title = this.ticket.subject
      root.text = this.ticket.description
      root.priority = this.ticket.priority
      root.tags = this.ticket.tags
      root.amount.value = this.ticket.amount
      root.amount.currency = this.ticket.currency
      root.requester = "%%s <%%s>".format(this.customer.name, this.customer.email)
      root.source = %[2]q
      root.agent = this.agent.id
  - http:
      url: %[3]s/v2/customers/${! meta("customer") }/incidents?queue=${! meta("queue") }&notify=true
      verb: POST
      timeout: %[4]v
      retries: 2
      headers:
        Content-Type: application/json
        X-Agent: agent-${! meta("agent") }
        X-Api-Key: %[5]q
      oauth2:
        enabled: true
        client_key: %[6]q
        client_secret: %[7]q
        token_url: %[3]s%[8]s
      tls:
        enabled: %[9]t
        root_cas_file: %[10]q
  - mapping: |
      root.number = this.result.number
      root.id = this.result.id
`

// benthos runs one processor, for as many callers as there are.
type benthos struct {
	resources *service.Resources
	stop      func(context.Context) error
	ca        string // file
}

// tuned makes net/http's default transport, of which Benthos has its own, keep as many
// connections as the transports of the other peers do.
var tuned = sync.OnceFunc(func() {
	t := http.DefaultTransport.(*http.Transport)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*idle, idle
})

func open(_ context.Context, target job.Target) (job.Peer, error) {
	if target.Stub != nil {
		http.DefaultTransport = target.Stub // which earlier peers have taken theirs from
	} else {
		tuned()
	}
	b := &benthos{}
	if err := b.trust(target.CA); err != nil {
		return nil, err
	}
	if err := b.build(target); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// trust writes the certificate of a target where Benthos reads it.
func (b *benthos) trust(ca string) error {
	if ca == "" {
		return nil
	}
	f, err := os.CreateTemp("", "hub-benthos-*.pem")
	if err != nil {
		return err
	}
	b.ca = f.Name()
	_, err = f.WriteString(ca)
	return errors.Join(err, f.Close())
}

func (b *benthos) build(target job.Target) (err error) {
	text := fmt.Sprintf(config, strings.Join(strings.Fields(job.Schema), " "), job.Source, target.Origin,
		job.Timeout, job.APIKey, job.ClientID, job.ClientSecret, job.TokenPath, target.CA != "", b.ca)
	builder := service.NewResourceBuilder()
	builder.SetLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err := builder.AddProcessorYAML("label: " + label + text); err != nil {
		return err
	}
	b.resources, b.stop, err = builder.Build()
	return err
}

// Call does the work.
func (b *benthos) Call(ctx context.Context, payload []byte) (answer job.Answer, err error) {
	accessed := b.resources.AccessProcessor(ctx, label, func(p *service.ResourceProcessor) {
		answer, err = run(ctx, p, payload)
	})
	return answer, errors.Join(accessed, err)
}

func run(ctx context.Context, p *service.ResourceProcessor, payload []byte) (job.Answer, error) {
	batch, err := p.Process(ctx, service.NewMessage(payload))
	if err != nil {
		return job.Answer{}, err
	}
	if len(batch) != 1 {
		return job.Answer{}, fmt.Errorf("%d messages came of one", len(batch))
	}
	if err := batch[0].GetError(); err != nil {
		return job.Answer{}, err
	}
	v, err := batch[0].AsStructured()
	if err != nil {
		return job.Answer{}, err
	}
	fields, _ := v.(map[string]any)
	number, ok := fields["number"].(string)
	if !ok {
		return job.Answer{}, fmt.Errorf("the number is a %T", fields["number"])
	}
	id, err := integer(fields["id"])
	return job.Answer{Number: number, ID: id}, err
}

func integer(v any) (int64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Int64()
	case int64:
		return v, nil
	case float64:
		return int64(v), nil
	}
	return 0, fmt.Errorf("the id is a %T", v)
}

// Close ends the processor.
func (b *benthos) Close() error {
	var failures []error
	if b.stop != nil {
		failures = append(failures, b.stop(context.Background()))
	}
	if b.ca != "" {
		failures = append(failures, os.Remove(b.ca))
	}
	return errors.Join(failures...)
}
