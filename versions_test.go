package hub_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
)

// lock is an upstream that takes one key, and refuses others with a status.
type lock struct {
	mu     sync.Mutex
	key    string
	status int
	seen   []string
}

func (l *lock) change(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.key, l.seen = key, nil
}

func (l *lock) tried() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.seen...)
}

func (l *lock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	given := r.Header.Get("X-Api-Key")
	if _, password, ok := r.BasicAuth(); ok {
		given = password
	}
	l.seen = append(l.seen, given)
	if given != l.key {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(l.status)
		_, _ = w.Write([]byte(`{"error":"bad key ` + given + `"}`))
		return
	}
	if r.URL.Path == "/token" {
		hubtest.JSON(200, map[string]string{"access_token": "token-by-" + given}).ServeHTTP(w, r)
		return
	}
	_, _ = w.Write([]byte("ok"))
}

const keyOne, keyTwo = "key-number-one", "key-number-two"

// locked is a connector whose key is keyOne, with keyTwo to follow.
func locked(t *testing.T, status int) (*hub.Tenant, *lock, func() []hub.Event) {
	t.Helper()
	srv, l := hubtest.NewServer(t), &lock{key: keyOne, status: status}
	srv.Handle("/things", l)
	srv.Handle("/open", hubtest.Status(403))
	var events []hub.Event
	h := open(t, observe(&events)).Tenant("acme")
	kind(t, h, srv, hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InHeader, Name: "X-Api-Key", Value: "[[apiKey]]"}},
		map[string]string{"apiKey": keyOne}, manual("open", "GET", srv.URL+"/open"))
	require.NoError(t, h.SetNextSecret(t.Context(), "con", "apiKey", secrets.New(keyTwo)))
	return h, l, func() []hub.Event { return events }
}

func TestASecretChangesAtTheThirdPartyAndNobodyNotices(t *testing.T) {
	for _, status := range []int{401, 403} {
		h, l, events := locked(t, status)
		read(t, h)
		assert.Equal(t, []string{keyOne}, l.tried())
		assert.Equal(t, hub.SecretCurrent, events()[0].SecretVersion)

		l.change(keyTwo) // at the third party
		read(t, h)
		assert.Equal(t, []string{keyOne, keyTwo}, l.tried(), "the other is tried once")
		read(t, h)
		assert.Equal(t, []string{keyOne, keyTwo, keyTwo}, l.tried(), "what was taken is tried first")
		assert.Equal(t, hub.SecretNext, events()[2].SecretVersion)
		list, err := h.ListSecrets(t.Context(), "con")
		require.NoError(t, err)
		assert.Equal(t, hub.SecretNext, list[0].Taken)
		require.NotNil(t, list[0].Next)
		assert.NotEmpty(t, list[0].Next.Hosts)

		l.change(keyOne) // and back again
		read(t, h)
		assert.Equal(t, []string{keyTwo, keyOne}, l.tried())

		l.change(keyTwo)
		require.NoError(t, h.PromoteSecret(t.Context(), "con", "apiKey"))
		read(t, h)
		assert.Equal(t, []string{keyTwo}, l.tried())
		list, err = h.ListSecrets(t.Context(), "con")
		require.NoError(t, err)
		assert.Nil(t, list[0].Next)
		assert.Empty(t, list[0].Taken)
		assert.Empty(t, events()[4].SecretVersion)
		failed(t, h.PromoteSecret(t.Context(), "con", "apiKey"), hub.NotFound)
	}
}

func TestAKeyThatNobodyTakesIsTriedOnceEach(t *testing.T) {
	h, l, events := locked(t, 401)
	l.change("key-number-three")
	res, err := execute(t, h, "read")
	e := failed(t, err, hub.Unauthorized)
	assert.Equal(t, 401, res.Status)
	assert.Equal(t, 2, e.Attempts)
	assert.Equal(t, []string{keyOne, keyTwo}, l.tried())
	assert.Empty(t, events()[0].SecretVersion)
	assert.NotContains(t, string(res.Body), "key-number", "both values are masked, whichever was sent")
}

