package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// answersConnector saves a connector "Stock" with one request, "level", of an application that
// answers 200 whatever happens.
func answersConnector(ctx context.Context, h *hub.Hub, srv *hubtest.Server) error {
	_, _, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "Stock", Methods: []string{"GET"}},
		hub.Connector{
			Name: "Stock",
			TLS:  &hub.TLS{CA: string(srv.CA())},
			Requests: []hub.Request{{
				Name:        "level",
				Trigger:     hub.TriggerStudio,
				PayloadMode: hub.PayloadMapped,
				Method:      "GET",
				URL:         srv.URL + "/levels/{{item}}",
				Responses: []hub.ResponseRule{
					{When: hub.AnswerMatch{Path: "error.code", Values: []string{"busy"}}, Then: hub.VerdictRetry},
					{When: hub.AnswerMatch{Path: "error"}, Then: hub.VerdictFail, Message: "the stock says {{error.text}}"},
				},
				Outputs: map[string]hub.Output{
					"level": {Path: "level", Type: hub.OutputInteger},
					"trace": {From: hub.FromHeader, Path: "X-Trace", Optional: true},
				},
				Fallback: &hub.Fallback{StaleFor: 600, Outputs: json.RawMessage(`{"level": null}`)},
			}},
		})
	return err
}

// Rules say what the answers of an application mean that answers 200 whatever happens.
func ExampleResponseRule() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("/levels/cord", hubtest.Sequence(
		hubtest.JSON(200, json.RawMessage(`{"error": {"code": "busy"}}`)),
		hubtest.JSON(200, json.RawMessage(`{"level": "17"}`)),
	))
	srv.Handle("/levels/phone", hubtest.JSON(200, json.RawMessage(`{"error": {"code": "none", "text": "no such item"}}`)))
	if err := answersConnector(ctx, h, srv); err != nil {
		fmt.Println(err)
		return
	}

	for _, payload := range []string{`{"item": "cord"}`, `{"item": "phone"}`} {
		res, err := h.Execute(ctx, hub.Call{Connector: "Stock", Request: "level", Payload: []byte(payload)})
		var e *hub.Error
		if errors.As(err, &e) {
			fmt.Println(e.Code, "-", e.Detail())
			continue
		}
		fmt.Println("level", res.Outputs["level"], "after", len(res.Attempts), "attempts")
	}
	// Output:
	// level 17 after 2 attempts
	// rejected - the stock says "no such item"
}

// A call flow that cannot wait goes on with an earlier answer, or with what the definition says.
func ExampleFallback() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	if err := answersConnector(ctx, h, srv); err != nil {
		fmt.Println(err)
		return
	}
	level := func(item string) {
		payload := fmt.Appendf(nil, `{"item": %q}`, item)
		res, err := h.Execute(ctx, hub.Call{Connector: "Stock", Request: "level", Payload: payload})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %v %q\n", item, res.Outputs["level"], res.Substitute)
	}

	srv.Handle("/", hubtest.JSON(200, json.RawMessage(`{"level": 17}`)))
	level("cord")
	srv.Handle("/", hubtest.Status(500))
	level("cord")
	level("phone")
	// Output:
	// cord: 17 ""
	// cord: 17 "stale"
	// phone: <nil> "outputs"
}
