package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// tracer is a hub.Tracer that names spans by where they hang, and notes each as it ends.
type tracer struct {
	header http.Header

	mu    sync.Mutex
	ended []string
	last  hub.Event
}

type spanKey struct{}

func (tr *tracer) on(o *hub.Options) { o.Tracer = tr }

func (tr *tracer) start(ctx context.Context, e hub.Event) (context.Context, func(hub.Event)) {
	parent, _ := ctx.Value(spanKey{}).(string)
	name := strings.TrimPrefix(parent+" > "+e.Op, " > ")
	return context.WithValue(ctx, spanKey{}, name), func(end hub.Event) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.ended, tr.last = append(tr.ended, fmt.Sprint(name, " ", end.Status)), end
	}
}

func (tr *tracer) StartCall(ctx context.Context, e hub.Event) (context.Context, func(hub.Event)) {
	return tr.start(ctx, e)
}

func (tr *tracer) StartAttempt(ctx context.Context, e hub.Event, header http.Header) (context.Context, func(hub.Event)) {
	for name, values := range tr.header {
		header[name] = values
	}
	return tr.start(ctx, e)
}

func (tr *tracer) spans() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	ended := tr.ended
	tr.ended = nil
	return ended
}

func TestATracerSeesTheTreeOfACall(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(401), hubtest.Status(200)))
	tr := &tracer{}
	h := open(t, tr.on).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	host := context.WithValue(t.Context(), spanKey{}, "the caller")

	_, err := h.Execute(host, hub.Call{Connector: "con", Request: "read"})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"the caller > Execute > Authenticate > Attempt 200",
		"the caller > Execute > Authenticate 200",
		"the caller > Execute > Attempt 503",
		"the caller > Execute > Attempt 401",
		"the caller > Execute > Authenticate > Attempt 200",
		"the caller > Execute > Authenticate 200",
		"the caller > Execute > Attempt 200",
		"the caller > Execute 200",
	}, tr.spans())
	assert.True(t, tr.last.TokenRenewed)

	_, err = h.Authenticate(host, "con")
	require.NoError(t, err)
	assert.Equal(t, []string{"the caller > Authenticate > Attempt 200", "the caller > Authenticate 200"}, tr.spans())

	_, err = h.Execute(host, hub.Call{Connector: "absent", Request: "read"})
	failed(t, err, hub.NotFound)
	assert.Equal(t, []string{"the caller > Execute 0"}, tr.spans())

	client := lend(t, h)
	req, err := http.NewRequestWithContext(host, "GET", srv.URL+"/things", nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []string{"the caller > RoundTrip > Attempt 200", "the caller > RoundTrip 200"}, tr.spans())
}

// The context of a call goes wherever the call goes.
func TestTheObserverGetsTheTracersContext(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	tr, seen := &tracer{}, []any{}
	h := open(t, tr.on, func(o *hub.Options) {
		o.Observer = func(ctx context.Context, _ hub.Event) { seen = append(seen, ctx.Value(spanKey{})) }
	}).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	assert.Equal(t, []any{"Execute > Attempt", "Execute"}, seen)
}

// A tracer that wants to hear no more says so.
func TestATracerNeedNotHearTheEnd(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t, func(o *hub.Options) { o.Tracer = silent{} }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
}

type silent struct{}

func (silent) StartCall(ctx context.Context, _ hub.Event) (context.Context, func(hub.Event)) {
	return ctx, nil
}

func (silent) StartAttempt(ctx context.Context, _ hub.Event, _ http.Header) (context.Context, func(hub.Event)) {
	return ctx, nil
}

func TestWhatATracerMaySend(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(200)))
	tr := &tracer{header: http.Header{
		"Traceparent":     {"00-1-1-01", "a second value"},
		"x-declared":      {"of the tracer"},
		"X-Api-Key":       {"of the tracer"},
		"Idempotency-Key": {"of the tracer"},
		"Host":            {"evil.example"},
		"Content-Length":  {"7"},
		"Proxy-Auth":      {"x"},
		"Bad Name":        {"x"},
		"X-Bad-Value":     {"a\r\nb: c"},
		"X-Empty":         {},
	}}
	h := open(t, tr.on).Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) {
		c.Auth = hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InHeader, Name: "X-Api-Key", Value: "[[key]]"}}
		c.Secrets = []hub.Secret{{Name: "key"}}
	}, manual("go", "PUT", srv.URL+"/x", func(r *hub.Request) {
		r.Headers = []hub.Header{{Name: "X-Declared", Value: "of the request"}}
		r.Retry = &hub.Retry{Attempts: 2, IdempotencyHeader: "Idempotency-Key"}
	}))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	resp, err := lend(t, h).Get(srv.URL + "/y")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	sent := srv.Requests()
	require.Len(t, sent, 3)
	for i, r := range sent {
		assert.Equal(t, []string{"00-1-1-01"}, r.Header["Traceparent"])
		assert.Equal(t, []string{"key-0123456789"}, r.Header["X-Api-Key"])
		for _, name := range []string{"Proxy-Auth", "X-Bad-Value", "X-Empty", "B"} {
			assert.NotContains(t, r.Header, name)
		}
		if i < 2 {
			assert.Equal(t, []string{"of the request"}, r.Header["X-Declared"])
			assert.NotContains(t, r.Header["Idempotency-Key"], "of the tracer")
		}
	}
}

// A signature covers what it covered without a tracer.
func TestWhatATracerSendsIsNotSigned(t *testing.T) {
	var signatures []string
	for _, change := range []func(*hub.Options){func(*hub.Options) {}, (&tracer{header: http.Header{"Traceparent": {"00-1-1-01"}}}).on} {
		srv := hubtest.NewServer(t)
		srv.Handle("/", hubtest.Status(200))
		now := newClock()
		h := open(t, change, now.on).Tenant("acme")
		kind(t, h, srv, hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{Region: "eu-west-1", Service: "execute-api"}},
			map[string]string{"secretAccessKey": "key-0123456789"}, func(c *hub.Connector) { c.Variables = map[string]string{"accessKeyId": "AKIDEXAMPLE"} })
		read(t, h)
		sent := srv.Requests()[0]
		signed, _, ok := strings.Cut(sent.Header.Get("Authorization"), ", Signature=")
		require.True(t, ok)
		signatures = append(signatures, signed)
	}
	assert.Equal(t, signatures[0], signatures[1])
	assert.NotContains(t, signatures[1], "traceparent")
}

// What is traced ends with the fetch: a caller that gave up disturbs nobody.
func TestATracedFetchOutlivesItsCaller(t *testing.T) {
	srv := hubtest.NewServer(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	srv.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		hubtest.Token("tok-0123456789", time.Hour).ServeHTTP(w, r)
	}))
	srv.Handle("/things", hubtest.Status(200))
	tr := &tracer{}
	h := open(t, tr.on).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "read"})
	failed(t, err, hub.Canceled)
	close(answer)
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.Len(t, srv.Requests(), 2, "one token for both")
}