func TestBothVersionsAreMaskedInEveryAnswer(t *testing.T) {
	h, l, _ := locked(t, 200)
	l.change("none")
	res, err := execute(t, h, "read")
	require.NoError(t, err)
	assert.NotContains(t, string(res.Body), keyOne)
}

func TestNextValuesOfACallThatUsesNoneStayOut(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(403))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "unused"}} })
	setSecret(t, h, con.ID, "unused", keyOne)
	require.NoError(t, h.SetNextSecret(t.Context(), "con", "unused", secrets.New(keyTwo)))
	_, err := execute(t, h, "go")
	failed(t, err, hub.Rejected)
	assert.Len(t, srv.Requests(), 1)
}

func TestAClientSecretChangesWhileTokensAreFetched(t *testing.T) {
	srv, l := hubtest.NewServer(t), &lock{key: keyOne, status: 401}
	srv.Handle("POST /token", l)
	var good string
	srv.Handle("/things", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(401)
		}
	}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, oauth(srv), func(c *hub.Connector) {
		c.Auth.Request.Headers = []hub.Header{{Name: "X-Api-Key", Value: "[[key]]"}}
		c.Secrets = []hub.Secret{{Name: "key"}}
	})
	setSecret(t, h, con.ID, "key", keyOne)
	good = "token-by-" + keyOne
	require.NoError(t, h.SetNextSecret(t.Context(), con.ID, "key", secrets.New(keyTwo)))
	_, err := execute(t, h, "read")
	require.NoError(t, err)

	l.change(keyTwo)
	good = "token-by-" + keyTwo
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.Equal(t, []string{keyOne, keyTwo}, l.tried())
	_, err = h.Authenticate(t.Context(), "con")
	require.NoError(t, err)
	require.NoError(t, h.PromoteSecret(t.Context(), con.ID, "key"))
	tried := len(l.tried())
	_, err = execute(t, h, "read")
	require.NoError(t, err)
	assert.Len(t, l.tried(), tried, "tokens of the next value stay in use")

	require.NoError(t, h.SetNextSecret(t.Context(), con.ID, "key", secrets.New("key-number-three")))
	l.change("key-number-three")
	_, err = h.Authenticate(t.Context(), "con")
	require.NoError(t, err)
	assert.Equal(t, []string{keyTwo, "key-number-three"}, l.tried())
}

func TestAnSDKTakesTheOtherVersionNextTime(t *testing.T) {
	h, l, _ := locked(t, 401)
	l.change(keyTwo)
	client := lend(t, h)
	con, err := h.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	for i, want := range []int{401, 200, 200} {
		resp, err := client.Get("https://" + con.Hosts[0] + "/things")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, i)
	}
}

func TestANextSecretNeedsACurrentOne(t *testing.T) {
	h, _, _ := locked(t, 401)
	failed(t, h.SetNextSecret(t.Context(), "con", "other", secrets.New("value")), hub.NotFound)
	failed(t, h.SetNextSecret(t.Context(), "con", "apiKey", secrets.Value{}), hub.Invalid)
	failed(t, h.SetNextSecret(t.Context(), "con", "apiKey", secrets.New("")), hub.Invalid)
	failed(t, h.SetNextSecret(t.Context(), "none", "key", secrets.New("value")), hub.NotFound)
	failed(t, h.PromoteSecret(t.Context(), "con", "other"), hub.NotFound)
}

