package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A list that comes in pages is one loop over its items.
func ExampleTenant_ExecuteItems() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("GET /contacts", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := `{"results": [{"name": "Ada"}, {"name": "Grace"}], "paging": {"next": {"after": "g"}}}`
		if r.URL.Query().Get("after") == "g" {
			page = `{"results": [{"name": "Hedy"}]}`
		}
		hubtest.JSON(200, json.RawMessage(page)).ServeHTTP(w, r)
	}))
	_, _, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "CRM", Methods: []string{"GET"}},
		hub.Connector{
			Name: "CRM", TLS: &hub.TLS{CA: string(srv.CA())},
			Requests: []hub.Request{{
				Name: "contacts", Method: "GET", URL: srv.URL + "/contacts",
				Pagination: &hub.Pagination{Kind: hub.PageCursor, Items: "results", Next: "paging.next.after", Param: "after"},
			}},
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	for item, err := range h.ExecuteItems(ctx, hub.Call{Connector: "CRM", Request: "contacts"}, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		var contact struct{ Name string }
		if err := json.Unmarshal(item, &contact); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(contact.Name)
	}
	// Output:
	// Ada
	// Grace
	// Hedy
}
