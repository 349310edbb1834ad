package hub_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// repeatsKey answers with the key that came, in a header and as JSON or XML.
func repeatsKey(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Sent", r.Header.Get("X-Key"))
	if r.URL.Path == "/xml" {
		_, _ = fmt.Fprintf(w, `<a><v key="%s">x</v></a>`, r.Header.Get("X-Key"))
		return
	}
	_, _ = fmt.Fprintf(w, `{"sent":[{"v":%q,"n":1}],"page":%q,"items":[%q]}`, r.Header.Get("X-Key"), r.URL.RawQuery, r.URL.RawQuery)
}

// Whoever may edit a connector and not see its secrets learns nothing of them from a third party
// that repeats them, whatever is asked of its answers.
func TestWhatIsAskedOfAnAnswerGuessesNoSecret(t *testing.T) {
	const secret, wrong = "canary-of-the-key", "canary-of-thekeys"
	rule := func(m hub.AnswerMatch, v hub.Verdict) func(*hub.Request) {
		return func(r *hub.Request) { r.Responses = []hub.ResponseRule{{When: m, Then: v}} }
	}
	pages := func(p hub.Pagination) func(*hub.Request) {
		return func(r *hub.Request) { r.Pagination = &p }
	}
	for name, ask := range map[string]func(guess string) func(*hub.Request){
		"contains": func(g string) func(*hub.Request) { return rule(hub.AnswerMatch{Contains: g}, hub.VerdictFail) },
		"a value": func(g string) func(*hub.Request) {
			return rule(hub.AnswerMatch{Path: "sent.0.v", Values: []string{g}}, hub.VerdictRetry)
		},
		"a pattern": func(g string) func(*hub.Request) {
			return rule(hub.AnswerMatch{Path: `sent.#(v%"` + g[:len(g)-2] + `*")`}, hub.VerdictFail)
		},
		"an order": func(g string) func(*hub.Request) {
			return rule(hub.AnswerMatch{Path: `sent.#(v<"` + g + `")`}, hub.VerdictRateLimited)
		},
		"a header": func(g string) func(*hub.Request) {
			return rule(hub.AnswerMatch{Header: "X-Sent", HeaderValues: []string{g}}, hub.VerdictFail)
		},
		"an attribute": func(g string) func(*hub.Request) {
			ask := rule(hub.AnswerMatch{Path: `//v[@key='` + g + `']`}, hub.VerdictFail)
			return func(r *hub.Request) { r.URL += "/xml"; ask(r) }
		},
		"items": func(g string) func(*hub.Request) {
			return pages(hub.Pagination{Kind: hub.PageNumber, Items: `sent.#(v=="` + g + `")#`, Param: "p"})
		},
		"more": func(g string) func(*hub.Request) {
			return pages(hub.Pagination{Kind: hub.PageNumber, Items: "items", Param: "p", More: `sent.#(v=="` + g + `").n`})
		},
		"next": func(g string) func(*hub.Request) {
			return pages(hub.Pagination{Kind: hub.PageCursor, Next: `sent.#(v=="` + g + `").n`, Param: "p"})
		},
		"what does not fit": func(g string) func(*hub.Request) {
			return pages(hub.Pagination{Kind: hub.PageCursor, Next: `sent.#(v!="` + g + `").n`, Param: "p"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", http.HandlerFunc(repeatsKey))
			h := open(t, func(o *hub.Options) { o.Limits.Pages = 3 }).Tenant("acme")
			var told [2]string
			for i, guess := range []string{secret, wrong} {
				con := connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
					r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
					r.Retry = &hub.Retry{Attempts: 1}
					ask(guess)(r)
				}), func(c *hub.Connector) {
					c.Secrets = []hub.Secret{{Name: "key"}}
					c.Template = template(t, h, func(tpl *hub.Template) { tpl.Name = guess }).ID
				})
				setSecret(t, h, con.ID, "key", secret)
				res, err := execute(t, h, "go")
				told[i] = fmt.Sprint(err, res.Branch)
				if con.Requests[0].Pagination != nil {
					bodies, err := walk(t, h, "go")
					told[i] += fmt.Sprint(len(bodies), err)
				}
				require.NoError(t, h.DeleteConnector(t.Context(), con.ID, con.Revision))
			}
			assert.Equal(t, told[0], told[1])
		})
	}
}

// The same of where an authentication's answer carries the session, and when it ends.
func TestWhereASessionIsGuessesNoSecret(t *testing.T) {
	const secret, wrong = "canary-of-the-key", "canary-of-thekeys"
	for name, ask := range map[string]func(guess string) hub.Session{
		"a value":      func(g string) hub.Session { return hub.Session{Path: `sent.#(v=="` + g + `").n`} },
		"a pattern":    func(g string) hub.Session { return hub.Session{Path: `sent.#(v%"` + g[:len(g)-2] + `*").n`} },
		"of the token": func(g string) hub.Session { return hub.Session{Path: `sent.#(token=="` + g + `").n`} },
		"the end": func(g string) hub.Session {
			return hub.Session{Path: "sid", Expires: &hub.SessionExpiry{Path: `sent.#(v=="` + g + `").n`}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = fmt.Fprintf(w, `{"sid":"a session of its own","sent":[{"v":%q,"token":%q,"n":86400}]}`, r.Header.Get("X-Key"), secret)
			}))
			h := open(t).Tenant("acme")
			var told [2]string
			for i, guess := range []string{secret, wrong} {
				session := ask(guess)
				con := connector(t, h, srv, func(c *hub.Connector) {
					c.Template = template(t, h, func(tpl *hub.Template) { tpl.Name, tpl.AuthType = guess, hub.AuthSession }).ID
					c.Auth = hub.Auth{Kind: hub.AuthSession, Session: &session, Request: &hub.AuthRequest{URL: srv.URL, Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}}
					c.Secrets = []hub.Secret{{Name: "key"}}
				})
				setSecret(t, h, con.ID, "key", secret)
				res, err := h.Authenticate(t.Context(), "con")
				state, failed := h.AuthStatus(t.Context(), con.ID)
				require.NoError(t, failed)
				told[i] = fmt.Sprint(err, res.Branch, state.State, time.Until(state.Expires) > 10*time.Hour)
				require.NoError(t, h.DeleteConnector(t.Context(), con.ID, con.Revision))
			}
			assert.Equal(t, told[0], told[1])
		})
	}
}

// What leads to the next page is followed as it came, also where it is shown without a secret.
func TestASecretInAPointerIsFollowed(t *testing.T) {
	const secret = "canary-of-the-key"
	for name, next := range map[string]string{"by name": "next", "by relation": `links.#(rel=="next").url`} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/"+secret+"/1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"next":"/%[1]s/2","links":[{"rel":"self","url":"/x"},{"rel":"next","url":"/%[1]s/2"}]}`, secret)
			}))
			srv.Handle("/"+secret+"/2", hubtest.JSON(200, map[string]string{}))
			h := open(t).Tenant("acme")
			con := connector(t, h, srv, paged("go", "GET", srv.URL+"/[[key]]/1", hub.Pagination{Kind: hub.PageURL, Next: next}), func(c *hub.Connector) {
				c.Secrets = []hub.Secret{{Name: "key"}}
			})
			setSecret(t, h, con.ID, "key", secret)
			bodies, err := walk(t, h, "go")
			require.NoError(t, err)
			require.Len(t, bodies, 2)
			assert.NotContains(t, bodies[0], secret)
		})
	}
}
