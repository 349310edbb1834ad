package vault_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/fakevault"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/secrets/vault"
	"github.com/integrationhub/hub/storage/memory"
)

func TestFetch(t *testing.T) {
	s := newServer(t)
	s.admin("POST", s.kv+"/data/crm/eu", map[string]any{"data": map[string]any{
		"token": "t0ken", "value": "the value", "empty": "", "number": 7, "long": strings.Repeat("x", secrets.MaxValue+1),
	}})
	c := open(t, s.config)
	for locator, want := range map[string]string{"/crm/eu#token": "t0ken", "/crm/eu": "the value"} {
		v, err := c.Fetch(t.Context(), s.kv+locator)
		require.NoError(t, err, locator)
		assert.Equal(t, want, v.Reveal())
	}
	for locator, want := range map[string]error{
		"/crm/eu#other": secrets.ErrNotFound, "/crm/us#token": secrets.ErrNotFound, "/crm#token": secrets.ErrNotFound,
		"/crm/eu#empty": secrets.ErrNotFound, "/crm/eu#number": secrets.ErrInvalid, "/crm/eu#long": secrets.ErrInvalid,
		"": secrets.ErrInvalid, "/../crm": secrets.ErrInvalid, "/crm/eu?version=1": secrets.ErrInvalid,
	} {
		_, err := c.Fetch(t.Context(), s.kv+locator)
		assert.ErrorIs(t, err, want, locator)
	}
	s.admin("POST", s.kv+"/data/crm/eu", map[string]any{"data": map[string]any{"token": "rotated"}})
	v, err := c.Fetch(t.Context(), s.kv+"/crm/eu#token")
	require.NoError(t, err)
	assert.Equal(t, "rotated", v.Reveal(), "the latest version counts")
	s.admin("DELETE", s.kv+"/metadata/crm/eu", nil)
	_, err = c.Fetch(t.Context(), s.kv+"/crm/eu#token")
	assert.ErrorIs(t, err, secrets.ErrNotFound)
}

func TestKVDisregardsWhatOthersWrote(t *testing.T) {
	s := newServer(t)
	kv := s.keyValue(t)
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "token", Generation: 1, Binding: "b"}
	require.NoError(t, kv.Put(t.Context(), ref, secrets.New("value")))
	for _, name := range []string{"notes", "token.01", "token.x", "to=6ben.1", ".1", "=.1", "token.1/below"} {
		s.admin("POST", s.kv+"/data/hub/secrets/acme/crm/"+name, map[string]any{"data": map[string]any{"value": "x"}})
	}
	refs, err := kv.List(t.Context(), "acme", "crm")
	require.NoError(t, err)
	ref.Binding = ""
	assert.Equal(t, []secrets.Ref{ref}, refs)

	s.admin("POST", s.kv+"/data/hub/secrets/acme/crm/token.1", map[string]any{"data": map[string]any{"value": "planted"}})
	ref.Binding = "b"
	_, err = kv.Get(t.Context(), ref)
	assert.ErrorIs(t, err, secrets.ErrSealBroken, "an entry without the binding was not put")
}

