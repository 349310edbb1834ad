package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
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

// permit is what the oracle knows of a value: where it may appear.
type permit struct {
	name   string
	hosts  []string
	reach  []string // where tokens may appear that it fetches
	places []string // none: anywhere
}

// secretsWalk is a random history of one connector, and the oracle that watches it. The
// oracle knows what the principals did, and nothing of how the hub decides.
type secretsWalk struct {
	t   *testing.T
	rnd *rand.Rand
	hub *hub.Tenant
	id  string
	srv []*hubtest.Server

	mu    sync.Mutex        // guards known: token endpoints add to it
	known map[string]permit // :: value → what is allowed

	sent, tokens, refused, succeeded, edits, calls int
}

var walkSecrets, walkPlaces = []string{"s1", "s2", "s3"}, []string{"header:X-Key", "query:k", "path", "body:/k", "auth"}

// Two principals edit hosts, addresses, declarations and secrets, and call in between by every
// road. Each upstream writes down what it gets: a value that was set, or a token that was
// fetched with it, appears only at the hosts that the connector had when it was set.
func TestSecretsReachOnlyTheirHostsWhateverIsEdited(t *testing.T) {
	for i, seed := range []uint64{1, 2, rand.Uint64()} {
		least := []int{10, 10, 0}[i] // of a walk that nobody knows no more can be said
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			srv, trust := peers(t, 3)
			w := &secretsWalk{
				t: t, rnd: rand.New(rand.NewPCG(seed, 0)), hub: open(t, trust).Tenant("acme"), srv: srv,
				known: map[string]permit{},
			}
			w.start()
			for range 1200 {
				w.step()
			}
			t.Logf("seed %d: %d edits, %d calls: %d succeeded, %d refused for a binding; %d appearances of values, %d of them tokens, all permitted",
				seed, w.edits, w.calls, w.succeeded, w.refused, w.sent, w.tokens)
			for what, n := range map[string]int{
				"appearances": w.sent, "tokens": w.tokens, "refusals": w.refused, "successes": w.succeeded, "edits": w.edits,
			} {
				assert.Greater(t, n, least, what)
			}
		})
	}
}

func (w *secretsWalk) start() {
	for _, srv := range w.srv {
		srv.Handle("/token", http.HandlerFunc(w.grant))
	}
	tpl, err := w.hub.CreateTemplate(w.t.Context(), hub.Template{Name: "T", Methods: []string{"GET", "POST"}, AuthType: hub.AuthOAuth2})
	require.NoError(w.t, err)
	for w.id == "" { // until places and requests happen to agree
		con := hub.Connector{Name: "con", Template: tpl.ID, Hosts: hostsOf(w.srv[0])}
		w.define(&con)
		con, err = w.hub.CreateConnector(w.t.Context(), con)
		if !errors.Is(err, hub.Invalid) {
			require.NoError(w.t, err)
			w.id = con.ID
		}
	}
}

// grant answers as a token endpoint does. The token may go where the secret that fetched it
// may fetch tokens for.
func (w *secretsWalk) grant(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	token := fmt.Sprintf("token%08d", len(w.known))
	p := w.known[r.FormValue("client_secret")]
	w.known[token] = permit{name: "a token of " + p.name, hosts: p.reach, places: []string{"header:Authorization"}}
	hubtest.Token(token, time.Hour).ServeHTTP(rw, r)
}

// define gives a connector a random definition over the hosts that it names.
func (w *secretsWalk) define(c *hub.Connector) {
	c.Secrets = nil
	for _, name := range walkSecrets {
		c.Secrets = append(c.Secrets, w.declaration(name, c.Hosts))
	}
	c.Auth.Request = &hub.AuthRequest{URL: w.at(c.Hosts, "/token"), Body: "client_secret=[[" + anyOf(w.rnd, walkSecrets) + "]]"}
	c.Requests = nil
	for i, place := range walkPlaces[:4] {
		c.Requests = append(c.Requests, w.request(fmt.Sprintf("r%d", i), place, c.Hosts))
	}
	c.Requests = append(c.Requests, hub.Request{Name: "dyn", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic})
}

func (w *secretsWalk) declaration(name string, hosts []string) hub.Secret {
	s := hub.Secret{Name: name}
	if w.rnd.IntN(4) == 0 {
		s.Hosts = []string{anyOf(w.rnd, hosts)}
	}
	if w.rnd.IntN(3) == 0 {
		s.Places = []string{anyOf(w.rnd, walkPlaces), anyOf(w.rnd, walkPlaces), "auth"}
	}
	return s
}

func (w *secretsWalk) request(name, place string, hosts []string) hub.Request {
	r := hub.Request{Name: name, Method: "POST", URL: w.at(hosts, "/"), State: hub.StateActive}
	value := "[[" + anyOf(w.rnd, walkSecrets) + "]]"
	switch place {
	case "header:X-Key":
		r.Headers = []hub.Header{{Name: "X-Key", Value: value}}
	case "query:k":
		r.Query = []hub.Param{{Name: "k", Value: value}}
	case "path":
		r.URL += value
	default:
		r.Body = `{"k":"` + value + `"}`
	}
	return r
}

func (w *secretsWalk) at(hosts []string, path string) string {
	return "https://" + anyOf(w.rnd, hosts) + path
}

