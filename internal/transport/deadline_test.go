package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

// stalls are the ways in which a server keeps a client waiting for ever.
var stalls = map[string]http.HandlerFunc{
	"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"no body": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
	"half a body": func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
	"a byte a second": func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Second)
		}
	},
	"a header line a second": func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		for _, err = fmt.Fprint(c, "HTTP/1.1 200 OK\r\n"); err == nil; _, err = fmt.Fprint(c, "X: y\r\n") {
			time.Sleep(time.Second)
		}
	},
	"1xx for ever, slowly": func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			w.WriteHeader(http.StatusEarlyHints)
			time.Sleep(time.Second)
		}
	},
}

func TestEachStallEndsAtTheDeadline(t *testing.T) {
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 7500*time.Millisecond)
				defer cancel()
				start := time.Now()
				out := transport.New(nil).Do(ctx, to(t, "GET", here, inMemory(t, stall)), &transport.Policy{})
				assert.Equal(t, 7500*time.Millisecond, time.Since(start))
				assert.Equal(t, transport.Timeout, kindOf(t, out))
				assert.ErrorIs(t, out.Err, context.DeadlineExceeded)
				assert.NotErrorIs(t, out.Err, context.Canceled)
				assert.Len(t, out.Attempts, 1)
				assert.True(t, out.Sent())
				time.Sleep(2 * time.Second) // of the bubble's time: the servers notice
			})
		})
	}
}

func TestEachStallEndsWithACancellation(t *testing.T) {
	why := errors.New("the caller went away")
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(1500*time.Millisecond, func() { cancel(why) })
				out := transport.New(nil).Do(ctx, to(t, "GET", here, inMemory(t, stall)), &transport.Policy{})
				assert.Equal(t, transport.Canceled, kindOf(t, out))
				assert.ErrorIs(t, out.Err, context.Canceled)
				assert.ErrorIs(t, out.Err, why)
				assert.NotErrorIs(t, out.Err, context.DeadlineExceeded)
				assert.Len(t, out.Attempts, 1)
				time.Sleep(2 * time.Second) // of the bubble's time: the servers notice
			})
		})
	}
}

func TestHowAContextEnds(t *testing.T) {
	tests := map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want transport.Kind
	}{
		"deadline with a cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, time.Second, errors.New("budget"))
		}, transport.Timeout},
		"canceled because of a deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(context.DeadlineExceeded) })
			return ctx, func() { cancel(nil) }
		}, transport.Timeout},
		"caller's own, earlier deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, first := context.WithTimeout(ctx, time.Second)
			ctx, second := context.WithTimeout(ctx, time.Hour)
			return ctx, func() { second(); first() }
		}, transport.Timeout},
		"canceled before the deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, transport.Canceled},
		"canceled from the start": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, transport.Canceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				out := transport.New(nil).Do(ctx, to(t, "GET", here, inMemory(t, stalls["no answer"])), &transport.Policy{})
				assert.Equal(t, tt.want, kindOf(t, out))
			})
		})
	}
}

// A call whose time was over before it began touches nobody.
func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	canceled, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("closing")
	cancel(reason)
	late, stop := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer stop()
	for kind, ctx := range map[transport.Kind]context.Context{transport.Canceled: canceled, transport.Timeout: late} {
		out := transport.New(nil).Do(ctx, transport.Request{
			Method: "GET", URL: &url.URL{Scheme: "https", Host: "example.com", Path: "/"}, Via: canned{},
		}, &transport.Policy{})
		var f *transport.Failure
		require.ErrorAs(t, out.Err, &f)
		assert.Equal(t, kind, f.Kind)
		assert.Equal(t, kind == transport.Canceled, errors.Is(out.Err, reason))
		assert.Empty(t, out.Attempts)
		assert.False(t, out.Sent())
	}
}

func TestADialAndAPrepareThatHangEndAtTheDeadline(t *testing.T) {
	hang := func(context.Context, string, string) (net.Conn, error) {
		time.Sleep(5 * time.Second)
		return nil, errors.New("dial timeout")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := to(t, "POST", here, &http.Transport{DialContext: hang})
		out := transport.New(nil).Do(ctx, req, &transport.Policy{})
		assert.Equal(t, transport.Timeout, kindOf(t, out))
		assert.False(t, out.Sent())
		time.Sleep(10 * time.Second) // of the bubble's time: net/http lets a dial go on
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := to(t, "POST", here, http.NewFileTransport(nil))
		req.Prepare = func(ctx context.Context, _ int, _ *http.Request) error {
			<-ctx.Done()
			return errors.New("no token")
		}
		out := transport.New(nil).Do(ctx, req, &transport.Policy{})
		assert.Equal(t, transport.Timeout, kindOf(t, out))
	})
}

func TestADialTimeoutOfItsOwnIsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		dials := 0
		slow := func(context.Context, string, string) (net.Conn, error) {
			dials++
			time.Sleep(2 * time.Second)
			return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
		}
		out := transport.New(nil).Do(ctx, to(t, "POST", here, &http.Transport{DialContext: slow}), &transport.Policy{})
		assert.Equal(t, transport.Unreachable, kindOf(t, out))
		assert.Equal(t, 3, dials, "nothing was sent, so a POST may be tried again")
		assert.NotErrorIs(t, out.Err, context.DeadlineExceeded)
	})
}
