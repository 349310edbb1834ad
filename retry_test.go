package hub_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// Who sends a call again, and how often: a POST only where no harm can come of it.
func TestACallIsSentAgainOnlyWhereTheRulesAllow(t *testing.T) {
	ok := hubtest.Status(200)
	soon := hubtest.Status(503).RetryAfter(0)
	for name, tt := range map[string]struct {
		method string
		first  http.Handler
		retry  *hub.Retry
		want   int
	}{
		"GET after 503":                         {"GET", hubtest.Status(503), nil, 2},
		"GET after 502":                         {"GET", hubtest.Status(502), nil, 2},
		"GET after 504":                         {"GET", hubtest.Status(504), nil, 2},
		"GET after 429":                         {"GET", hubtest.Status(429), nil, 2},
		"GET after 500":                         {"GET", hubtest.Status(500), nil, 1},
		"GET after 404":                         {"GET", hubtest.Status(404), nil, 1},
		"PUT after 503":                         {"PUT", hubtest.Status(503), nil, 2},
		"DELETE after 503":                      {"DELETE", hubtest.Status(503), nil, 2},
		"POST after 503":                        {"POST", hubtest.Status(503), nil, 1},
		"PATCH after 503":                       {"PATCH", hubtest.Status(503), nil, 1},
		"POST after 503 with Retry-After":       {"POST", soon, nil, 2},
		"POST after 429 with Retry-After":       {"POST", hubtest.Status(429).RetryAfter(0), nil, 2},
		"POST after 502 with Retry-After":       {"POST", hubtest.Status(502).RetryAfter(0), nil, 1},
		"POST after 503 with nonsense":          {"POST", hubtest.Status(503).Header("Retry-After", "soon"), nil, 1},
		"POST that is idempotent after 502":     {"POST", hubtest.Status(502), &hub.Retry{Idempotent: true}, 2},
		"POST with a key alone":                 {"POST", hubtest.Status(502), &hub.Retry{IdempotencyHeader: "Idempotency-Key"}, 1},
		"POST that is idempotent after 500":     {"POST", hubtest.Status(500), &hub.Retry{Idempotent: true}, 1},
		"POST that is idempotent and lists 500": {"POST", hubtest.Status(500), &hub.Retry{Idempotent: true, Statuses: []string{"500"}}, 2},
		"GET that lists only 500":               {"GET", hubtest.Status(503), &hub.Retry{Statuses: []string{"500"}}, 1},
		"GET with one attempt":                  {"GET", hubtest.Status(503), &hub.Retry{Attempts: 1}, 1},
		"GET whose connection breaks":           {"GET", hubtest.Drop(), nil, 2},
		"GET whose answer breaks off":           {"GET", hubtest.Text(200, "0123456789").DropAfter(4), nil, 2},
		"POST whose connection breaks":          {"POST", hubtest.Drop(), nil, 1},
		"POST whose answer breaks off":          {"POST", hubtest.Text(200, "0123456789").DropAfter(4), nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Sequence(tt.first, ok))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", tt.method, srv.URL, func(r *hub.Request) {
				r.Retry = tt.retry
				if tt.method == "POST" || tt.method == "PUT" || tt.method == "PATCH" {
					r.MediaType, r.Body = "application/json", `{"a":1}`
				}
			}))
			res, err := execute(t, h, "go")
			sent := srv.Requests()
			assert.Len(t, sent, tt.want)
			if tt.want == 1 {
				var e *hub.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, 1, e.Attempts)
				return
			}
			require.NoError(t, err)
			require.Len(t, res.Attempts, tt.want)
			assert.Equal(t, 200, res.Attempts[1].Status)
			assert.Equal(t, sent[0].Body, sent[1].Body)
		})
	}
}

