package hub_test

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestExecuteMapsAPayloadIntoACallAndTheAnswerIntoOutputs(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789abcdef", time.Hour))
	srv.Handle("POST /tickets", hubtest.JSON(201, map[string]any{"result": map[string]any{"number": "INC001"}}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) {
		c.Auth = hub.Auth{Kind: hub.AuthOAuth2, Request: &hub.AuthRequest{
			URL: srv.URL + "/token", Body: "grant_type=client_credentials&client_id=[[clientId]]&client_secret=[[clientSecret]]",
		}}
		c.Variables = map[string]string{"clientId": "me"}
		c.Secrets = []hub.Secret{{Name: "clientSecret"}}
	}, mapped("create", "POST", srv.URL+"/tickets", func(r *hub.Request) {
		r.Body = `{"title":"{{title}}","n":"{{n}}","who":"Dear {{who ?? \"nobody\"}}"}`
		r.PayloadSchema = json.RawMessage(`{"type":"object","required":["title"],"properties":{"title":{"type":"string","maxLength":40}}}`)
		r.Outputs = map[string]hub.Output{"number": {Path: "result.number"}, "absent": {Path: "nope", Default: json.RawMessage(`"x"`)}}
	}))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "clientSecret", secrets.New("s3cret&=?/value")))

	res, err := execute(t, h, "create", `{"title":"Hi","n":12345678901234567890}`)
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, res.Branch)
	assert.Equal(t, 201, res.Status)
	assert.Equal(t, "INC001", res.Get("result.number").String())
	assert.Equal(t, map[string]any{"number": "INC001", "absent": "x"}, res.Outputs)
	require.Len(t, res.Attempts, 1)
	assert.Equal(t, 201, res.Attempts[0].Status)
	assert.Positive(t, res.Duration)

	sent := srv.Requests()
	require.Len(t, sent, 2)
	assert.Equal(t, "grant_type=client_credentials&client_id=me&client_secret=s3cret%26%3D%3F%2Fvalue", string(sent[0].Body))
	assert.Equal(t, "Bearer tok-0123456789abcdef", sent[1].Header.Get("Authorization"))
	assert.JSONEq(t, `{"title":"Hi","n":12345678901234567890,"who":"Dear nobody"}`, string(sent[1].Body))
}

