package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
)

// A secret is bound to the hosts that the connector has when its value is set. A host that
// joins later gets it only when the value is set again.
func ExampleTenant_SetSecret() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	con := ticketConnector(ctx, h, srv)
	key := secrets.New("k-0123456789")
	if err := h.SetSecret(ctx, con.ID, "key", key); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the key:", key)

	// Somebody points the request at a host of their own.
	con, err := h.GetConnector(ctx, con.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	con.Hosts = append(con.Hosts, "tickets.example.net")
	con.Requests[0].URL = "https://tickets.example.net/tickets"
	if _, err := h.UpdateConnector(ctx, con); err != nil {
		fmt.Println(err)
		return
	}
	_, err = h.Execute(ctx, hub.Call{
		Connector: "Tickets", Request: "open", Payload: []byte(`{"title": "No dial tone", "caller": "Ada"}`),
	})
	fmt.Println("forbidden:", errors.Is(err, hub.Forbidden))

	ready, err := h.Readiness(ctx, con.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range ready.Missing {
		fmt.Println(f.Path, f.Rule)
	}

	if err := h.SetSecret(ctx, con.ID, "key", key); err != nil {
		fmt.Println(err)
		return
	}
	list, err := h.ListSecrets(ctx, con.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(fmt.Sprint(list[0].Name, " is bound to ", list[0].Hosts), srv.Host(), "127.0.0.1"))
	// Output:
	// the key: [secret]
	// forbidden: true
	// secrets.key secret-binding
	// key is bound to [127.0.0.1 tickets.example.net]
}
