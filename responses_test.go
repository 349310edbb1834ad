package hub_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// says is a rule about answers that have this text at "status".
func says(status string, then hub.Verdict) hub.ResponseRule {
	return hub.ResponseRule{When: hub.AnswerMatch{Path: "status", Values: []string{status}}, Then: then}
}

func state(status string) hubtest.Answer {
	return hubtest.JSON(200, map[string]string{"status": status})
}

// A rule decides on the answer to each attempt, whatever its status is.
func TestResponseRulesDecideOnEachAttempt(t *testing.T) {
	rules := []hub.ResponseRule{
		says("busy", hub.VerdictRetry), says("slow", hub.VerdictRateLimited), says("bad", hub.VerdictFail),
		{When: hub.AnswerMatch{Statuses: []string{"404"}}, Then: hub.VerdictIgnore},
		{When: hub.AnswerMatch{Statuses: []string{"409", "503"}}, Then: hub.VerdictSuccess},
	}
	for name, tt := range map[string]struct {
		method     string
		idempotent bool
		answers    []http.Handler
		sent       int
		code       hub.Code // empty: success
		status     int
		retryable  bool
	}{
		"a failure in a 200":                   {"GET", false, []http.Handler{state("bad"), state("ok")}, 1, hub.Rejected, 200, false},
		"busy, then done":                      {"GET", false, []http.Handler{state("busy"), state("busy"), state("ok")}, 3, "", 200, false},
		"busy to the end":                      {"GET", false, []http.Handler{state("busy")}, 3, hub.Rejected, 200, true},
		"busy, of a POST":                      {"POST", false, []http.Handler{state("busy"), state("ok")}, 1, hub.Rejected, 200, true},
		"busy with a wait, of a POST":          {"POST", false, []http.Handler{state("busy").RetryAfter(0), state("ok")}, 1, hub.Rejected, 200, true},
		"busy, of a POST that is idempotent":   {"POST", true, []http.Handler{state("busy"), state("ok")}, 2, "", 200, false},
		"limited":                              {"GET", false, []http.Handler{state("slow"), state("ok")}, 2, "", 200, false},
		"limited, of a POST":                   {"POST", false, []http.Handler{state("slow"), state("ok")}, 1, hub.RateLimited, 200, true},
		"limited with a wait, of a POST":       {"POST", false, []http.Handler{state("slow").RetryAfter(0), state("ok")}, 2, "", 200, false},
		"limited beyond the deadline":          {"POST", false, []http.Handler{state("slow").RetryAfter(30)}, 1, hub.RateLimited, 200, true},
		"ignored":                              {"DELETE", false, []http.Handler{hubtest.Status(404)}, 1, "", 404, false},
		"a status that is a success":           {"GET", false, []http.Handler{hubtest.Status(503), state("ok")}, 1, "", 503, false},
		"no rule, by status":                   {"GET", false, []http.Handler{hubtest.Status(502), hubtest.Status(418)}, 2, hub.Rejected, 418, false},
		"no rule, the last of many":            {"GET", false, []http.Handler{hubtest.Status(429)}, 3, hub.RateLimited, 429, true},
		"a rule after an attempt without one":  {"GET", false, []http.Handler{hubtest.Status(502), state("bad")}, 2, hub.Rejected, 200, false},
		"an attempt that broke after a rule":   {"GET", false, []http.Handler{state("busy"), state("ok").DropAfter(3), state("bad")}, 3, hub.Rejected, 200, false},
		"a connection that broke after a rule": {"GET", false, []http.Handler{state("busy"), hubtest.Drop()}, 3, hub.BadAnswer, 200, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Sequence(tt.answers...))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", tt.method, srv.URL, func(r *hub.Request) {
				r.Responses, r.Retry = rules, &hub.Retry{Idempotent: tt.idempotent}
			}))
			res, err := execute(t, h, "go")
			assert.Len(t, srv.Requests(), tt.sent)
			require.NotNil(t, res)
			assert.Len(t, res.Attempts, tt.sent)
			assert.Equal(t, tt.status, res.Status)
			if tt.code == "" {
				require.NoError(t, err)
				assert.Equal(t, hub.OnSuccess, res.Branch)
				return
			}
			e := failed(t, err, tt.code)
			assert.Equal(t, tt.retryable, e.Retryable)
			assert.Equal(t, hub.OnError, res.Branch)
		})
	}
}

