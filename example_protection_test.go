package hub_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// A connector is held to a rate, and a circuit opens while the third party fails.
func ExampleTenant_Health() {
	ctx := context.Background()
	srv, err := hubtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	srv.Handle("/things", hubtest.Status(200))
	srv.Handle("/broken", hubtest.Status(500))
	keys, err := keyset.Generate()
	if err != nil {
		log.Fatal(err)
	}
	h, err := hub.New(memory.New(), keys, &hub.Options{
		Egress:  hub.Egress{AllowLoopback: true, AllowAnyPort: true},
		Breaker: hub.Breaker{Calls: 5}, // so few for the example's sake
	})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close(ctx)
	_, _, err = h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "Things", Methods: []string{"GET"}},
		hub.Connector{
			Name: "Things", Hosts: []string{srv.Host()}, TLS: &hub.TLS{CA: string(srv.CA())},
			Concurrency: 10,
			RateLimit:   &hub.RateLimit{Requests: 1000, Per: 86_400_000},
			Requests: []hub.Request{
				{Name: "list", Method: "GET", URL: srv.URL + "/things"},
				{Name: "break", Method: "GET", URL: srv.URL + "/broken"},
			},
		})
	if err != nil {
		log.Fatal(err)
	}

	for range 5 {
		_, _ = h.Execute(ctx, hub.Call{Connector: "Things", Request: "break"})
	}
	_, err = h.Execute(ctx, hub.Call{Connector: "Things", Request: "list"})
	fmt.Println("open:", errors.Is(err, hub.CircuitOpen))

	health, err := h.Health(ctx, "Things")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(health.Origins[0].Circuit, health.LastCode, health.RateLimits[0].Left)
	// Output:
	// open: true
	// open circuit-open 995
}
