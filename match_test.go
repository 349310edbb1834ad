package hub_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// An answer that the definition declares to refuse the token is treated like status 401: one
// other token, the call once more, and never a success.
func TestDeclaredAnswersRefuseAToken(t *testing.T) {
	body := hub.AnswerMatch{Statuses: []string{"2xx"}, Path: "errcode", Values: []string{"40001", "42001"}}
	for name, tt := range map[string]struct {
		rule    hub.AnswerMatch
		answer  http.Handler
		refuses bool
	}{
		"a code in a 200":              {body, hubtest.JSON(200, map[string]int{"errcode": 40001}), true},
		"the other code":               {body, hubtest.JSON(200, map[string]string{"errcode": "42001"}), true},
		"another code":                 {body, hubtest.JSON(200, map[string]int{"errcode": 0}), false},
		"a number as it is written":    {hub.AnswerMatch{Path: "code", Values: []string{"1.10"}}, hubtest.Bytes(200, "application/json", []byte(`{"code":1.10}`)), true},
		"no code":                      {body, hubtest.JSON(200, map[string]int{"x": 1}), false},
		"a code in another status":     {body, hubtest.JSON(404, map[string]int{"errcode": 40001}), false},
		"no JSON":                      {body, hubtest.Text(200, "errcode: 40001"), false},
		"a path that is there":         {hub.AnswerMatch{Path: "error.token"}, hubtest.JSON(200, map[string]any{"error": map[string]any{"token": nil}}), true},
		"a status":                     {hub.AnswerMatch{Statuses: []string{"403"}}, hubtest.Status(403), true},
		"another status":               {hub.AnswerMatch{Statuses: []string{"403"}}, hubtest.Status(404), false},
		"a header":                     {hub.AnswerMatch{Header: "X-Session"}, withHeader("x-session", "any"), true},
		"a header's value":             {hub.AnswerMatch{Header: "X-Session", HeaderValues: []string{"expired"}}, withHeader("X-Session", "expired"), true},
		"another value of the header":  {hub.AnswerMatch{Header: "X-Session", HeaderValues: []string{"expired"}}, withHeader("X-Session", "fine"), false},
		"all that is given must match": {hub.AnswerMatch{Statuses: []string{"200"}, Header: "X-Session", Path: "errcode"}, withHeader("X-Session", "any"), false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", issuer("3600"))
			srv.Handle("/things", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "Bearer tok-0000000001" {
					tt.answer.ServeHTTP(w, r)
				}
			}))
			h := open(t).Tenant("acme")
			connector(t, h, srv, oauth(srv), func(c *hub.Connector) { c.Auth.Refused = []hub.AnswerMatch{tt.rule} })
			res, err := execute(t, h, "read")
			if !tt.refuses {
				assert.Equal(t, 1, received(srv, "/things"))
				assert.Equal(t, 1, received(srv, "/token"))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 200, res.Status)
			assert.Equal(t, 2, received(srv, "/things"))
			assert.Equal(t, 2, received(srv, "/token"))
		})
	}
}

func withHeader(name, value string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(name, value) })
}

func TestARefusalInA200IsNoSuccess(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.JSON(200, map[string]int{"errcode": 40001}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Auth.Refused = []hub.AnswerMatch{{Path: "errcode", Values: []string{"40001"}}}
	})
	for range 3 {
		res, err := execute(t, h, "read")
		e := failed(t, err, hub.Unauthorized)
		assert.Contains(t, e.Detail(), "auth.refused")
		assert.Equal(t, hub.OnError, res.Branch)
	}
	assert.Equal(t, 4, received(srv, "/things"), "twice, then once each")
	assert.Equal(t, 2, received(srv, "/token"))
}

func TestRefusalsAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		rule hub.AnswerMatch
		path string
	}{
		"nothing":               {hub.AnswerMatch{}, "auth.refused[0]"},
		"a bad status":          {hub.AnswerMatch{Statuses: []string{"often"}}, "auth.refused[0].statuses[0]"},
		"a bad header":          {hub.AnswerMatch{Header: "no header"}, "auth.refused[0].header"},
		"values without header": {hub.AnswerMatch{Statuses: []string{"200"}, HeaderValues: []string{"x"}}, "auth.refused[0].header"},
		"values without path":   {hub.AnswerMatch{Statuses: []string{"200"}, Values: []string{"x"}}, "auth.refused[0].path"},
		"a bad path":            {hub.AnswerMatch{Path: "@dig:x"}, "auth.refused[0].path"},
		"too many values":       {hub.AnswerMatch{Path: "x", Values: make([]string, 21)}, "auth.refused[0].values"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			h := open(t).Tenant("acme")
			tpl := template(t, h, func(tpl *hub.Template) { tpl.AuthType = hub.AuthOAuth2 })
			con := hub.Connector{Name: "con", Template: tpl.ID, Hosts: []string{srv.Host()}}
			oauth(srv)(&con)
			con.Auth.Refused = []hub.AnswerMatch{tt.rule}
			_, err := h.CreateConnector(t.Context(), con)
			e := failed(t, err, hub.Invalid)
			require.Len(t, e.Fields, 1)
			assert.Equal(t, tt.path, e.Fields[0].Path)
		})
	}
}

// An answer whose body belongs to somebody else is not judged by its body.
func TestRefusalsInABodyDoNotConcernHTTPClient(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.JSON(200, map[string]int{"n": 1}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Auth.Refused = []hub.AnswerMatch{{Path: "n", Absent: true}}
	})
	client, err := h.HTTPClient(t.Context(), con.ID)
	require.NoError(t, err)
	for range 2 {
		resp, err := client.Get(srv.URL + "/things")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	assert.Equal(t, 1, received(srv, "/token"))
}
