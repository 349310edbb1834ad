package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

// Why no other attempt was made, where another could have mended the last one.
func TestWhyAnAttemptWasTheLast(t *testing.T) {
	empty := func() *transport.Budget {
		b := transport.NewBudget(nil)
		for b.Spend("upstream.test") {
		}
		return b
	}
	breaks := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	for name, tt := range map[string]struct {
		method string
		answer http.HandlerFunc
		policy func() transport.Policy
		change func(*transport.Request)
		within time.Duration
		want   transport.Stop
	}{
		"a success":                 {"GET", status(200), nil, nil, 0, ""},
		"nothing to mend":           {"GET", status(404), nil, nil, 0, ""},
		"nothing to mend of a POST": {"POST", status(500), nil, nil, 0, ""},
		"used up":                   {"GET", status(503), nil, nil, 0, transport.StopAttempts},
		"one is all":                {"GET", status(503), func() transport.Policy { return transport.Policy{Attempts: 1} }, nil, 0, transport.StopAttempts},
		"a POST":                    {"POST", status(503), nil, nil, 0, transport.StopNotIdempotent},
		"a POST without an answer":  {"POST", breaks, nil, nil, 0, transport.StopNotIdempotent},
		"a GET without an answer":   {"GET", breaks, nil, nil, 0, transport.StopAttempts},
		"too long a wait":           {"GET", status(503, "Retry-After", "61"), nil, nil, 0, transport.StopRetryAfter},
		"a wait that does not fit":  {"GET", status(503, "Retry-After", "9"), nil, nil, 9 * time.Second, transport.StopDeadline},
		"no answer in time":         {"GET", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, nil, time.Second, transport.StopDeadline},
		"no repeat left":            {"GET", status(503), func() transport.Policy { return transport.Policy{Budget: empty()} }, nil, 0, transport.StopBudget},
		"shut":                      {"GET", status(503), nil, func(r *transport.Request) { r.Gate = &gate{passes: 9, shuts: 1, until: time.Now().Add(time.Hour)} }, 0, transport.StopShut},
		"held":                      {"GET", status(503), nil, func(r *transport.Request) { r.Gate = &gate{passes: 1} }, 0, transport.StopHeld},
		"held at first":             {"GET", status(503), nil, func(r *transport.Request) { r.Gate = &gate{} }, 0, ""},
		"held till the end":         {"GET", status(503), nil, func(r *transport.Request) { r.Gate = &gate{passes: 9, wait: 2 * time.Second} }, 3 * time.Second, transport.StopDeadline},
		"a body that is gone": {"PUT", status(503), nil, func(r *transport.Request) {
			r.Upload = &transport.Upload{
				Size: 4, Open: func(context.Context) io.ReadCloser { return io.NopCloser(strings.NewReader("four")) }, Again: func() bool { return false },
			}
		}, 0, transport.StopUpload},
		"an answer that was passed on": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
		}, nil, func(r *transport.Request) {
			r.Stream = &transport.Stream{Accept: func(int, http.Header) transport.Sink { return &passing{} }}
		}, 0, transport.StopPassed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.within)
					defer cancel()
				}
				req := to(t, tt.method, here, inMemory(t, tt.answer))
				if tt.change != nil {
					tt.change(&req)
				}
				var policy transport.Policy
				if tt.policy != nil {
					policy = tt.policy()
				}
				out := transport.New(nil).Do(ctx, req, &policy)
				assert.Equal(t, tt.want, out.Stop)
				assert.Equal(t, tt.want == transport.StopHeld, errors.Is(out.HeldBy, errShut))
			})
		})
	}
}

// Who gives up during a pause ended the repeats; who does so after an answer that is final did not.
func TestWhoGivesUpEndsTheRepeats(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		want   transport.Stop
	}{"during a pause": {503, transport.StopCanceled}, "after the last answer": {404, ""}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				via := inMemory(t, status(tt.status, "Retry-After", "30"))
				out := transport.New(nil).Do(ctx, to(t, "GET", here, via), &transport.Policy{})
				assert.Equal(t, tt.want, out.Stop)
				require.Len(t, out.Attempts, 1)
			})
		})
	}
}

func status(code int, header ...string) http.HandlerFunc {
	handler, _ := always(code, header...)
	return handler
}

// passing takes a body and has then passed it on for good.
type passing struct{ begun bool }

func (s *passing) Start(int64)  {}
func (s *passing) Close() error { return nil }
func (s *passing) Begun() bool  { return s.begun }

func (s *passing) Write(p []byte) (int, error) {
	s.begun = true
	return len(p), nil
}
