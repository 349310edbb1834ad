package hub_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A large answer goes to a file, or here to the screen, while it arrives.
func ExampleTenant_ExecuteTo() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("GET /export", hubtest.Bytes(200, "text/csv", []byte("id,name\n"+strings.Repeat("7,Ada\n", 3))))
	_, _, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "CRM", Methods: []string{"GET"}},
		hub.Connector{
			Name: "CRM", TLS: &hub.TLS{CA: string(srv.CA())},
			Requests: []hub.Request{{Name: "export", Method: "GET", URL: srv.URL + "/export"}},
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	res, err := h.ExecuteTo(ctx, hub.Call{Connector: "CRM", Request: "export"}, os.Stdout, &hub.StreamOptions{
		MaxBytes: 1 << 20,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Written, "bytes of", res.Header.Get("Content-Type"))
	// Output:
	// id,name
	// 7,Ada
	// 7,Ada
	// 7,Ada
	// 26 bytes of text/csv
}
