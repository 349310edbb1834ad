// Smallest is the smallest real program with a hub in it. It opens a ticket in an
// application that takes an API key in a header:
//
//	TICKETS_KEY=… go run ./examples/smallest https://tickets.example.com
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/sqlite"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: smallest https://tickets.example.com")
	}
	number, err := openTicket(context.Background(), ".", os.Args[1], secrets.New(os.Getenv("TICKETS_KEY")), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("opened", number)
}

func openTicket(ctx context.Context, dir, origin string, key secrets.Value, opts *hub.Options) (string, error) {
	store, err := sqlite.Open(ctx, dir+"/hub.db", nil)
	if err != nil {
		return "", err
	}
	defer store.Close()
	keys, err := keyset.OpenOrCreate(ctx, dir+"/hub.keyset", store)
	if err != nil {
		return "", err
	}
	h, err := hub.New(store, keys, opts)
	if err != nil {
		return "", err
	}
	defer h.Close(ctx)

	if err := connect(ctx, h, origin, key); err != nil {
		return "", err
	}
	result, err := h.Execute(ctx, hub.Call{
		Connector: "Tickets",
		Request:   "open",
		Payload:   json.RawMessage(`{"title": "No dial tone"}`),
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(result.Outputs["number"]), nil
}

// connect says, once, what the application is like and how we connect to it. The host of
// the connector's URLs is the one that the key is bound to.
func connect(ctx context.Context, h *hub.Hub, origin string, key secrets.Value) error {
	template := hub.Template{Name: "Tickets", Methods: []string{"POST"}}
	connector := hub.Connector{
		Name:    "Tickets",
		Headers: []hub.Header{{Name: "X-Api-Key", Value: "[[key]]"}},
		Secrets: []hub.Secret{{Name: "key"}},
		Requests: []hub.Request{{
			Name:        "open",
			Trigger:     hub.TriggerStudio,
			PayloadMode: hub.PayloadMapped,
			Method:      "POST",
			URL:         origin + "/tickets",
			MediaType:   "application/json",
			Body:        `{"title": "{{title}}", "priority": "{{priority ?? 3}}"}`,
			Outputs:     map[string]hub.Output{"number": {Path: "ticket.number"}},
		}},
	}
	_, con, err := h.CreateTemplateAndConnector(ctx, template, connector)
	if errors.Is(err, hub.Exists) { // the second run
		return nil
	}
	if err != nil {
		return err
	}
	return h.SetSecret(ctx, con.ID, "key", key)
}
