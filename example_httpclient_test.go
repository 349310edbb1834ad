package hub_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// HTTPClient lends a connector to any Go SDK: its token, its hosts, its limits.
func ExampleTenant_HTTPClient() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /token", hubtest.Token("tok-0123456789", time.Hour))
	srv.Handle("GET /tickets", hubtest.Text(200, "T-42"))
	_, _, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "Ticket system", AuthType: hub.AuthOAuth2, Methods: []string{"GET"}},
		hub.Connector{
			Name: "Tickets",
			TLS:  &hub.TLS{CA: string(srv.CA())},
			Auth: hub.Auth{Request: &hub.AuthRequest{URL: srv.URL + "/token", Body: "grant_type=client_credentials"}},
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	client, err := h.HTTPClient(ctx, "Tickets")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Get(srv.URL + "/tickets")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(body), srv.Requests()[1].Header.Get("Authorization"))

	_, err = client.Get("https://elsewhere.example.com/")
	fmt.Println("elsewhere forbidden:", errors.Is(err, hub.Forbidden))
	// Output:
	// T-42 Bearer tok-0123456789
	// elsewhere forbidden: true
}