// Only the values in force are kept.
func TestVersionsLeaveNoValuesBehind(t *testing.T) {
	r := newRotating(t, 1)
	h := r.open(t, r.store, r.old)
	values := func() int {
		page, err := r.store.List(t.Context(), storage.Query{Tenant: "acme", Kind: "secret", Parent: "con-0"})
		require.NoError(t, err)
		return len(page.Records)
	}
	for range 3 {
		require.NoError(t, h.SetNextSecret(t.Context(), "con-0", "a", secrets.New("next-value-of-a")))
		assert.Equal(t, 3, values())
	}
	rotated := r.open(t, r.store, r.new)
	report, err := rotated.hub.RotateKeys(t.Context(), fast)
	require.NoError(t, err)
	assert.Zero(t, report.Failed)
	assert.Zero(t, r.named(t, r.oldID()), "the next value moves to the new key too")
	require.NoError(t, rotated.PromoteSecret(t.Context(), "con-0", "a"))
	assert.Equal(t, 2, values())
	_, err = rotated.Execute(t.Context(), hub.Call{Connector: "con-0", Request: "r"})
	require.NoError(t, err)
	assert.Equal(t, "next-value-of-a", r.srv.Requests()[0].Header.Get("X-A"))

	require.NoError(t, h.SetNextSecret(t.Context(), "con-0", "a", secrets.New("never-used")))
	setSecret(t, h.Tenant, "con-0", "a", "set-directly")
	assert.Equal(t, 2, values())
	require.NoError(t, h.SetNextSecret(t.Context(), "con-0", "a", secrets.New("never-used")))
	require.NoError(t, h.DeleteSecret(t.Context(), "con-0", "a"))
	assert.Equal(t, 1, values())
}

// The next value is bound as it is set, like every other.
func TestTheNextValueGoesOnlyWhereItIsBound(t *testing.T) {
	srv, trust := peers(t, 2)
	h := open(t, trust).Tenant("acme")
	con := connector(t, h, srv[0], manual("go", "GET", srv[1].URL), func(c *hub.Connector) {
		c.TLS, c.Hosts, c.Secrets = nil, hostsOf(srv...), []hub.Secret{{Name: "key"}}
		c.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	})
	setSecret(t, h, con.ID, "key", keyOne)
	con, err := h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	con.Secrets[0].Hosts = hostsOf(srv[0])
	con, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	require.NoError(t, h.SetNextSecret(t.Context(), con.ID, "key", secrets.New(keyTwo)))
	con.Secrets[0].Hosts = nil
	_, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)

	srv[1].Handle("/", hubtest.Status(401))
	_, err = execute(t, h, "go")
	failed(t, err, hub.Forbidden)
	for _, r := range srv[1].Requests() {
		assert.False(t, carries(r, keyTwo))
	}
	assert.Len(t, srv[1].Requests(), 1)
}

// picky takes keyTwo at a.example.com, and nothing elsewhere.
type picky struct{ seen []string }

func (p *picky) RoundTrip(req *http.Request) (*http.Response, error) {
	key, status := req.Header.Get("X-Key"), http.StatusUnauthorized
	p.seen = append(p.seen, req.URL.Host+" "+key)
	if req.URL.Host == "a.example.com" && key == keyTwo {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// Of two versions each goes where it is bound to itself, whatever the other may.
func TestWhatOneVersionMayTheOtherMayNot(t *testing.T) {
	h, way := open(t), new(picky)
	hub.SendThrough(h, way)
	acme := h.Tenant("acme")
	to := func(host string) hub.Request {
		return hub.Request{Name: host, Method: "GET", URL: "https://" + host + ".example.com/", Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}
	}
	con, err := acme.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: template(t, acme).ID, Hosts: []string{"a.example.com"}, Secrets: []hub.Secret{{Name: "key"}}, Requests: []hub.Request{to("a")},
	})
	require.NoError(t, err)
	require.NoError(t, acme.SetSecret(t.Context(), "con", "key", secrets.New(keyOne)))
	con, err = acme.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	con.Hosts, con.Requests = append(con.Hosts, "b.example.com"), append(con.Requests, to("b"))
	_, err = acme.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	require.NoError(t, acme.SetNextSecret(t.Context(), "con", "key", secrets.New(keyTwo)))

	_, err = execute(t, acme, "a")
	require.NoError(t, err)
	for range 2 {
		_, err = execute(t, acme, "b")
		failed(t, err, hub.Forbidden)
	}
	assert.Equal(t, []string{"a.example.com " + keyOne, "a.example.com " + keyTwo, "b.example.com " + keyTwo, "b.example.com " + keyTwo}, way.seen)
}