func TestRulesAreAskedInTheirOrder(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]any{"code": 7, "text": "gone"}).Header("X-State", "old"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{
			{When: hub.AnswerMatch{Path: "code", Values: []string{"8"}}, Then: hub.VerdictSuccess},
			{When: hub.AnswerMatch{MediaTypes: []string{"application/*"}, Header: "x-state", HeaderValues: []string{"new", "old"}, Path: "error", Absent: true}, Then: hub.VerdictFail, Message: "the second"},
			{When: hub.AnswerMatch{Path: "code", Values: []string{"7"}}, Then: hub.VerdictSuccess},
			{Then: hub.VerdictRetry},
		}
	}))
	res, err := execute(t, h, "go")
	assert.Equal(t, "the second", failed(t, err, hub.Rejected).Detail())
	assert.Equal(t, hub.VerdictFail, res.Attempts[0].Verdict)
}

// The least common means of telling answers apart.
func TestAnswersAreMatched(t *testing.T) {
	page := hubtest.Bytes(200, "text/html; charset=utf-8", []byte("<html>Down for maintenance</html>"))
	for name, tt := range map[string]struct {
		when    hub.AnswerMatch
		answer  http.Handler
		matches bool
	}{
		"a media type":                        {hub.AnswerMatch{MediaTypes: []string{"Text/HTML"}}, page, true},
		"a range of media types":              {hub.AnswerMatch{MediaTypes: []string{"image/*", "text/*"}}, page, true},
		"another media type":                  {hub.AnswerMatch{MediaTypes: []string{"application/json"}}, page, false},
		"no media type":                       {hub.AnswerMatch{MediaTypes: []string{"application/json"}}, hubtest.Status(204), false},
		"a text":                              {hub.AnswerMatch{Contains: "maintenance"}, page, true},
		"another text":                        {hub.AnswerMatch{Contains: "Maintenance"}, page, false},
		"a header that is absent":             {hub.AnswerMatch{Header: "X-Result", HeaderAbsent: true}, page, true},
		"a header that is there":              {hub.AnswerMatch{Header: "Content-Type", HeaderAbsent: true}, page, false},
		"a value absent from what is no JSON": {hub.AnswerMatch{Path: "result", Absent: true}, page, true},
		"a value absent from nothing":         {hub.AnswerMatch{Path: "result", Absent: true}, hubtest.Status(204), true},
		"a value that is there":               {hub.AnswerMatch{Path: "status", Absent: true}, state("x"), false},
		"a value that is null":                {hub.AnswerMatch{Path: "status", Absent: true}, hubtest.JSON(200, map[string]any{"status": nil}), false},
		"a wildcard":                          {hub.AnswerMatch{Path: "errors.#(code==7).text"}, hubtest.JSON(200, map[string]any{"errors": []any{map[string]any{"code": 7, "text": "x"}}}), true},
		"a body too deep":                     {hub.AnswerMatch{Path: "0.0"}, hubtest.Bytes(200, "application/json", []byte(strings.Repeat("[", 1e6)+strings.Repeat("]", 1e6))), false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", tt.answer)
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
				r.Responses = []hub.ResponseRule{{When: tt.when, Then: hub.VerdictFail}, {Then: hub.VerdictIgnore}}
			}))
			_, err := execute(t, h, "go")
			assert.Equal(t, tt.matches, err != nil, "%v", err)
		})
	}
}

