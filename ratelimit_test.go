package hub_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/ratelimit"
)

// rate is a limit of which nothing comes back during a test.
func rate(requests int) *hub.RateLimit {
	return &hub.RateLimit{Requests: requests, Per: 24 * 60 * 60 * 1000}
}

// Template, connector and request all hold; each attempt takes from each of them.
func TestRateLimitsOfTemplateConnectorAndRequestAllHold(t *testing.T) {
	for name, tt := range map[string]struct {
		template, connector, request *hub.RateLimit
		want                         int
	}{
		"the template's":         {rate(3), nil, nil, 3},
		"the connector's":        {nil, rate(3), nil, 3},
		"the request's":          {nil, nil, rate(3), 3},
		"the narrowest":          {rate(9), rate(4), rate(2), 2},
		"a wider one is useless": {rate(2), rate(9), rate(9), 2},
		"its burst":              {nil, &hub.RateLimit{Requests: 5, Per: 24 * 60 * 60 * 1000, Burst: 2}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Status(200))
			h := open(t).Tenant("acme")
			tpl := template(t, h, func(tpl *hub.Template) { tpl.Limits.RateLimit = tt.template })
			connector(t, h, srv, func(c *hub.Connector) { c.Template, c.RateLimit = tpl.ID, tt.connector },
				manual("go", "GET", srv.URL, func(r *hub.Request) { r.RateLimit = tt.request }))
			for range tt.want {
				_, err := execute(t, h, "go")
				require.NoError(t, err)
			}
			_, err := execute(t, h, "go")
			e := failed(t, err, hub.RateLimited)
			assert.True(t, e.Retryable)
			assert.False(t, e.Sent)
			assert.Zero(t, e.Attempts)
			assert.True(t, e.RetryAt.After(time.Now()))
			assert.Len(t, srv.Requests(), tt.want, "nothing was sent")
		})
	}
}

func TestEachAttemptTakesFromTheRateAndOtherConnectorsHaveTheirOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/bad", hubtest.Status(502))
	srv.Handle("/good", hubtest.Status(200))
	h := open(t).Tenant("acme")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.Limits.RateLimit = rate(2) })
	for _, name := range []string{"con", "other"} {
		connector(t, h, srv, func(c *hub.Connector) { c.Name, c.Template = name, tpl.ID },
			manual("bad", "GET", srv.URL+"/bad"), manual("go", "GET", srv.URL+"/good"))
	}
	res, err := execute(t, h, "bad") // would be sent three times
	e := failed(t, err, hub.Rejected)
	assert.Equal(t, 2, e.Attempts)
	assert.Equal(t, 502, res.Status, "the last answer is kept")
	assert.True(t, e.RetryAt.After(time.Now()))
	_, err = execute(t, h, "go")
	failed(t, err, hub.RateLimited)
	_, err = h.Execute(t.Context(), hub.Call{Connector: "other", Request: "go"})
	require.NoError(t, err)
}

// A call waits for its turn if it comes in time, and the wait is told.
func TestACallWaitsForItsTurnWithinItsDeadline(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.RateLimit, c.Timeout = &hub.RateLimit{Requests: 1, Per: 300}, 60_000 },
		manual("go", "GET", srv.URL))
	begin := time.Now()
	for range 3 {
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
	assert.GreaterOrEqual(t, time.Since(begin), 600*time.Millisecond-10*time.Millisecond)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "go"})
	failed(t, err, hub.Canceled)
}

func TestAnHTTPClientIsHeldToTheRateToo(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.RateLimit = rate(1) }, manual("go", "GET", srv.URL))
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	resp, err := client.Get(srv.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, err = client.Get(srv.URL)
	require.ErrorIs(t, err, hub.RateLimited)
	assert.Len(t, srv.Requests(), 1)
}

func TestAnAuthenticationTakesNothingFromTheRate(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.RateLimit = rate(1) })
	for range 3 {
		_, err := h.Authenticate(t.Context(), "con")
		require.NoError(t, err)
	}
	_, err := execute(t, h, "read")
	require.NoError(t, err)
}

