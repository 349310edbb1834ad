package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

// acting is a RoundTripper that does what the test says.
type acting func(*http.Request, *httptrace.ClientTrace) (*http.Response, error)

func (a acting) RoundTrip(r *http.Request) (*http.Response, error) { return a(r, traceOf(r)) }

// sink is a metered connection that takes all.
func sink(t testing.TB) net.Conn {
	client, server := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, server) }()
	t.Cleanup(func() { _ = client.Close() })
	return transport.Meter(client)
}

func TestWhatNetHTTPIsGiven(t *testing.T) {
	for name, body := range map[string]string{"empty": "", "with a body": "x"} {
		var got *http.Request
		req := to(t, "POST", here, acting(func(r *http.Request, _ *httptrace.ClientTrace) (*http.Response, error) {
			got = r
			return canned{}.RoundTrip(r)
		}))
		req.Body = []byte(body)
		req.Header = http.Header{"Idempotency-Key": {"k"}, "X-Idempotency-Key": {"x"}}
		req.Prepare = func(_ context.Context, _ int, r *http.Request) error {
			r.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil }
			return nil
		}
		require.NoError(t, transport.New(nil).Do(t.Context(), req, &transport.Policy{}).Err)
		assert.Nil(t, got.GetBody, "cannot be rewound")
		if assert.Equal(t, body == "", got.Body == nil, name); body == "" {
			assert.NotContains(t, got.Header, "Idempotency-Key", "net/http would take it for leave to repeat")
			assert.Equal(t, []string{"k"}, map[string][]string(got.Header)["idempotency-key"])
			assert.Equal(t, []string{"x"}, map[string][]string(got.Header)["x-idempotency-key"])
		}
	}
}

func TestAnUnfinishedWriteProvesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := transport.New(nil).Do(ctx, to(t, "POST", here, acting(func(_ *http.Request, trace *httptrace.ClientTrace) (*http.Response, error) {
		trace.GotConn(httptrace.GotConnInfo{Conn: sink(t)})
		cancel()
		return nil, context.Canceled
	})), &transport.Policy{})
	assert.Equal(t, transport.Canceled, kindOf(t, out))
	assert.True(t, out.Attempts[0].Sent)
	var f *transport.Failure
	require.ErrorAs(t, out.Err, &f)
	assert.True(t, f.Sent)
}

func TestAnEarlierConnectionCounts(t *testing.T) {
	for name, write := range map[string]string{"took bytes": "GET ", "took none": ""} {
		out := transport.New(nil).Do(t.Context(), to(t, "GET", here, acting(func(_ *http.Request, trace *httptrace.ClientTrace) (*http.Response, error) {
			first := sink(t)
			trace.GotConn(httptrace.GotConnInfo{Conn: first, Reused: true})
			_, _ = io.WriteString(first, write)
			trace.GotConn(httptrace.GotConnInfo{Conn: sink(t)})
			return nil, io.ErrUnexpectedEOF
		})), &transport.Policy{Attempts: 1})
		assert.Equal(t, write != "", out.Attempts[0].Sent, name)
		assert.False(t, out.Attempts[0].Reused)
	}
}

func TestRetryAtIsForgottenOnceItWasWaitedFor(t *testing.T) {
	n := 0
	out := transport.New(nil).Do(t.Context(), to(t, "POST", here, acting(func(r *http.Request, _ *httptrace.ClientTrace) (*http.Response, error) {
		resp, err := canned{}.RoundTrip(r)
		if n++; n == 1 {
			resp.StatusCode = 503
			resp.Header.Set("Retry-After", "1")
			return resp, err
		}
		return resp, err
	})), &transport.Policy{BaseWait: -1})
	require.Equal(t, 200, out.Answer.Status)
	assert.Zero(t, out.RetryAt)
}

// closing notes that it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestTheBodyIsAlwaysClosed(t *testing.T) {
	bodies := map[string]io.Reader{
		"whole": strings.NewReader("ok"), "too large": strings.NewReader(strings.Repeat("x", 100)),
		"broken": io.MultiReader(strings.NewReader("o"), brokenReader{}),
	}
	for name, r := range bodies {
		body := &closing{Reader: r}
		transport.New(nil).Do(t.Context(), to(t, "POST", here, acting(func(*http.Request, *httptrace.ClientTrace) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{}, Body: body}, nil
		})), &transport.Policy{Limits: transport.Limits{WireBytes: 10}})
		assert.True(t, body.closed, name)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("reset") }

// What an Upload fetches on its own, over a connection of its own, is not the attempt.
func TestWhatAnUploadSendsIsNotTheRequest(t *testing.T) {
	handler, _ := always(200)
	via := inMemory(t, handler)
	for name, prepare := range map[string]func(context.Context, int, *http.Request) error{
		"unsigned": nil, "signed": func(context.Context, int, *http.Request) error { return nil },
	} {
		req := to(t, "POST", here, via)
		req.Prepare = prepare
		req.Upload = &transport.Upload{Size: 2, Open: func(ctx context.Context) io.ReadCloser {
			assert.Nil(t, httptrace.ContextClientTrace(ctx), name)
			assert.NotNil(t, ctx.Done(), "it ends with the attempt")
			return io.NopCloser(strings.NewReader("ok"))
		}}
		out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
		require.NoError(t, out.Err)
		assert.Zero(t, out.Attempts[0].Resends)
	}
}

// Each attempt has its own evidence: hooks that run late touch no other attempt's.
func TestLateHooksTouchTheirOwnAttemptAlone(t *testing.T) {
	var first *httptrace.ClientTrace
	req := to(t, "PUT", here, acting(func(_ *http.Request, trace *httptrace.ClientTrace) (*http.Response, error) {
		if first == nil {
			first = trace
			return nil, errors.New("no connection")
		}
		first.GotConn(httptrace.GotConnInfo{Conn: sink(t), Reused: true})
		return nil, errors.New("no connection")
	}))
	req.Body = []byte("x")
	out := transport.New(nil).Do(t.Context(), req, &transport.Policy{Attempts: 2, BaseWait: -1})
	require.Len(t, out.Attempts, 2)
	for _, a := range out.Attempts {
		assert.False(t, a.Sent)
		assert.False(t, a.Reused)
	}
}
