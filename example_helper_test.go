package hub_test

import (
	"context"
	"fmt"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// exampleHub returns a hub in memory, a third-party application on loopback, and what closes
// both. A real hub stands on sqlite.Open and keyset.OpenOrCreate, with nil options.
func exampleHub() (*hub.Hub, *hubtest.Server, func()) {
	srv, err := hubtest.Start()
	if err != nil {
		panic(err)
	}
	keys, err := keyset.Generate()
	if err != nil {
		panic(err)
	}
	store := memory.New()
	h, err := hub.New(store, keys, &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}})
	if err != nil {
		panic(err)
	}
	return h, srv, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			fmt.Println(err)
		}
		srv.Close()
		_ = store.Close() // a store in memory has nothing to lose
	}
}

// ticketConnector saves a template and a connector "Tickets" with one request, "open".
func ticketConnector(ctx context.Context, h *hub.Hub, srv *hubtest.Server) hub.Connector {
	_, con, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "Ticket system", Methods: []string{"GET", "POST"}},
		hub.Connector{
			Name:    "Tickets",
			TLS:     &hub.TLS{CA: string(srv.CA())},
			Headers: []hub.Header{{Name: "X-Api-Key", Value: "[[key]]"}},
			Secrets: []hub.Secret{{Name: "key"}},
			Requests: []hub.Request{{
				Name:          "open",
				Trigger:       hub.TriggerStudio,
				PayloadMode:   hub.PayloadMapped,
				Method:        "POST",
				URL:           srv.URL + "/tickets",
				MediaType:     "application/json",
				Body:          `{"title": "{{title}}", "priority": "{{priority ?? 3}}", "source": "call of {{caller}}"}`,
				PayloadSchema: []byte(`{"type": "object", "required": ["title", "caller"], "properties": {"title": {"maxLength": 40}}}`),
				Outputs:       map[string]hub.Output{"number": {Path: "ticket.number"}},
			}},
		})
	if err != nil {
		panic(err)
	}
	return con
}