func TestTransitRotates(t *testing.T) {
	s := newServer(t)
	old := s.keeper(t)
	id, err := old.KeyID(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hub:v1", id)
	box, err := old.Seal(t.Context(), id, []byte("text"), []byte("aad"))
	require.NoError(t, err)
	s.admin("POST", s.transit+"/keys/hub/rotate", map[string]any{})

	fresh := s.keeper(t)
	next, err := fresh.KeyID(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hub:v2", next)
	text, err := fresh.Open(t.Context(), id, box, []byte("aad"))
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
	newer, err := fresh.Seal(t.Context(), next, []byte("text 2"), nil)
	require.NoError(t, err)
	text, err = old.Open(t.Context(), next, newer, nil)
	require.NoError(t, err, "who has not heard of the rotation opens what comes after it")
	assert.Equal(t, "text 2", string(text))

	for _, other := range []string{"hub:v01", "hub:v+1", "hub:v0", "hub:v", "hub", "hub:v3", "other:v1"} {
		_, err = fresh.Open(t.Context(), other, box, []byte("aad"))
		assert.ErrorIs(t, err, secrets.ErrKeyNotFound, other)
	}
	s.admin("POST", s.transit+"/keys/hub/config", map[string]any{"min_decryption_version": 2})
	_, err = s.keeper(t).Open(t.Context(), id, box, []byte("aad"))
	assert.ErrorIs(t, err, secrets.ErrKeyNotFound)
}

// A keeper that has just heard of a version must not take a rotation that follows for done:
// whoever believes it shuts the old version out, and loses what is sealed under it.
func TestTransitRotatesUnderOneKeeper(t *testing.T) {
	s := newServer(t)
	keeper, store := s.keeper(t), memory.New()
	kept := sealed.New(store, keeper)
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "token", Generation: 1, Binding: "b"}
	require.NoError(t, kept.Put(t.Context(), ref, secrets.New("value")))
	s.admin("POST", s.transit+"/keys/hub/rotate", map[string]any{})

	id, err := keeper.KeyID(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hub:v2", id)
	changed, err := kept.Rewrap(t.Context(), ref)
	require.NoError(t, err)
	assert.True(t, changed)
	_, found, err := sealed.Under(t.Context(), store, "hub:v1")
	require.NoError(t, err)
	assert.False(t, found)

	s.admin("POST", s.transit+"/keys/hub/config", map[string]any{"min_decryption_version": 2})
	v, err := sealed.New(store, s.keeper(t)).Get(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, "value", v.Reveal())
}

func TestTransitWantsAKeyThatBinds(t *testing.T) {
	s := newServer(t)
	s.admin("POST", s.transit+"/keys/rsa", map[string]any{"type": "rsa-2048"})
	s.admin("POST", s.transit+"/keys/derived", map[string]any{"derived": true})
	c := open(t, s.config)
	for name, want := range map[string]error{"rsa": secrets.ErrInvalid, "derived": secrets.ErrInvalid, "missing": secrets.ErrKeyNotFound} {
		k, err := c.Transit(s.transit, name)
		require.NoError(t, err)
		_, err = k.KeyID(t.Context())
		assert.ErrorIs(t, err, want, name)
	}
	_, err := s.keeper(t).Seal(t.Context(), "hub:v1", make([]byte, secrets.MaxPlaintext+1), nil)
	assert.ErrorIs(t, err, secrets.ErrInvalid)
}

// A server that disregards associated data still opens nothing for another one.
func TestTransitBindsOnServersWithoutAssociatedData(t *testing.T) {
	config, client := startFake(t, &fakevault.Server{ForgetsAAD: true})
	t.Cleanup(client.CloseIdleConnections)
	for _, post := range []struct{ path, body string }{{"sys/mounts/transit", `{"type":"transit"}`}, {"transit/keys/hub", `{}`}} {
		req, err := http.NewRequest("POST", config.Address+"/v1/"+post.path, strings.NewReader(post.body))
		require.NoError(t, err)
		req.Header.Set("X-Vault-Token", fakevault.RootToken)
		res, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	k, err := open(t, config).Transit("transit", "hub")
	require.NoError(t, err)
	box, err := k.Seal(t.Context(), "hub:v1", []byte("text"), []byte("aad"))
	require.NoError(t, err)
	_, err = k.Open(t.Context(), "hub:v1", box, []byte("other"))
	require.ErrorIs(t, err, secrets.ErrSealBroken)
	text, err := k.Open(t.Context(), "hub:v1", box, []byte("aad"))
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	good := vault.Config{Address: "https://vault.example.com:8200", Login: vault.Token(secrets.New("t"))}
	for name, change := range map[string]func(*vault.Config){
		"no address":         func(c *vault.Config) { c.Address = "" },
		"no scheme":          func(c *vault.Config) { c.Address = "vault.example.com" },
		"plain HTTP":         func(c *vault.Config) { c.Address = "http://vault.example.com" },
		"another scheme":     func(c *vault.Config) { c.Address, c.AllowHTTP = "ftp://vault.example.com", true },
		"a path":             func(c *vault.Config) { c.Address += "/v1" },
		"a query":            func(c *vault.Config) { c.Address += "?a=b" },
		"credentials":        func(c *vault.Config) { c.Address = "https://u:p@vault.example.com" },
		"a namespace of two": func(c *vault.Config) { c.Namespace = "a\r\nb" },
		"a negative timeout": func(c *vault.Config) { c.Timeout = -1 },
		"no login":           func(c *vault.Config) { c.Login = vault.Login{} },
		"an empty token":     func(c *vault.Config) { c.Login = vault.Token(secrets.Value{}) },
		"a token of two":     func(c *vault.Config) { c.Login = vault.Token(secrets.New("a\nb")) },
		"no role id":         func(c *vault.Config) { c.Login = vault.AppRole("", secrets.New("x")) },
		"no role":            func(c *vault.Config) { c.Login = vault.Kubernetes("", "") },
		"no token file":      func(c *vault.Config) { c.Login = vault.JWT("role", "") },
		"a mount that climbs": func(c *vault.Config) {
			c.Login = vault.AppRole("role", secrets.Value{}).At("../x")
		},
	} {
		config := good
		change(&config)
		_, err := vault.New(config)
		assert.ErrorIs(t, err, secrets.ErrInvalid, name)
	}
	c := open(t, good)
	for _, path := range []string{"", "/kv", "kv/../x", "kv#x", "k v"} {
		_, err := c.KV(path, "hub")
		assert.ErrorIs(t, err, secrets.ErrInvalid)
		_, err = c.KV("kv", path)
		assert.ErrorIs(t, err, secrets.ErrInvalid)
		_, err = c.Transit("transit", path)
		assert.ErrorIs(t, err, secrets.ErrInvalid)
		_, err = c.Transit(path, "hub")
		assert.ErrorIs(t, err, secrets.ErrInvalid)
	}
}

// serve answers every request with h, and returns a configuration that trusts it.
func serve(t *testing.T, h http.HandlerFunc) vault.Config {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return vault.Config{Address: srv.URL, RootCAs: roots, Login: vault.AppRole("role", secrets.New("s3cret-id")), Timeout: 5 * time.Second}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var stolen []string
	thief := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.URL.Path)
	}))
	t.Cleanup(thief.Close)
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	require.ErrorContains(t, c.Check(t.Context()), "redirects are not followed")
	assert.Empty(t, stolen)
}

