package transport_test

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

type watched struct{}

// watcher notes what it is told.
type watcher struct {
	begun []int
	waits []time.Duration
	ended []transport.Attempt
	extra http.Header
}

func (w *watcher) AttemptBegins(ctx context.Context, n int, wait time.Duration) (context.Context, http.Header) {
	w.begun, w.waits = append(w.begun, n), append(w.waits, wait)
	return context.WithValue(ctx, watched{}, n), w.extra
}

func (w *watcher) AttemptEnds(ctx context.Context, a *transport.Attempt) {
	if ctx.Value(watched{}) == len(w.begun) {
		w.ended = append(w.ended, *a)
	}
}

func TestAWatcherSeesEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := always(503)
		req, w := to(t, "GET", here, inMemory(t, handler)), &watcher{}
		req.Watcher = w
		var prepared []any
		req.Prepare = func(ctx context.Context, _ int, r *http.Request) error {
			prepared = append(prepared, r.Context().Value(watched{}), ctx.Value(watched{}))
			return nil
		}
		out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
		require.Len(t, out.Attempts, 3)
		assert.Equal(t, []int{1, 2, 3}, w.begun)
		assert.Equal(t, []any{1, 1, 2, 2, 3, 3}, prepared, "the attempt has the watcher's context")
		assert.Equal(t, out.Attempts, w.ended)
		for i, a := range out.Attempts {
			assert.Equal(t, a.Wait, w.waits[i])
		}
	})
}

func TestWhatAWatcherAdds(t *testing.T) {
	for name, prepare := range map[string]func(context.Context, int, *http.Request) error{
		"unsigned": nil,
		"signed": func(_ context.Context, _ int, r *http.Request) error {
			assert.Empty(t, r.Header["Traceparent"], "it is part of no signature")
			r.Header.Set("Signature", "s")
			return nil
		},
	} {
		var got http.Header
		req := to(t, "POST", here, acting(func(r *http.Request, _ *httptrace.ClientTrace) (*http.Response, error) {
			got = r.Header
			return canned{}.RoundTrip(r)
		}))
		req.Body, req.Header, req.Prepare = []byte("x"), http.Header{"X-Own": {"own"}, "Accept-Encoding": {"gzip"}}, prepare
		req.Watcher = &watcher{extra: http.Header{
			"traceparent": {"00-1"}, "x-own": {"other"}, "signature": {"forged"}, "Host": {"elsewhere"}, "Bad": {"a\r\nb"}, "None": nil,
		}}
		require.NoError(t, transport.New(nil).Do(t.Context(), req, &transport.Policy{}).Err, name)
		want := http.Header{"X-Own": {"own"}, "Accept-Encoding": {"gzip"}, "Traceparent": {"00-1"}, "Signature": {"forged"}}
		if prepare != nil {
			want.Set("Signature", "s")
		}
		assert.Equal(t, want, got, name)
		assert.Equal(t, http.Header{"X-Own": {"own"}, "Accept-Encoding": {"gzip"}}, req.Header, "the caller's header is unchanged")
	}
}
