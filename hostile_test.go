package hub_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// pour writes text again and again until the client has gone.
func pour(w io.Writer, text string, pause time.Duration) {
	tick := time.NewTicker(max(pause, time.Nanosecond))
	defer tick.Stop()
	for pause == 0 || !(<-tick.C).IsZero() {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

const okHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

// bomb is 32 MiB of zeros, compressed.
var bomb = sync.OnceValue(func() string { return zipped(strings.Repeat("0", 32<<20)) })

// hostileAnswers are answers that want time or memory without end.
var hostileAnswers = map[string]struct {
	answer func(w io.Writer)
	code   hub.Code
}{
	"endless body": {func(w io.Writer) { _, _ = io.WriteString(w, okHead+"\r\n"); pour(w, strings.Repeat("0", 64<<10), 0) }, hub.BadAnswer},
	"endless header": {func(w io.Writer) {
		_, _ = io.WriteString(w, okHead)
		pour(w, "X-A: "+strings.Repeat("0", 4<<10)+"\r\n", 0)
	}, hub.BadAnswer},
	"endless header line": {func(w io.Writer) { _, _ = io.WriteString(w, okHead+"X-A: "); pour(w, strings.Repeat("0", 4<<10), 0) }, hub.BadAnswer},
	"slow body":           {func(w io.Writer) { _, _ = io.WriteString(w, okHead+"\r\n"); pour(w, "0", 5*time.Millisecond) }, hub.Timeout},
	"slow header":         {func(w io.Writer) { _, _ = io.WriteString(w, okHead); pour(w, "X-A: 1\r\n", 5*time.Millisecond) }, hub.Timeout},
	"silence":             {func(w io.Writer) { _, _ = io.Copy(io.Discard, w.(io.Reader)) }, hub.Timeout},
	"chunks without bytes": {func(w io.Writer) {
		_, _ = io.WriteString(w, okHead+"Transfer-Encoding: chunked\r\n\r\n")
		pour(w, "1\r\n0\r\n", 5*time.Millisecond)
	}, hub.Timeout},
	"a length beyond": {func(w io.Writer) {
		_, _ = io.WriteString(w, okHead+"Content-Length: 9223372036854775807\r\n\r\n")
		pour(w, strings.Repeat("0", 64<<10), 0)
	}, hub.BadAnswer},
	"gzip bomb": {func(w io.Writer) {
		body := bomb()
		_, _ = fmt.Fprintf(w, "%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", okHead, len(body), body)
	}, hub.BadAnswer},
	"deep JSON": {func(w io.Writer) {
		body := strings.Repeat("[", 4<<20)
		_, _ = fmt.Fprintf(w, "%sContent-Length: %d\r\n\r\n%s", okHead, len(body), body)
	}, hub.BadAnswer},
	"deep objects": {func(w io.Writer) {
		body := strings.Repeat(`{"a":`, 1<<20)
		_, _ = fmt.Fprintf(w, "%sContent-Length: %d\r\n\r\n%s", okHead, len(body), body)
	}, hub.BadAnswer},
	"informational answers without end": {func(w io.Writer) { pour(w, "HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n", 0) }, hub.BadAnswer},
	"not HTTP":                          {func(w io.Writer) { _, _ = io.WriteString(w, "SSH-2.0-OpenSSH\r\n") }, hub.BadAnswer},
}

// Each ends at the call's deadline at the latest, or at a bound before it, and the memory in
// use stays within bounds meanwhile.
func TestHostileAnswersEndWithinTimeAndMemory(t *testing.T) {
	require.Less(t, len(bomb()), 1<<20) // made before anything is measured
	for name, tt := range hostileAnswers {
		t.Run(name, func(t *testing.T) {
			srv := newRawServer(t, tt.answer)
			h := open(t, func(o *hub.Options) { o.Egress.AllowHTTP, o.Limits.Attempts = true, 1 }).Tenant("acme")
			timeout := 10_000
			if tt.code == hub.Timeout {
				timeout = 200
			}
			_, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Timeout: timeout, Template: template(t, h).ID, Requests: []hub.Request{
				{Name: "r", Method: "GET", URL: srv.url(), Outputs: map[string]hub.Output{"a": {Path: "a.b"}}},
			}})
			require.NoError(t, err)
			grown := heapGrowth(func() { err = callFor("r", nil)(t, h, "") })
			require.ErrorIs(t, err, tt.code)
			assert.Less(t, grown, uint64(64<<20))
		})
	}
}

// heapGrowth returns by how much the heap grew at most while f ran.
func heapGrowth(f func()) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return most - before
		case <-tick.C:
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
}
