package vault_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/fakevault"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/vault"
)

// direct reaches a fake without connections, so that time can pass in a bubble.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

const (
	loginPath  = "POST auth/approle/login"
	renewPath  = "POST auth/token/renew-self"
	lookUpPath = "GET auth/token/lookup-self"
)

var approle = vault.AppRole("role", secrets.New("s3cret-id"))

// session runs a client of a fake in a bubble; fetch reads the one secret that the fake has.
func session(t *testing.T, fake *fakevault.Server, login vault.Login, f func(t *testing.T, fetch func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake.Roles = map[string]string{"role": "s3cret-id"}
		seed(t, fake)
		c, err := vault.NewOver(vault.Config{Address: "https://vault.test", Namespace: fake.Namespace, Login: login}, direct{fake})
		require.NoError(t, err)
		defer c.Close()
		f(t, func() error {
			v, err := c.Fetch(t.Context(), "kv/crm#token")
			if err == nil {
				assert.Equal(t, "value", v.Reveal())
			}
			return err
		})
	})
}

// seed puts the secret into a fake.
func seed(t *testing.T, fake *fakevault.Server) {
	t.Helper()
	for _, post := range []struct{ path, body string }{{"sys/mounts/kv", `{"type":"kv"}`}, {"kv/data/crm", `{"data":{"token":"value"}}`}} {
		r := httptest.NewRequest("POST", "/v1/"+post.path, strings.NewReader(post.body))
		r.Header.Set("X-Vault-Token", fakevault.RootToken)
		r.Header.Set("X-Vault-Namespace", fake.Namespace)
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		require.Less(t, w.Code, 300)
	}
}

func TestManyCallersLogInOnce(t *testing.T) {
	fake := &fakevault.Server{}
	session(t, fake, approle, func(t *testing.T, fetch func() error) {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { assert.NoError(t, fetch()) })
		}
		wg.Wait()
		assert.Equal(t, 1, fake.Seen()[loginPath])
		assert.Zero(t, fake.Seen()[lookUpPath])
	})
}

func TestATokenIsRenewedAlsoWhileNobodyUsesIt(t *testing.T) {
	fake := &fakevault.Server{}
	session(t, fake, approle, func(t *testing.T, fetch func() error) {
		require.NoError(t, fetch())
		time.Sleep(40*time.Minute - time.Second)
		synctest.Wait()
		assert.Zero(t, fake.Seen()[renewPath])
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 1, fake.Seen()[renewPath], "after two thirds of its life")
		time.Sleep(24*time.Hour - time.Minute)
		require.NoError(t, fetch())
		assert.Equal(t, 1, fake.Seen()[loginPath])
		assert.Equal(t, 36, fake.Seen()[renewPath])
	})
}

// However tokens end, no call fails.
func TestCallsGoOnWhenTokensEnd(t *testing.T) {
	cases := []struct {
		name   string
		fake   fakevault.Server
		logins int // in five hours
	}{
		{"renewed to their longest life", fakevault.Server{TTL: time.Hour, MaxTTL: 90 * time.Minute}, 4},
		{"not renewable", fakevault.Server{TTL: time.Hour, Fixed: true}, 6},
		{"short", fakevault.Server{TTL: 90 * time.Second, MaxTTL: time.Hour}, 6},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			session(t, &c.fake, approle, func(t *testing.T, fetch func() error) {
				for range 5 * 60 * 2 {
					require.NoError(t, fetch())
					time.Sleep(30 * time.Second)
				}
				assert.InDelta(t, c.logins, c.fake.Seen()[loginPath], 1)
			})
		})
	}
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	fake := &fakevault.Server{}
	session(t, fake, approle, func(t *testing.T, fetch func() error) {
		require.NoError(t, fetch())
		time.Sleep(10 * time.Second)
		fake.Revoke()
		require.NoError(t, fetch())
		assert.Equal(t, 2, fake.Seen()[loginPath])
		fake.Revoke()
		for range 5 {
			require.ErrorContains(t, fetch(), "status 403")
		}
		assert.Equal(t, 2, fake.Seen()[loginPath], "a token that is denied at once is not replaced: it is the policies")
	})
}

