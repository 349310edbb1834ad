package hub_test

import (
	"context"
	"fmt"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// From a template to an answered call.
func Example() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /tickets", hubtest.JSON(201, map[string]any{"ticket": map[string]any{"number": "T-42"}}))

	// What the application is like: once, for everybody who connects to it.
	tpl, err := h.CreateTemplate(ctx, hub.Template{
		Name:    "Ticket system",
		Methods: []string{"GET", "POST"},
		Fields: []hub.Field{
			{Key: "key", Title: "API key", Secret: true, Required: true},
			{Key: "queue", Title: "Queue", Default: "support"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// How we connect to it.
	con, err := h.CreateConnector(ctx, hub.Connector{
		Template: tpl.ID,
		Name:     "Tickets",
		TLS:      &hub.TLS{CA: string(srv.CA())},
		Headers:  []hub.Header{{Name: "X-Api-Key", Value: "[[key]]"}},
		Requests: []hub.Request{{
			Name:        "open",
			Trigger:     hub.TriggerStudio,
			PayloadMode: hub.PayloadMapped,
			Method:      "POST",
			URL:         srv.URL + "/tickets",
			MediaType:   "application/json",
			Body:        `{"queue": "[[queue]]", "title": "{{title}}", "priority": "{{priority ?? 3}}"}`,
			Outputs:     map[string]hub.Output{"number": {Path: "ticket.number"}},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := h.SetSecret(ctx, con.ID, "key", secrets.New("k-0123456789")); err != nil {
		fmt.Println(err)
		return
	}

	// Run it by name.
	res, err := h.Execute(ctx, hub.Call{
		Connector: "Tickets",
		Request:   "open",
		Payload:   []byte(`{"title": "No dial tone"}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Branch, res.Status, res.Outputs["number"], res.Get("ticket.number"))
	fmt.Println(string(srv.Requests()[0].Body))
	// Output:
	// OnSuccess 201 T-42 T-42
	// {"queue":"support","title":"No dial tone","priority":3}
}