// Each step of the road ends a call in its own way; what comes after it does not happen.
func TestEachStepFailsInItsOwnWay(t *testing.T) {
	type facts struct {
		code     hub.Code
		rules    []string
		status   int
		attempts int
		sent     bool
	}
	srv := hubtest.NewServer(t)
	srv.Handle("/ok", hubtest.JSON(200, map[string]int{"a": 1}))
	srv.Handle("/missing", hubtest.Status(404))
	srv.Handle("/broken", hubtest.Text(500, "sorry"))
	srv.Handle("/refused", hubtest.Status(401))
	srv.Handle("/garbled", hubtest.Text(200, "this is no gzip").Header("Content-Encoding", "gzip"))
	once := func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1} }
	for name, tt := range map[string]struct {
		call    hub.Call
		connect []func(*hub.Connector)
		want    facts
	}{
		"find: no such connector": {
			call: hub.Call{Connector: "other", Request: "go"},
			want: facts{code: hub.NotFound},
		},
		"find: no such request": {
			call: hub.Call{Request: "GO"},
			want: facts{code: hub.NotFound},
		},
		"admit: inactive": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/ok", func(r *hub.Request) { r.State = hub.StateInactive })},
			want:    facts{code: hub.Inactive},
		},
		"admit: paused": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/ok"), func(c *hub.Connector) { c.Paused = true }},
			want:    facts{code: hub.Inactive},
		},
		"admit: secret without a value": {
			connect: []func(*hub.Connector){
				manual("go", "GET", srv.URL+"/ok", func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }),
				func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
			},
			want: facts{code: hub.NotReady, rules: []string{"secrets.key required"}},
		},
		"validate: a manual request takes no payload": {
			call:    hub.Call{Payload: json.RawMessage(`{}`)},
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/ok")},
			want:    facts{code: hub.Invalid, rules: []string{"payload trigger"}},
		},
		"validate: a Studio request needs one": {
			connect: []func(*hub.Connector){mapped("go", "GET", srv.URL+"/ok")},
			want:    facts{code: hub.Invalid, rules: []string{"payload empty"}},
		},
		"validate: schema": {
			call: hub.Call{Payload: json.RawMessage(`{"n":"x"}`)},
			connect: []func(*hub.Connector){mapped("go", "GET", srv.URL+"/ok", func(r *hub.Request) {
				r.PayloadSchema = json.RawMessage(`{"properties":{"n":{"type":"integer"}}}`)
			})},
			want: facts{code: hub.Invalid, rules: []string{"payload/n type"}},
		},
		"render: a value that is missing": {
			call:    hub.Call{Payload: json.RawMessage(`{}`)},
			connect: []func(*hub.Connector){mapped("go", "GET", srv.URL+"/{{id}}")},
			want:    facts{code: hub.Invalid, rules: []string{"requests[0].url missing-value"}},
		},
		"render: a segment that climbs": {
			call:    hub.Call{Payload: json.RawMessage(`{"id":".."}`)},
			connect: []func(*hub.Connector){mapped("go", "GET", srv.URL+"/{{id}}/x")},
			want:    facts{code: hub.Invalid, rules: []string{"requests[0].url dot-segment"}},
		},
		"guard: a host of its own": {
			call:    hub.Call{Payload: json.RawMessage(`{"url":"https://elsewhere.example/","method":"GET"}`)},
			connect: []func(*hub.Connector){dynamic(func(r *hub.Request) { r.Name = "go" })},
			want:    facts{code: hub.Forbidden},
		},
		"authorize: the credentials are refused": {
			connect: []func(*hub.Connector){oauth(srv), func(c *hub.Connector) {
				c.Auth.Request.URL = srv.URL + "/missing"
				c.Requests[0].Name = "go"
			}},
			want: facts{code: hub.Unauthorized, status: 404},
		},
		"send: nobody listens": {
			connect: []func(*hub.Connector){manual("go", "GET", "https://"+freePort(t), once), func(c *hub.Connector) { c.Hosts = nil }},
			want:    facts{code: hub.Unreachable, attempts: 1},
		},
		"send: an authority that is not trusted": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/ok", once), func(c *hub.Connector) { c.TLS = nil }},
			want:    facts{code: hub.Unreachable, attempts: 1},
		},
		"read: a coding that is none": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/garbled", once)},
			want:    facts{code: hub.BadAnswer, status: 200, attempts: 1, sent: true},
		},
		"judge: 404": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/missing")},
			want:    facts{code: hub.Rejected, status: 404, attempts: 1, sent: true},
		},
		"judge: 500": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/broken")},
			want:    facts{code: hub.Rejected, status: 500, attempts: 1, sent: true},
		},
		"judge: 401": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/refused")},
			want:    facts{code: hub.Unauthorized, status: 401, attempts: 1, sent: true},
		},
		"map: a promised output": {
			connect: []func(*hub.Connector){manual("go", "GET", srv.URL+"/ok", func(r *hub.Request) {
				r.Outputs = map[string]hub.Output{"b": {Path: "b"}}
			})},
			want: facts{code: hub.BadAnswer, rules: []string{"outputs.b required"}, status: 200, attempts: 1, sent: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			if len(tt.connect) == 0 {
				tt.connect = append(tt.connect, manual("go", "GET", srv.URL+"/ok"))
			}
			connector(t, h, srv, tt.connect...)
			if tt.call.Connector == "" {
				tt.call.Connector = "con"
			}
			if tt.call.Request == "" {
				tt.call.Request = "go"
			}
			srv.Forget()
			res, err := h.Execute(t.Context(), tt.call)
			e := failed(t, err, tt.want.code)
			if tt.want.rules == nil {
				tt.want.rules = []string{}
			}
			assert.Equal(t, tt.want, facts{e.Code, brokenRules(e), e.Status, e.Attempts, e.Sent})
			assert.Equal(t, "Execute", e.Op)
			assert.Equal(t, tt.call.Connector, e.Connector)
			assert.Equal(t, tt.call.Request, e.Request)
			if !tt.want.sent {
				assert.Nil(t, res)
				assert.Zero(t, received(srv, "/ok"), "nothing reaches the third party")
				return
			}
			require.NotNil(t, res, "the answer is kept")
			assert.Equal(t, e.Branch(), res.Branch)
			assert.Equal(t, tt.want.status, res.Status)
			assert.Len(t, res.Attempts, tt.want.attempts)
			assert.Empty(t, res.Outputs)
		})
	}
}

