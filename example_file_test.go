package hub_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A file on disk is attached to a ticket; it is opened when it is sent.
func ExampleFile() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /tickets/7/attachments", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			hubtest.Text(400, err.Error()).ServeHTTP(w, r)
			return
		}
		data, _ := io.ReadAll(file)
		fmt.Printf("%s, %s: %q\n", header.Filename, r.FormValue("comment"), data)
		hubtest.Status(201).ServeHTTP(w, r)
	}))
	_, _, err := h.CreateTemplateAndConnector(ctx,
		hub.Template{Name: "Tickets", Methods: []string{"POST"}},
		hub.Connector{
			Name: "Tickets", TLS: &hub.TLS{CA: string(srv.CA())},
			Requests: []hub.Request{{
				Name: "attach", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped,
				Method: "POST", URL: srv.URL + "/tickets/{{ticket}}/attachments",
				Form: []hub.FormField{{Name: "comment", Value: "{{comment}}"}, {Name: "file", File: "attachment"}},
			}},
		})
	if err != nil {
		fmt.Println(err)
		return
	}

	res, err := h.Execute(ctx, hub.Call{
		Connector: "Tickets", Request: "attach", Payload: []byte(`{"ticket": 7, "comment": "as agreed"}`),
		Files: map[string]hub.File{"attachment": {
			Name: "notes.txt", MediaType: "text/plain",
			Open: func(context.Context) (io.ReadCloser, error) { return os.Open("testdata/attachment.txt") },
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Status)
	// Output:
	// notes.txt, as agreed: "No dial tone since noon.\n"
	// 201
}