func TestAttemptsAreBoundedByRequestTemplateAndHost(t *testing.T) {
	for name, tt := range map[string]struct {
		host, template, request, want int
	}{
		"the default":           {0, 0, 0, 3},
		"the request's":         {0, 0, 2, 2},
		"the template's":        {0, 2, 0, 2},
		"the host's":            {2, 0, 0, 2},
		"more for a host":       {5, 0, 4, 4},
		"request over template": {0, 2, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Status(503).RetryAfter(0))
			h := open(t, func(o *hub.Options) { o.Limits.Attempts = tt.host }).Tenant("acme")
			tpl := template(t, h, func(tpl *hub.Template) { tpl.Limits.Attempts = tt.template })
			connector(t, h, srv, func(c *hub.Connector) { c.Template = tpl.ID },
				manual("go", "GET", srv.URL, func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: tt.request} }))
			res, err := execute(t, h, "go")
			e := failed(t, err, hub.Rejected)
			assert.Equal(t, tt.want, e.Attempts)
			assert.Len(t, res.Attempts, tt.want)
			assert.Len(t, srv.Requests(), tt.want)
			assert.True(t, e.Retryable)
		})
	}
}

func TestTheIdempotencyKeyIsTheSameOnEachAttemptAndAnotherOnEachCall(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "POST", srv.URL, func(r *hub.Request) {
		r.Retry = &hub.Retry{Idempotent: true, IdempotencyHeader: "Idempotency-Key"}
	}))
	keys := map[string]int{}
	for range 2 {
		srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(200)))
		srv.Forget()
		_, err := execute(t, h, "go")
		require.NoError(t, err)
		for _, r := range srv.Requests() {
			keys[r.Header.Get("Idempotency-Key")]++
		}
	}
	assert.Len(t, keys, 2)
	for key, n := range keys {
		assert.GreaterOrEqual(t, len(key), 26)
		assert.Equal(t, 2, n)
	}
}

func TestAKeyThatTheDefinitionGivesIsKept(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, mapped("go", "POST", srv.URL, func(r *hub.Request) {
		r.Headers = []hub.Header{{Name: "Idempotency-Key", Value: "order-{{id}}"}}
		r.Retry = &hub.Retry{IdempotencyHeader: "Idempotency-Key"}
	}))
	_, err := execute(t, h, "go", `{"id":7}`)
	require.NoError(t, err)
	assert.Equal(t, "order-7", srv.Requests()[0].Header.Get("Idempotency-Key"))
}

// Retry-After comes as seconds or as a date, is believed up to a bound, and is told to the
// caller if it is not waited for.
func TestRetryAfterIsWaitedForWithinBoundsOrTold(t *testing.T) {
	now := newClock()
	for name, tt := range map[string]struct {
		value   string
		date    string
		retryAt time.Duration // after now; negative: the call is sent again
	}{
		"seconds within the deadline":      {"0", "", -1},
		"seconds beyond the deadline":      {"30", "", 30 * time.Second},
		"seconds beyond any bound":         {"99999999999999999999", "", 1e9 * time.Second},
		"a date that has passed":           {"Sun, 01 Mar 2026 11:00:00 GMT", "", -1},
		"a date":                           {"Sun, 01 Mar 2026 12:00:45 GMT", "Sun, 01 Mar 2026 12:00:00 GMT", 45 * time.Second},
		"a date of a server whose clock's": {"Sun, 01 Mar 2026 10:00:45 GMT", "Sun, 01 Mar 2026 10:00:00 GMT", 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			busy := hubtest.Text(429, "slow down").Header("Retry-After", tt.value)
			if tt.date != "" {
				busy = busy.Header("Date", tt.date)
			} else {
				busy = busy.Header("Date", now.Now().Format(http.TimeFormat))
			}
			srv.Handle("/", hubtest.Sequence(busy, hubtest.Status(200)))
			h := open(t, now.on).Tenant("acme")
			connector(t, h, srv, manual("go", "POST", srv.URL))
			res, err := execute(t, h, "go")
			if tt.retryAt < 0 {
				require.NoError(t, err)
				assert.Len(t, res.Attempts, 2)
				return
			}
			e := failed(t, err, hub.RateLimited)
			assert.Equal(t, 1, e.Attempts, "nobody waits for what cannot be waited for")
			assert.True(t, e.Retryable)
			assert.Equal(t, now.Now().Add(tt.retryAt), e.RetryAt)
			assert.Equal(t, "slow down", string(res.Body))
		})
	}
}