func TestDefinitionsWithABadRateAreRefused(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	tpl := template(t, h)
	for name, tt := range map[string]struct {
		limit hub.RateLimit
		path  string
	}{
		"no requests":     {hub.RateLimit{Per: 1000}, "rateLimit.requests"},
		"no period":       {hub.RateLimit{Requests: 1}, "rateLimit.per"},
		"a long period":   {hub.RateLimit{Requests: 1, Per: 86_400_001}, "rateLimit.per"},
		"a burst below 0": {hub.RateLimit{Requests: 1, Per: 1000, Burst: -1}, "rateLimit.burst"},
	} {
		t.Run(name, func(t *testing.T) {
			for prefix, err := range map[string]error{
				"limits.":      second(h.CreateTemplate(t.Context(), hub.Template{Name: name, Methods: []string{"GET"}, Limits: hub.TemplateLimits{RateLimit: &tt.limit}})),
				"":             second(h.CreateConnector(t.Context(), hub.Connector{Name: name, Template: tpl.ID, RateLimit: &tt.limit})),
				"requests[0].": second(h.CreateConnector(t.Context(), hub.Connector{Name: name, Template: tpl.ID, Hosts: []string{srv.Host()}, Requests: []hub.Request{{Name: "go", Method: "GET", URL: srv.URL, RateLimit: &tt.limit}}})),
			} {
				e := failed(t, err, hub.Invalid)
				require.Len(t, e.Fields, 1)
				assert.Equal(t, prefix+tt.path, e.Fields[0].Path)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// What a third party tells of its limits is heeded by all calls of the connector.
func TestCallsWaitForWhatAnswersTell(t *testing.T) {
	for name, tt := range map[string]struct {
		status  int
		headers []string
		held    bool
	}{
		"nothing":                    {200, nil, false},
		"some are left":              {200, []string{"RateLimit", `"a";r=1;t=40`}, false},
		"none is left":               {200, []string{"RateLimit", `"a";r=0;t=40`}, true},
		"none is left, as of old":    {200, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "40"}, true},
		"none is left, nobody knows": {200, []string{"X-RateLimit-Remaining", "0"}, false},
		"garbage":                    {200, []string{"RateLimit", `r=;;"`, "X-RateLimit-Remaining", "zero"}, false},
		"429 with Retry-After":       {429, []string{"Retry-After", "40"}, true},
		"503 with Retry-After":       {503, []string{"Retry-After", "40"}, true},
		"200 with Retry-After":       {200, []string{"Retry-After", "40"}, false},
		"429 alone":                  {429, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			answer := hubtest.Status(tt.status)
			for i := 0; i < len(tt.headers); i += 2 {
				answer = answer.Header(tt.headers[i], tt.headers[i+1])
			}
			srv.Handle("/first", answer)
			srv.Handle("/other", hubtest.Status(200))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("first", "POST", srv.URL+"/first"), manual("other", "POST", srv.URL+"/other"))
			_, _ = execute(t, h, "first")
			_, err := execute(t, h, "other")
			if !tt.held {
				require.NoError(t, err)
				return
			}
			e := failed(t, err, hub.RateLimited)
			assert.False(t, e.Sent)
			assert.WithinRange(t, e.RetryAt, time.Now().Add(10*time.Second), time.Now().Add(41*time.Second))
			assert.Zero(t, received(srv, "/other"))
		})
	}
}

func TestWhatAnswersTellIsBelievedUpToABound(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200).Header("RateLimit", `"a";r=0;t=999999`))
	h := open(t, func(o *hub.Options) { o.Limits.RetryAfter = 50 * time.Millisecond }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	for range 3 { // each waits a little
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
}

// What answers tell widens nothing.
func TestPromisesOfAThirdPartyWidenNoLimit(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200).Header("RateLimit", `"a";r=1000000;t=0`))
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.RateLimit = rate(2) }, manual("go", "GET", srv.URL))
	for range 2 {
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
	_, err := execute(t, h, "go")
	failed(t, err, hub.RateLimited)
}

// limiter is one of the host application's, which can fail.
type limiter struct {
	ratelimit.Local
	mu     sync.Mutex
	owners map[string]bool
	err    error
}

func (l *limiter) Take(ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owners == nil {
		l.owners = map[string]bool{}
	}
	l.owners[owner] = true
	if l.err != nil {
		return ratelimit.Turn{}, l.err
	}
	return l.Local.Take(ctx, owner, d, patience)
}

// Hubs that share a limiter share the budget; tenants do not.
func TestHubsShareABudgetThroughTheirLimiter(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	l := &limiter{}
	one, other, _ := twoInstances(t, func(o *hub.Options) { o.RateLimiter = l })
	connector(t, one, srv, func(c *hub.Connector) { c.RateLimit = rate(5) }, manual("go", "GET", srv.URL))
	sent := 0
	for i := range 10 {
		_, err := execute(t, []*hub.Tenant{one, other}[i%2], "go")
		if err == nil {
			sent++
		} else {
			failed(t, err, hub.RateLimited)
		}
	}
	assert.Equal(t, 5, sent)
	assert.Len(t, l.owners, 1)

	l.err = errors.New("down")
	_, err := execute(t, one, "go")
	e := failed(t, err, hub.Unavailable)
	require.ErrorIs(t, e, l.err)
	assert.NotContains(t, e.Error(), "down")
	assert.Len(t, srv.Requests(), 5)
}