// freePort is an address on loopback that nobody listens on.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestAnAnswerThatIsRejectedIsHandedOver(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(422, map[string]string{"why": "too short"}).Header("X-Trace", "t1"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "POST", srv.URL))

	res, err := execute(t, h, "go")
	failed(t, err, hub.Rejected)
	assert.Equal(t, "too short", res.Get("why").String())
	assert.Equal(t, "t1", res.Header.Get("X-Trace"))
	assert.NotContains(t, err.Error(), "too short", "what the third party says is in the answer, not in the error")
}

func TestSuccessIsWhatTheDefinitionSays(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/{status}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.PathValue("status"))
		assert.NoError(t, err)
		w.WriteHeader(status)
	}))
	for name, tt := range map[string]struct {
		statuses []string
		good     []int
		bad      []int
	}{
		"any 2xx":       {nil, []int{200, 201, 204, 299}, []int{304, 400, 404, 501}},
		"one":           {[]string{"202"}, []int{202}, []int{200, 203}},
		"a range":       {[]string{"200-202"}, []int{200, 202}, []int{203, 404}},
		"with an error": {[]string{"2xx", "404"}, []int{200, 404}, []int{400, 405}},
		"a redirect":    {[]string{"302-303"}, []int{302, 303}, []int{200, 301, 304}},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			connector(t, h, srv, mapped("go", "GET", srv.URL+"/{{status}}", func(r *hub.Request) {
				if tt.statuses != nil {
					r.Success = &hub.Success{Statuses: tt.statuses}
				}
			}))
			for _, status := range tt.good {
				res, err := execute(t, h, "go", `{"status":`+strconv.Itoa(status)+`}`)
				require.NoError(t, err, status)
				assert.Equal(t, hub.OnSuccess, res.Branch)
			}
			for _, status := range tt.bad {
				res, err := execute(t, h, "go", `{"status":`+strconv.Itoa(status)+`}`)
				e := failed(t, err, hub.Rejected)
				assert.Equal(t, status, e.Status)
				assert.Equal(t, hub.OnError, res.Branch)
			}
		})
	}
}

func TestRedirectsAreAnswersAndAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/from", hubtest.Status(status).Header("Location", srv.URL+"/to"))
			srv.Handle("/to", hubtest.Status(200))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "POST", srv.URL+"/from", func(r *hub.Request) { r.MediaType, r.Body = "text/plain", "x" }))

			res, err := execute(t, h, "go")
			failed(t, err, hub.Rejected)
			assert.Equal(t, status, res.Status)
			assert.Equal(t, srv.URL+"/to", res.Header.Get("Location"))
			assert.Len(t, srv.Requests(), 1)
		})
	}
}

func TestAResultWithoutJSONHasNothingToGet(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/text", hubtest.Text(200, `a{"b":1}`))
	srv.Handle("/empty", hubtest.Status(204))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("text", "GET", srv.URL+"/text"), manual("empty", "GET", srv.URL+"/empty"), manual("head", "HEAD", srv.URL+"/text"))
	for _, name := range []string{"text", "empty", "head"} {
		res, err := execute(t, h, name)
		require.NoError(t, err)
		assert.False(t, res.Get("b").Exists(), name)
	}
	var none *hub.Result
	assert.False(t, none.Get("b").Exists())
}