func TestAnswersThatAreNotWhatTheAPISays(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON": "<html>s3cret-id</html>", "no auth": `{}`, "no token": `{"auth":{}}`,
		"a token of two lines": `{"auth":{"client_token":"a\nb"}}`, "a negative life": `{"auth":{"client_token":"a","lease_duration":-1}}`,
		"too large": `{"x":"` + strings.Repeat("x", 8<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
			err := c.Check(t.Context())
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "s3cret-id")
		})
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	config := serve(t, func(http.ResponseWriter, *http.Request) {})
	config.RootCAs = x509.NewCertPool()
	require.EqualError(t, open(t, config).Check(t.Context()), "vault: auth/approle/login: the server does not answer", "nor one that is not trusted")

	hang := make(chan struct{})
	config = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(hang) })
	config.Timeout = 50 * time.Millisecond
	err := open(t, config).Check(t.Context())
	require.ErrorContains(t, err, "does not answer")
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "no caller's time has run out")
	config.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, open(t, config).Check(ctx), context.DeadlineExceeded)
}

// A caller that gives up during a request, and not before it, gets the error of its ctx.
func TestACallerThatGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/auth/") {
			_, _ = w.Write([]byte(`{"auth":{"client_token":"t"}}`))
			return
		}
		cancel()
		<-r.Context().Done()
	}))
	_, err := c.Fetch(ctx, "kv/crm#token")
	require.ErrorIs(t, err, context.Canceled)
}

// tardy is a server that answers with nothing when whoever asked has left. To logins it answers
// at once.
type tardy struct{ asked func() }

func (s tardy) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasPrefix(r.URL.Path, "/v1/auth/") {
		_, _ = w.WriteString(`{"auth":{"client_token":"t"}}`)
	} else {
		s.asked()
		<-r.Context().Done()
	}
	return w.Result(), nil
}

// An answer can come in the moment in which its caller gives up. It says nothing about the server.
func TestAnAnswerToWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, err := vault.NewOver(vault.Config{Address: "https://vault.test", Login: approle}, tardy{cancel})
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Fetch(ctx, "kv/crm#token")
		require.ErrorIs(t, err, context.Canceled)
		_, err = c.Fetch(t.Context(), "kv/crm#token")
		require.ErrorContains(t, err, "does not answer", "its own time was over")
	})
}

// The address of a metadata service is refused, whoever names it.
func TestMetadataServicesAreRefused(t *testing.T) {
	c := open(t, vault.Config{Address: "http://169.254.169.254", AllowHTTP: true, Login: vault.Token(secrets.New("t")), Timeout: 5 * time.Second})
	require.ErrorContains(t, c.Check(t.Context()), "does not answer")
}

func FuzzEntries(f *testing.F) {
	f.Add("acme", "crm", "token", int64(1), "", "crm", "token", int64(1))
	f.Add("=", "a", "b", int64(0), "", "a", "b", int64(0))
	f.Add("a/b", "c", "d.1", int64(1), "a", "b/c", "d", int64(11))
	fake := &fakevault.Server{}
	f.Fuzz(func(t *testing.T, tenant, connector, name string, generation int64, tenant2, connector2, name2 string, generation2 int64) {
		one := secrets.Ref{Tenant: tenant, Connector: connector, Name: name, Generation: generation}
		other := secrets.Ref{Tenant: tenant2, Connector: connector2, Name: name2, Generation: generation2}
		if one.Check() != nil || other.Check() != nil {
			return
		}
		seed(t, fake)
		c, err := vault.NewOver(vault.Config{Address: "https://vault.test", Login: vault.Token(secrets.New(fakevault.RootToken))}, direct{fake})
		require.NoError(t, err)
		defer c.Close()
		kv, err := c.KV("kv", "hub")
		require.NoError(t, err)
		require.NoError(t, kv.Put(t.Context(), one, secrets.New("one")))
		_, err = kv.Get(t.Context(), other)
		assert.Equal(t, one == other, err == nil)
		refs, err := kv.List(t.Context(), tenant, connector)
		require.NoError(t, err)
		assert.Equal(t, []secrets.Ref{one}, refs)
		require.NoError(t, kv.Delete(t.Context(), one))
	})
}
