package hub_test

import (
	"context"
	"fmt"

	"github.com/integrationhub/hub"
)

// A template's next version leaves its connectors alone. PlanUpgrade says what a move would
// break; UpgradeConnector moves what the caller accepts.
func ExampleTenant_UpgradeConnector() {
	ctx := context.Background()
	h, _, done := exampleHub()
	defer done()
	tpl, con, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "Ticket system", Methods: []string{"GET", "DELETE"}},
		hub.Connector{Name: "Tickets", Timeout: 20_000, Requests: []hub.Request{
			{Name: "list", Method: "GET", URL: "https://tickets.example.com/tickets"},
			{Name: "purge", Method: "DELETE", URL: "https://tickets.example.com/tickets"},
		}})
	if err != nil {
		fmt.Println(err)
		return
	}

	tpl.Methods = []string{"GET"}
	tpl.Limits.Timeout = 5000
	if tpl, err = h.ReviseTemplate(ctx, tpl); err != nil {
		fmt.Println(err)
		return
	}
	plan, err := h.PlanUpgrade(ctx, con.ID, tpl.Version)
	if err != nil {
		fmt.Println(err)
		return
	}
	var accept []string
	for _, b := range plan.Breaks {
		fmt.Printf("%s: %s; then it is %s\n", b.Path, b.Message, b.Effect)
		accept = append(accept, b.ID)
	}
	if con, err = h.UpgradeConnector(ctx, con.ID, plan.Revision, tpl.Version, accept...); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("version", con.TemplateVersion, "timeout", con.Timeout)
	for _, r := range con.Requests {
		fmt.Println(r.Name, r.State)
	}
	// Output:
	// requests[1].method: the version does not allow DELETE; then it is deactivated
	// timeout: the version allows 5000 milliseconds; then it is lowered to 5000
	// version 2 timeout 5000
	// list active
	// purge inactive
}
