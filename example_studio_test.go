package hub_test

import (
	"context"
	"fmt"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// What a Studio script sees: a branch, and variables. The error is only for faults of the
// host application.
func ExampleTenant_ConnectRequest() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /tickets", hubtest.Sequence(
		hubtest.JSON(201, map[string]any{"ticket": map[string]any{"number": "T-42"}}),
		hubtest.JSON(422, map[string]any{"error": "queue is closed"}),
	))
	con := ticketConnector(ctx, h, srv)
	if err := h.SetSecret(ctx, con.ID, "key", secrets.New("k-0123456789")); err != nil {
		fmt.Println(err)
		return
	}

	for range 2 {
		act, err := h.ConnectRequest(ctx, hub.ConnectRequestAction{
			ConnectName:        "Tickets",
			RequestName:        "open",
			RequestPayload:     []byte(`{"title": "No dial tone", "caller": "Ada"}`),
			RequestBodyVarName: "answer",
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		vars := act.Variables()
		fmt.Println(act.Branch, vars["answer"])
		fmt.Printf("ERR = %q, status = %d\n", vars["ERR"], act.Proxy.StatusCode)
	}
	// Output:
	// OnSuccess {"ticket":{"number":"T-42"}}
	// ERR = "", status = 201
	// OnError {"error":"queue is closed"}
	// ERR = "the third party answered status 422 (Unprocessable Entity)", status = 422
}

// A dynamic payload describes the call itself.
func ExampleTenant_ConnectRequest_dynamic() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("GET /tickets/{id}", hubtest.JSON(200, map[string]any{"state": "open"}))
	con := ticketConnector(ctx, h, srv)
	_, err := h.AddRequest(ctx, con.ID, hub.Request{Name: "anything", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := h.SetSecret(ctx, con.ID, "key", secrets.New("k-0123456789")); err != nil {
		fmt.Println(err)
		return
	}

	act, err := h.ConnectRequest(ctx, hub.ConnectRequestAction{
		ConnectName:    "Tickets",
		RequestName:    "anything",
		RequestPayload: []byte(`{"method": "GET", "url": "` + srv.URL + `/tickets/42", "queryParameters": {"fields": "state"}}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(act.Branch, act.Body)
	fmt.Println(srv.Requests()[0].Target)
	// Output:
	// OnSuccess {"state":"open"}
	// /tickets/42?fields=state
}
