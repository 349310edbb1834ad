package hubtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/integrationhub/hub/hubtest"
)

// A ticket system that is busy at first. In a test, NewServer(t) takes the place of Start
// and Close.
func Example() {
	srv, err := hubtest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.Handle("POST /tickets", hubtest.Sequence(
		hubtest.Status(503).RetryAfter(1),
		hubtest.JSON(201, map[string]any{"id": 42}),
	))

	client := srv.Client()
	defer client.CloseIdleConnections()
	for range 2 {
		resp, err := client.Post(srv.URL+"/tickets", "application/json", strings.NewReader(`{"title":"Help"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Printf("%s, retry after %q: %q\n", resp.Status, resp.Header.Get("Retry-After"), body)
	}
	for _, r := range srv.Requests() {
		fmt.Println(r.Method, r.URL.Path, string(r.Body))
	}
	// Output:
	// 503 Service Unavailable, retry after "1": ""
	// 201 Created, retry after "": "{\"id\":42}"
	// POST /tickets {"title":"Help"}
	// POST /tickets {"title":"Help"}
}

// An upstream may answer with any handler, here one that shows which credential came.
func ExampleServer_Handle() {
	srv, err := hubtest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.Handle("GET /me", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			hubtest.Status(401).ServeHTTP(w, r)
			return
		}
		hubtest.JSON(200, map[string]string{"name": "Ada"}).ServeHTTP(w, r)
	}))

	client := srv.Client()
	defer client.CloseIdleConnections()
	resp, err := client.Get(srv.URL + "/me")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 401 Unauthorized
}