func TestAGivenTokenIsRenewedAndEnds(t *testing.T) {
	fake := &fakevault.Server{TTL: time.Hour, MaxTTL: 3 * time.Hour}
	synctest.Test(t, func(t *testing.T) {
		seed(t, fake)
		c, err := vault.NewOver(vault.Config{Address: "https://vault.test", Login: vault.Token(secrets.New(fake.Issue()))}, direct{fake})
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Check(t.Context()))
		for range 2*60 + 50 {
			_, err := c.Fetch(t.Context(), "kv/crm#token")
			require.NoError(t, err)
			time.Sleep(time.Minute)
		}
		assert.NotZero(t, fake.Seen()[renewPath])
		fake.Revoke()
		_, err = c.Fetch(t.Context(), "kv/crm#token")
		require.ErrorContains(t, err, "status 403")
		assert.Equal(t, 1, fake.Seen()[lookUpPath], "there is no other token to look for")
		time.Sleep(20 * time.Minute)
		_, err = c.Fetch(t.Context(), "kv/crm#token")
		require.ErrorContains(t, err, "status 403")
		require.Error(t, c.Check(t.Context()))
	})
}

func TestRenewalOutlivesAnOutage(t *testing.T) {
	fake := &fakevault.Server{}
	session(t, fake, approle, func(t *testing.T, fetch func() error) {
		require.NoError(t, fetch())
		fake.Fail(http.StatusServiceUnavailable)
		time.Sleep(45 * time.Minute)
		synctest.Wait()
		tries := fake.Seen()[renewPath]
		assert.GreaterOrEqual(t, tries, 5)
		assert.LessOrEqual(t, tries, 11, "with growing pauses")
		require.ErrorContains(t, fetch(), "status 503")
		fake.Fail(0)
		time.Sleep(14 * time.Minute)
		require.NoError(t, fetch())
		time.Sleep(10 * time.Hour)
		require.NoError(t, fetch())
		assert.Equal(t, 1, fake.Seen()[loginPath])
	})
}

func TestAnOutageThatOutlivesTheToken(t *testing.T) {
	fake := &fakevault.Server{}
	session(t, fake, approle, func(t *testing.T, fetch func() error) {
		require.NoError(t, fetch())
		fake.Fail(http.StatusInternalServerError)
		time.Sleep(2 * time.Hour)
		require.Error(t, fetch())
		fake.Fail(0)
		require.NoError(t, fetch())
	})
}

func TestALoginThatIsRefused(t *testing.T) {
	fake := &fakevault.Server{}
	session(t, fake, vault.AppRole("role", secrets.New("wr0ng-id")), func(t *testing.T, fetch func() error) {
		err := fetch()
		require.EqualError(t, err, "vault: auth/approle/login: status 400")
		fake.Roles["role"] = "wr0ng-id"
		require.NoError(t, fetch(), "it is tried again with the next use")
	})
}

func TestLoginsByAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	for name, login := range map[string]vault.Login{
		"POST auth/kubernetes/login": vault.Kubernetes("pod", file),
		"POST auth/jwt/login":        vault.JWT("pod", file),
		"POST auth/k8s/eu/login":     vault.Kubernetes("pod", file).At("/k8s/eu/"),
	} {
		write("first\n")
		fake := &fakevault.Server{Fixed: true}
		session(t, fake, login, func(t *testing.T, fetch func() error) {
			fake.Roles["pod"] = "first"
			require.NoError(t, fetch())
			write("second")
			fake.Roles["pod"] = "second"
			time.Sleep(time.Hour)
			require.NoError(t, fetch(), "the file is read at each login")
			assert.Equal(t, 2, fake.Seen()[name])
			require.NoError(t, os.Remove(file))
			time.Sleep(time.Hour)
			require.ErrorIs(t, fetch(), os.ErrNotExist)
		})
	}
}

func TestNamespace(t *testing.T) {
	session(t, &fakevault.Server{Namespace: "team/eu"}, approle, func(t *testing.T, fetch func() error) {
		require.NoError(t, fetch())
	})
}

func TestClose(t *testing.T) {
	fake := &fakevault.Server{}
	synctest.Test(t, func(t *testing.T) {
		fake.Roles = map[string]string{"role": "s3cret-id"}
		c, err := vault.NewOver(vault.Config{Address: "https://vault.test", Login: approle}, direct{fake})
		require.NoError(t, err)
		require.NoError(t, c.Check(t.Context()))
		c.Close()
		c.Close()
		require.ErrorContains(t, c.Check(t.Context()), "closed")
		_, err = c.Fetch(t.Context(), "kv/crm")
		require.ErrorContains(t, err, "closed")
	})
}