func TestRetryAfterBeyondTheHostsBoundIsNotWaitedFor(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(2), hubtest.Status(200)))
	h := open(t, func(o *hub.Options) { o.Limits.RetryAfter = time.Second }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	e := failed(t, err, hub.Rejected)
	assert.Equal(t, 1, e.Attempts)
	assert.False(t, e.RetryAt.IsZero())
}

// Each attempt is written down: when, where to, what came of it and why, and what it cost.
func TestEveryAttemptIsWrittenDown(t *testing.T) {
	now := newClock()
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Text(503, "not now").RetryAfter(0), hubtest.Text(200, "0123456789").DropAfter(4)))
	h := open(t, now.on).Tenant("acme")
	connector(t, h, srv, manual("go", "POST", srv.URL, func(r *hub.Request) { r.MediaType, r.Body = "application/json", `{"a":1}` }))
	res, err := execute(t, h, "go")
	e := failed(t, err, hub.BadAnswer)
	assert.True(t, e.Sent)
	assert.Equal(t, 2, e.Attempts)
	require.Len(t, res.Attempts, 2)
	for _, a := range res.Attempts {
		assert.Equal(t, now.Now(), a.Start)
		assert.GreaterOrEqual(t, a.Wait, time.Duration(0))
		assert.Equal(t, "loopback", a.Address)
		assert.Equal(t, int64(len(`{"a":1}`)), a.BytesOut)
		assert.True(t, a.Sent)
		assert.Zero(t, a.Resends)
		assert.Empty(t, a.Verdict)
	}
	assert.Equal(t, 503, res.Attempts[0].Status)
	assert.Empty(t, res.Attempts[0].Failure)
	assert.Equal(t, int64(len("not now")), res.Attempts[0].BytesIn)
	assert.Equal(t, 200, res.Attempts[1].Status)
	assert.Equal(t, "read", res.Attempts[1].Failure)
	assert.Equal(t, int64(4), res.Attempts[1].BytesIn)
}

// The last answer is there, whatever happened after it.
func TestTheLastAnswerIsKept(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Text(503, "not now"), hubtest.Drop()))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	res, err := execute(t, h, "go")
	e := failed(t, err, hub.BadAnswer)
	assert.Equal(t, 503, e.Status)
	assert.Equal(t, "not now", string(res.Body))
	assert.Len(t, res.Attempts, 3)
}

// Another token gets the attempts that the first one has left, and one at least.
func TestAttemptsAreThoseOfTheCallAndNotOfItsToken(t *testing.T) {
	busy, refused := hubtest.Status(503).RetryAfter(0), hubtest.Status(401)
	for name, tt := range map[string]struct {
		answers  []http.Handler
		attempts int
		want     int
	}{
		"refused at first":     {[]http.Handler{refused, busy}, 0, 3},
		"refused at last":      {[]http.Handler{busy, busy, refused, busy}, 0, 4},
		"refused, and no more": {[]http.Handler{refused, busy}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", issuer("3600"))
			srv.Handle("/things", hubtest.Sequence(tt.answers...))
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Requests[0].Retry = &hub.Retry{Attempts: tt.attempts} })
			_, err := execute(t, h, "read")
			e := failed(t, err, hub.Rejected)
			assert.Equal(t, tt.want, e.Attempts)
			assert.Equal(t, tt.want, received(srv, "/things"))
			assert.Equal(t, hub.BecauseAttempts, e.NotRepeated)
		})
	}
}