// A rule renews a token that is no longer good, or keeps one that is.
func TestARuleDecidesAboutTheToken(t *testing.T) {
	for name, tt := range map[string]struct {
		rule   hub.ResponseRule
		first  http.Handler // to the first token
		then   http.Handler // to the second
		tokens int
		code   hub.Code
	}{
		"expired in a 200":        {says("expired", hub.VerdictRefreshToken), state("expired"), state("ok"), 2, ""},
		"a second one as well":    {says("expired", hub.VerdictRefreshToken), state("expired"), state("expired"), 2, hub.Unauthorized},
		"401 that is no refusal":  {hub.ResponseRule{When: hub.AnswerMatch{Statuses: []string{"401"}}, Then: hub.VerdictFail}, hubtest.Status(401), state("ok"), 1, hub.Unauthorized},
		"401 that does not count": {hub.ResponseRule{When: hub.AnswerMatch{Statuses: []string{"401"}}, Then: hub.VerdictIgnore}, hubtest.Status(401), state("ok"), 1, ""},
		"401 that no rule names":  {says("expired", hub.VerdictRefreshToken), hubtest.Status(401), state("ok"), 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", issuer("3600"))
			srv.Handle("/things", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "Bearer tok-0000000001" {
					tt.first.ServeHTTP(w, r)
					return
				}
				tt.then.ServeHTTP(w, r)
			}))
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Requests[0].Responses = []hub.ResponseRule{tt.rule} })
			_, err := execute(t, h, "read")
			assert.Equal(t, tt.tokens, received(srv, "/token"))
			assert.Equal(t, tt.tokens, received(srv, "/things"))
			if tt.code == "" {
				assert.NoError(t, err)
				return
			}
			failed(t, err, tt.code)
		})
	}
}

func TestIgnoredAnswersHaveDefaultOutputs(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(404, map[string]int{"n": 5}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Statuses: []string{"404"}}, Then: hub.VerdictIgnore}}
		r.Outputs = map[string]hub.Output{"n": {Path: "n", Default: json.RawMessage(`{"of":[0]}`)}, "m": {Path: "m"}}
		r.OutputSchema = json.RawMessage(`{"required":["m"]}`)
	}))
	for range 2 {
		res, err := execute(t, h, "go")
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"n": map[string]any{"of": []any{json.Number("0")}}}, res.Outputs)
		assert.Equal(t, 404, res.Status)
		res.Outputs["n"].(map[string]any)["of"] = "the caller's own"
	}
}

// What a message shows of an answer is text from outside.
func TestMessagesQuoteTheAnswer(t *testing.T) {
	const key = "key-0123456789abcdef"
	for name, tt := range map[string]struct{ message, body, want string }{
		"text":              {"it says {{error.text}}", `{"error":{"text":"no \"ticket\" here"}}`, `it says "no \"ticket\" here"`},
		"the status":        {"status {{@status}}", `{}`, "status 200"},
		"a number":          {"code {{code}}", `{"code":1.10}`, `code "1.10"`},
		"nothing":           {"{{error}}", `{}`, "null"},
		"a default":         {`{{error ?? "no reason"}}`, `{}`, `"no reason"`},
		"control bytes":     {"{{t}}", `{"t":"a\u001b[31m\r\nb\u202e"}`, `"a\x1b[31m\r\nb\u202e"`},
		"a secret":          {"{{t}} and {{u}}", `{"t":"bad key ` + key + `","u":"` + key + `"}`, `"bad key [secret]" and "[secret]"`},
		"a reference":       {"{{t}}", `{"t":"[[key]] {{t}}"}`, `"[[key]] {{t}}"`},
		"brackets":          {`[[key]] \{{t}}`, `{"t":"x"}`, "[[key]] {{t}}"},
		"an object":         {"{{t}}", `{"t":{"a":1}}`, `"{\"a\":1}"`},
		"a secret inside":   {"{{t}} {{u}}", `{"t":{"a":"\u006bey-0123456789abcdef"},"u":["k\u0065y-0123456789abcdef"]}`, `"{\"a\":\"[secret]\"}" "[\"[secret]\"]"`},
		"secrets in a list": {"{{t.#.id}}", `{"t":[{"id":"\u006bey-0123456789abcdef"}]}`, `"[\"[secret]\"]"`},
		"no JSON":           {"{{t ?? 0}}", `{"t":`, "0"},
		"too much":          {"{{t}}{{u}}", `{"t":"` + strings.Repeat("x", 600) + `","u":"y"}`, `"` + strings.Repeat("x", 512) + `…""…"`},
		"a secret at a cut": {"{{t}}", `{"t":"` + strings.Repeat("x", 505) + key + `"}`, `"` + strings.Repeat("x", 505) + `[secret…"`},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Bytes(200, "application/json", []byte(tt.body)))
			h := open(t).Tenant("acme")
			con := connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
				r.Responses = []hub.ResponseRule{{Then: hub.VerdictFail, Message: tt.message}}
				r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
			}), func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} })
			require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New(key)))
			act, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "go"})
			require.NoError(t, err)
			assert.Equal(t, hub.OnError, act.Branch)
			assert.Equal(t, tt.want, act.ERR)
		})
	}
}

