package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// Wherever a third party says that the next page lies, no call and no secret goes where the
// connector's hosts and the bindings do not lead.
func TestTheURLOfTheNextPageIsGuarded(t *testing.T) {
	const secret = "canary-of-the-key"
	peer, trust := peers(t, 3)
	first, second, stranger := peer[0], peer[1], peer[2]
	for name, tt := range map[string]struct {
		next string
		code hub.Code
	}{
		"a host that is not the connector's": {stranger.URL + "/steal", hub.Forbidden},
		"without a scheme":                   {"//" + stranger.Host() + "/steal", hub.Forbidden},
		"a host that has not the secret":     {second.URL + "/steal", hub.Forbidden},
		"the metadata service":               {"http://169.254.169.254/latest/meta-data/", hub.Forbidden},
		"the metadata service, https":        {"https://169.254.169.254/latest/meta-data/", hub.Forbidden},
		"another port of the host":           {"https://127.0.0.1:1/steal", hub.Forbidden},
		"plain HTTP":                         {strings.Replace(first.URL, "https", "http", 1) + "/steal", hub.Forbidden},
		"another scheme":                     {"file:///etc/passwd", hub.BadAnswer},
		"no host":                            {"https:///steal", hub.BadAnswer},
		"with a user":                        {"https://user:pass@" + first.Host() + "/steal", hub.BadAnswer},
		"a control character":                {first.URL + "/steal\u0001", hub.BadAnswer},
		"with a trick":                       {first.URL + "@" + stranger.Host() + "/steal", hub.BadAnswer},
	} {
		for _, kind := range []hub.PageKind{hub.PageURL, hub.PageLink} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				if strings.Contains(tt.next, "\u0001") && kind == hub.PageLink {
					return // no header holds it
				}
				h := open(t, trust, func(o *hub.Options) { o.Egress.AllowHTTP = true }).Tenant("acme")
				first.Handle("/", hubtest.JSON(200, map[string]any{"items": []int{1}, "next": tt.next}).Header("Link", "<"+tt.next+">; rel=next"))
				p := hub.Pagination{Kind: kind, Items: "items"}
				if kind == hub.PageURL {
					p.Next = "next"
				}
				con := connector(t, h, first, paged("go", "GET", first.URL, p, func(r *hub.Request) {
					r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
				}), func(c *hub.Connector) {
					c.Hosts, c.TLS, c.Secrets = hostsOf(first, second), nil, []hub.Secret{{Name: "key", Hosts: hostsOf(first)}}
				})
				setSecret(t, h, con.ID, "key", secret)
				pages, err := walk(t, h, "go")
				assert.Len(t, pages, 1)
				failed(t, err, tt.code)
			})
		}
	}
	assert.Empty(t, stranger.Requests())
	assert.Empty(t, second.Requests())
	assert.Zero(t, received(first, "/steal"))
}

// A next page on another of the connector's hosts is followed, with what is bound there.
func TestTheNextPageMayLieOnAnotherOfTheHosts(t *testing.T) {
	peer, trust := peers(t, 2)
	peer[0].Handle("/", hubtest.JSON(200, map[string]any{"items": []int{1}, "next": peer[1].URL + "/2"}))
	peer[1].Handle("/2", hubtest.JSON(200, map[string]any{"items": []int{2}}))
	h := open(t, trust).Tenant("acme")
	con := connector(t, h, peer[0], paged("go", "GET", peer[0].URL, hub.Pagination{Kind: hub.PageURL, Items: "items", Next: "next"}, func(r *hub.Request) {
		r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	}), func(c *hub.Connector) { c.Hosts, c.TLS, c.Secrets = hostsOf(peer...), nil, []hub.Secret{{Name: "key"}} })
	setSecret(t, h, con.ID, "key", "canary-of-the-key")
	pages, err := walk(t, h, "go")
	require.NoError(t, err)
	assert.Len(t, pages, 2)
	assert.Equal(t, "canary-of-the-key", peer[1].Requests()[0].Header.Get("X-Key"))
}

