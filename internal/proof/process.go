package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// process is a hub that may call loopback, with what it reported and logged.
type process struct {
	*hub.Hub
	log journal

	mu     sync.Mutex
	events []hub.Event // since they were taken last, those of attempts among them
}

func start() (*process, error) {
	keeper, err := keyset.Generate()
	if err != nil {
		return nil, err
	}
	p := &process{}
	p.Hub, err = hub.New(memory.New(), keeper, &hub.Options{
		Egress:   hub.Egress{AllowLoopback: true, AllowAnyPort: true},
		Observer: p.observe,
		Breaker:  hub.Breaker{Calls: -1},
		Limits:   hub.Limits{Attempts: 1},
		Logger:   slog.New(slog.NewJSONHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return p, err
}

func (p *process) observe(_ context.Context, e hub.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// taken returns what was reported since it was asked last.
func (p *process) taken() []hub.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

// journal keeps what was logged since it was read last.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) read() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.text.Reset()
	return j.text.String()
}
