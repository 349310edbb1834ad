package hub_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// A Code is an error: errors.Is finds it. What a program needs to know more are fields.
func ExampleError() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /tickets", hubtest.Status(409))
	con := ticketConnector(ctx, h, srv)
	if err := h.SetSecret(ctx, con.ID, "key", secrets.New("k-0123456789")); err != nil {
		fmt.Println(err)
		return
	}

	for _, call := range []hub.Call{
		{Connector: "Tickets", Request: "close"},
		{Connector: "Tickets", Request: "open", Payload: []byte(`{"title": 7}`)},
		{Connector: "Tickets", Request: "open", Payload: []byte(`{"title": "No dial tone", "caller": "Ada"}`)},
	} {
		res, err := h.Execute(ctx, call)
		switch e := (*hub.Error)(nil); {
		case err == nil:
			fmt.Println("done")
		case errors.Is(err, hub.Invalid) && errors.As(err, &e):
			for _, f := range e.Fields {
				fmt.Printf("%s: %s\n", f.Path, f.Message)
			}
		case errors.Is(err, hub.Rejected) && errors.As(err, &e):
			fmt.Println("no:", res.Status, "try again:", e.Retryable)
		default:
			fmt.Println(err)
		}
	}
	// Output:
	// hub: Execute "Tickets"/"close": not-found: there is no request "close" in the connector
	// payload: must have the member caller
	// no: 409 try again: false
}

// Every broken rule of a definition is reported at once.
func ExampleTenant_CreateTemplate() {
	h, _, done := exampleHub()
	defer done()

	_, err := h.CreateTemplate(context.Background(), hub.Template{
		Methods:      []string{"GET", "FETCH"},
		AllowedHosts: []string{"https://api.example.com"},
		Fields:       []hub.Field{{Key: "api key"}},
	})
	var e *hub.Error
	if errors.As(err, &e) {
		for _, f := range e.Fields {
			fmt.Println(f.Path, f.Rule)
		}
	}
	// Output:
	// name required
	// methods[1] enum
	// allowedHosts[0] host
	// fields[0].key pattern
}
