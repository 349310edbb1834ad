package hub_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/integrationhub/hub"
)

// Plan shows what would be sent and where each part comes from. Nothing is sent, and the
// secret need not even have a value.
func ExampleTenant_Plan() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	ticketConnector(ctx, h, srv)

	plan, err := h.Plan(ctx, hub.Call{
		Connector: "Tickets",
		Request:   "open",
		Payload:   []byte(`{"title": "No dial tone", "caller": "Ada"}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Method, strings.TrimPrefix(plan.URL, srv.URL))
	fmt.Println("X-Api-Key:", plan.Header.Get("X-Api-Key"))
	fmt.Println(plan.Body)
	for _, part := range plan.Parts {
		if strings.HasPrefix(part.Place, "body:") || strings.HasPrefix(part.Place, "header:X") {
			fmt.Println(part.Place, "from", part.Sources)
		}
	}
	fmt.Println("secrets:", plan.Secrets, "sent:", len(srv.Requests()))
	// Output:
	// POST /tickets
	// X-Api-Key: [[key]]
	// {"title":"No dial tone","priority":3,"source":"call of Ada"}
	// header:X-Api-Key from [{definition headers[0]} {secret key}]
	// body:/title from [{definition requests[0].body} {payload title}]
	// body:/priority from [{definition requests[0].body} {default priority}]
	// body:/source from [{definition requests[0].body} {payload caller}]
	// secrets: [key] sent: 0
}
