package hub_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// A batch makes many calls, several at once, and can be run again: what has been written
// down is not made twice.
func ExampleTenant_ExecuteAll() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /tickets", hubtest.JSON(201, map[string]any{"ticket": map[string]any{"number": "T-1"}}))
	con := ticketConnector(ctx, h, srv)
	if err := h.SetSecret(ctx, con.ID, "key", secrets.New("k-0123456789")); err != nil {
		fmt.Println(err)
		return
	}

	open := func(title string) hub.BatchCall {
		payload := fmt.Appendf(nil, `{"title": %q, "caller": "Ada"}`, title)
		return hub.BatchCall{Key: title, Call: hub.Call{Connector: "Tickets", Request: "open", Payload: payload}}
	}
	written := map[string]error{} // a table of yours
	opts := &hub.BatchOptions{
		Concurrency: 1,
		Ordered:     true,
		Done: func(_ context.Context, key string) (bool, error) {
			_, ok := written[key]
			return ok, nil
		},
		Record: func(_ context.Context, r hub.BatchResult, err error) error {
			written[r.Call.Key] = err
			return nil
		},
	}
	for _, calls := range [][]hub.BatchCall{
		{open("No dial tone"), open("Echo")},
		{open("No dial tone"), open("Echo"), open("Hum")},
	} {
		for r, err := range h.ExecuteAll(ctx, slices.Values(calls), opts) {
			switch {
			case err != nil:
				fmt.Println(err)
			case r.Skipped:
				fmt.Println(r.Call.Key, "was made before")
			default:
				fmt.Println(r.Call.Key, "is", r.Result.Outputs["number"])
			}
		}
	}
	fmt.Println("sent:", len(srv.Requests()))
	// Output:
	// No dial tone is T-1
	// Echo is T-1
	// No dial tone was made before
	// Echo was made before
	// Hum is T-1
	// sent: 3
}