// A secret in the query is there on every page, once, whether the URL of the next page
// repeats it or not; and it is masked in what the caller sees.
func TestSecretsInTheQueryGoAlongFromPageToPage(t *testing.T) {
	const secret = "canary/of the key"
	for _, repeated := range []bool{false, true} {
		for _, scheme := range []bool{false, true} {
			t.Run(fmt.Sprintf("repeated=%t scheme=%t", repeated, scheme), func(t *testing.T) {
				srv := hubtest.NewServer(t)
				srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					q := r.URL.Query()
					assert.Equal(t, []string{secret}, q["key"])
					next := ""
					if q.Get("page") == "" {
						next = "?page=2"
						if repeated {
							next = "?" + r.URL.RawQuery + "&page=2"
						}
					}
					hubtest.JSON(200, map[string]any{"items": []string{q.Get("page")}, "next": next}).ServeHTTP(w, r)
				}))
				h := open(t).Tenant("acme")
				url := srv.URL + "/?key=[[key]]"
				if scheme {
					url = srv.URL
				}
				con := connector(t, h, srv, paged("go", "GET", url, hub.Pagination{Kind: hub.PageURL, Items: "items", Next: "next"}), func(c *hub.Connector) {
					c.Secrets = []hub.Secret{{Name: "key"}}
					if scheme {
						c.Auth = hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Name: "key", Value: "[[key]]"}}
					}
				})
				setSecret(t, h, con.ID, "key", secret)
				pages, err := walk(t, h, "go")
				require.NoError(t, err)
				require.Len(t, pages, 2)
				assert.NotContains(t, pages[0], "canary")
			})
		}
	}
}

func TestATokenIsRenewedInTheMiddleOfAWalk(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, srv[0], func(c *hub.Connector) {
		c.Requests[0] = hub.Request{Name: "go", Method: "GET", URL: srv[0].URL + "/r/a", Pagination: &hub.Pagination{Kind: hub.PageURL, Items: "items", Next: "next"}}
	})
	setSecret(t, h, con.ID, "key", "canary-of-the-key")
	srv[0].Handle("/r/a", hubtest.JSON(200, json.RawMessage(`{"items":[1],"next":"b/c"}`)))
	srv[0].Handle("/r/b/c", hubtest.Sequence(hubtest.Status(401), hubtest.JSON(200, json.RawMessage(`{"items":[2]}`))))
	pages, err := walk(t, h, "go")
	require.NoError(t, err)
	assert.Len(t, pages, 2)
	assert.Equal(t, 2, received(srv[0], "/r/b/c"), "a relative URL is not followed twice")
}

// The URL of a next page may lead to another host of the connector, but takes no secret there
// that the third party has written into it.
func TestANextURLTakesNoSecretToAnotherHost(t *testing.T) {
	const secret = "canary-of-the-key"
	for name, written := range map[string]string{"raw": secret, "percent-encoded": "canary%2Dof%2Dthe%2Dkey", "base64": "Y2FuYXJ5LW9mLXRoZS1rZXk="} {
		t.Run(name, func(t *testing.T) {
			peer, trust := peers(t, 2)
			first, second := peer[0], peer[1]
			h := open(t, trust).Tenant("acme")
			first.Handle("/", hubtest.JSON(200, map[string]any{"items": []int{1}, "next": second.URL + "/steal?x=" + written}))
			con := connector(t, h, first, paged("go", "GET", first.URL, hub.Pagination{Kind: hub.PageURL, Items: "items", Next: "next"}), func(c *hub.Connector) {
				c.Hosts, c.TLS, c.Secrets = hostsOf(first, second), nil, []hub.Secret{{Name: "key", Hosts: hostsOf(first)}}
			})
			setSecret(t, h, con.ID, "key", secret)
			pages, err := walk(t, h, "go")
			assert.NotContains(t, failed(t, err, hub.Forbidden).Error(), secret)
			assert.Len(t, pages, 1)
			assert.Empty(t, second.Requests())
		})
	}
}