func TestResponseRulesAreChecked(t *testing.T) {
	ok := hub.AnswerMatch{Statuses: []string{"200"}}
	for name, tt := range map[string]struct {
		rules []hub.ResponseRule
		want  string
	}{
		"no verdict":              {[]hub.ResponseRule{{When: ok}}, "requests[0].responses[0].then enum"},
		"an unknown verdict":      {[]hub.ResponseRule{{When: ok, Then: "hope"}}, "requests[0].responses[0].then enum"},
		"all but the last":        {[]hub.ResponseRule{{Then: hub.VerdictFail}, {When: ok, Then: hub.VerdictFail}}, "requests[0].responses[0].when unreachable"},
		"a media type":            {[]hub.ResponseRule{{When: hub.AnswerMatch{MediaTypes: []string{"json"}}, Then: hub.VerdictFail}}, "requests[0].responses[0].when.mediaTypes[0] media-type"},
		"any media type":          {[]hub.ResponseRule{{When: hub.AnswerMatch{MediaTypes: []string{"*/*"}}, Then: hub.VerdictFail}}, "requests[0].responses[0].when.mediaTypes[0] media-type"},
		"values of what's absent": {[]hub.ResponseRule{{When: hub.AnswerMatch{Path: "a", Values: []string{"b"}, Absent: true}, Then: hub.VerdictFail}}, "requests[0].responses[0].when.values absent"},
		"a success's message":     {[]hub.ResponseRule{{When: ok, Then: hub.VerdictIgnore, Message: "fine"}}, "requests[0].responses[0].message verdict"},
		"a message":               {[]hub.ResponseRule{{When: ok, Then: hub.VerdictFail, Message: "{{@pretty}}"}}, "requests[0].responses[0].message reference"},
		"a long message":          {[]hub.ResponseRule{{When: ok, Then: hub.VerdictFail, Message: strings.Repeat("m", 513)}}, "requests[0].responses[0].message too-long"},
		"many references":         {[]hub.ResponseRule{{When: ok, Then: hub.VerdictFail, Message: strings.Repeat("{{a}}", 11)}}, "requests[0].responses[0].message too-many"},
		"too many rules":          {make([]hub.ResponseRule, 21), "requests[0].responses too-many"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			tpl := template(t, h)
			_, err := h.CreateConnector(t.Context(), hub.Connector{
				Name: "con", Template: tpl.ID, Hosts: []string{"api.example.com"},
				Requests: []hub.Request{{Name: "go", Method: "GET", URL: "https://api.example.com", Responses: tt.rules}},
			})
			assert.Contains(t, brokenRules(failed(t, err, hub.Invalid)), tt.want)
		})
	}
}

// A wait that an answer told is waited for, or told to the caller, also in a 200.
func TestAWaitToldWithARuleIsReported(t *testing.T) {
	now := newClock()
	srv := hubtest.NewServer(t)
	srv.Handle("/", state("slow").RetryAfter(30))
	h := open(t, now.on).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{says("slow", hub.VerdictRateLimited)}
	}))
	_, err := execute(t, h, "go")
	e := failed(t, err, hub.RateLimited)
	assert.Equal(t, now.Now().Add(30*time.Second), e.RetryAt)
	assert.Equal(t, 1, e.Attempts)
}

func TestAttemptsTellTheClassOfTheirAddress(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503), hubtest.Drop()))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	res, err := execute(t, h, "go")
	require.Error(t, err)
	require.Len(t, res.Attempts, 3)
	for _, a := range res.Attempts {
		assert.Equal(t, "loopback", a.Address)
	}
}
