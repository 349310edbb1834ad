package hubotel_test

import (
	"context"
	"fmt"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// A hub whose calls are traced, and which tells hosts of the program's own of the trace.
func Example() {
	ctx := context.Background()
	if err := traced(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// GET /tickets/{{id}} traced: true
	// hub.Execute
}

func traced(ctx context.Context) error {
	api, err := hubtest.Start()
	if err != nil {
		return err
	}
	defer api.Close()
	api.Handle("GET /tickets/{id}", hubtest.JSON(200, map[string]string{"state": "open"}))

	exporter := tracetest.NewInMemoryExporter() // a real program exports to its collector
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer provider.Shutdown(ctx)
	tel, err := hubotel.New(&hubotel.Options{
		TracerProvider: provider,
		Propagate:      func(e hub.Event) bool { return strings.HasPrefix(e.Host, "127.0.0.1") },
	})
	if err != nil {
		return err
	}
	keys, err := keyset.Generate()
	if err != nil {
		return err
	}
	h, err := hub.New(memory.New(), keys, &hub.Options{Tracer: tel, Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}})
	if err != nil {
		return err
	}
	defer h.Close(ctx)

	_, _, err = h.CreateTemplateAndConnector(ctx, hub.Template{Name: "Tickets", Methods: []string{"GET"}}, hub.Connector{
		Name: "Tickets", TLS: &hub.TLS{CA: string(api.CA())},
		Requests: []hub.Request{{
			Name: "show", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped,
			Method: "GET", URL: api.URL + "/tickets/{{id}}",
		}},
	})
	if err != nil {
		return err
	}
	if _, err := h.Execute(ctx, hub.Call{Connector: "Tickets", Request: "show", Payload: []byte(`{"id": "T-1"}`)}); err != nil {
		return err
	}
	spans := exporter.GetSpans()
	fmt.Println(spans[0].Name, "traced:", api.Requests()[0].Header.Get("Traceparent") != "")
	fmt.Println(spans[1].Name)
	return nil
}