func anyOf[T any](rnd *rand.Rand, list []T) T { return list[rnd.IntN(len(list))] }

// step is one act of one of the principals.
func (w *secretsWalk) step() {
	ctx := w.t.Context()
	switch n := w.rnd.IntN(10); {
	case n < 2:
		w.edit(ctx)
	case n < 3:
		w.set(ctx)
	case n < 4 && w.rnd.IntN(8) == 0:
		_ = w.hub.DeleteSecret(ctx, w.id, anyOf(w.rnd, walkSecrets)) // it may not be set
	default:
		w.call(ctx)
		w.watch()
	}
}

func (w *secretsWalk) edit(ctx context.Context) {
	con, err := w.hub.GetConnector(ctx, w.id)
	require.NoError(w.t, err)
	switch w.rnd.IntN(3) {
	case 0: // other hosts, and all that goes there
		con.Hosts = hostsOf(w.srv...)
		w.rnd.Shuffle(len(con.Hosts), func(i, j int) { con.Hosts[i], con.Hosts[j] = con.Hosts[j], con.Hosts[i] })
		con.Hosts = con.Hosts[:1+w.rnd.IntN(3)]
		w.define(&con)
	case 1: // one address
		i := w.rnd.IntN(4)
		con.Requests[i] = w.request(con.Requests[i].Name, anyOf(w.rnd, walkPlaces[:4]), con.Hosts)
	default: // one declaration
		i := w.rnd.IntN(len(con.Secrets))
		con.Secrets[i] = w.declaration(con.Secrets[i].Name, con.Hosts)
	}
	if _, err := w.hub.UpdateConnector(ctx, con); err == nil {
		w.edits++
	}
}

// set sets a secret and tells the oracle where it may go from now on.
func (w *secretsWalk) set(ctx context.Context) {
	name := anyOf(w.rnd, walkSecrets)
	con, err := w.hub.GetConnector(ctx, w.id)
	require.NoError(w.t, err)
	value := fmt.Sprintf("%sv%016x", name, w.rnd.Uint64())
	if w.hub.SetSecret(ctx, w.id, name, secrets.New(value)) != nil {
		return
	}
	p := permit{name: name, hosts: con.Hosts, reach: con.Hosts}
	for _, s := range con.Secrets {
		if s.Name == name {
			p.places = s.Places
			if len(s.Hosts) > 0 {
				p.hosts = s.Hosts
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known[value] = p
}

// call takes a random road out.
func (w *secretsWalk) call(ctx context.Context) {
	w.calls++
	var err error
	call := hub.Call{Connector: "con", Request: fmt.Sprintf("r%d", w.rnd.IntN(4))}
	switch w.rnd.IntN(8) {
	case 0:
		_, err = w.hub.Authenticate(ctx, "con")
	case 1:
		_, err = w.hub.TestConnector(ctx, "con")
	case 2:
		_, err = w.hub.TestRequest(ctx, call)
	case 3:
		call.Request, call.Payload = "dyn", w.envelope()
		_, err = w.hub.Execute(ctx, call)
	case 4:
		client, clientErr := w.hub.HTTPClient(ctx, "con")
		require.NoError(w.t, clientErr)
		err = fetch(w.t, client, anyOf(w.rnd, w.srv).URL)
	default:
		_, err = w.hub.Execute(ctx, call)
	}
	if err == nil {
		w.succeeded++
	}
	if errors.Is(err, hub.Forbidden) && strings.Contains(err.Error(), "bound to") {
		w.refused++
	}
}

func (w *secretsWalk) envelope() []byte {
	value := "[[" + anyOf(w.rnd, walkSecrets) + "]]"
	e := map[string]any{"method": "POST", "url": anyOf(w.rnd, w.srv).URL + "/d"}
	switch w.rnd.IntN(4) {
	case 0:
		e["headers"] = map[string]string{"X-Key": value}
	case 1:
		e["queryParameters"] = map[string]string{"k": value}
	case 2:
		e["body"] = map[string]string{"k": value}
	}
	data, err := json.Marshal(e)
	require.NoError(w.t, err)
	return data
}

// watch holds what the upstreams got against the oracle.
func (w *secretsWalk) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, srv := range w.srv {
		for _, r := range srv.Requests() {
			for value, p := range w.known {
				if where := whereIn(r, value); where != "" {
					w.appeared(srv, r, p, where)
				}
			}
		}
		srv.Forget()
	}
}

func (w *secretsWalk) appeared(srv *hubtest.Server, r hubtest.Request, p permit, where string) {
	require.Contains(w.t, p.hosts, srv.Host(), "%s went to another host, at %s", p.name, where)
	require.True(w.t, p.mayStand(where, r), "%s stood at %s of %s, and may at %v", p.name, where, r.Target, p.places)
	if w.sent++; where == "header:Authorization" {
		w.tokens++
	}
}

func (p permit) mayStand(where string, r hubtest.Request) bool {
	return len(p.places) == 0 || slices.Contains(p.places, where) || r.Target == "/token" && slices.Contains(p.places, "auth") ||
		where == "body" && slices.Contains(p.places, "body:/k") && strings.HasPrefix(string(r.Body), `{"k"`)
}
