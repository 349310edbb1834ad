package hubtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/hubtest"
)

func TestRequestsRecordsWhatArrived(t *testing.T) {
	srv := hubtest.NewServer(t)
	var seen string
	srv.Handle("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = string(body)
	}))
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", srv.URL+"/a%2Fb?q=1&q=2%20", strings.NewReader("payload"))
	require.NoError(t, err)
	req.Header.Set("X-Trace", "one")
	req.Host = "api.example.com"
	resp, err := client(t, srv).Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	requests := srv.Requests()
	require.Len(t, requests, 1)
	got := requests[0]
	assert.Equal(t, "PATCH", got.Method)
	assert.Equal(t, "https://api.example.com/a%2Fb?q=1&q=2%20", got.URL.String())
	assert.Equal(t, []string{"1", "2 "}, got.URL.Query()["q"])
	assert.Equal(t, "/a%2Fb?q=1&q=2%20", got.Target)
	assert.Equal(t, "one", got.Header.Get("X-Trace"))
	assert.Equal(t, "payload", string(got.Body))
	assert.Equal(t, "payload", seen, "the handler can still read the body")
}

func TestRequestsBelongToTheCaller(t *testing.T) {
	srv := hubtest.NewServer(t)
	call(t, srv, "POST", "/a", "body")
	mine := srv.Requests()[0]
	mine.Header.Set("User-Agent", "changed")
	mine.Body[0], mine.URL.Path = 'X', "/changed"

	again := srv.Requests()[0]
	assert.NotEqual(t, "changed", again.Header.Get("User-Agent"))
	assert.Equal(t, "body", string(again.Body))
	assert.Equal(t, "/a", again.URL.Path)
}

func TestForget(t *testing.T) {
	srv := hubtest.NewServer(t)
	call(t, srv, "GET", "/first", "")
	srv.Forget()
	assert.Empty(t, srv.Requests())

	call(t, srv, "GET", "/second", "")
	require.Len(t, srv.Requests(), 1)
	assert.Equal(t, "/second", srv.Requests()[0].Target)
}

func TestRequestsUnderConcurrency(t *testing.T) {
	const callers = 16
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(204))
	c := client(t, srv)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() { assert.NoError(t, get(t, c, fmt.Sprintf("%s/%d", srv.URL, i))) })
	}
	wg.Wait()

	targets := make(map[string]bool)
	for _, r := range srv.Requests() {
		targets[r.Target] = true
	}
	assert.Len(t, targets, callers)
}

func TestBodyLimit(t *testing.T) {
	tests := []struct {
		name   string
		size   int
		status int
		kept   int
	}{
		{"at the limit", hubtest.MaxBody, 204, hubtest.MaxBody},
		{"one byte more", hubtest.MaxBody + 1, 400, hubtest.MaxBody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Status(204))
			status, _ := call(t, srv, "POST", "/", strings.Repeat("x", tt.size))
			assert.Equal(t, tt.status, status)
			assert.Len(t, srv.Requests()[0].Body, tt.kept)
		})
	}
}
