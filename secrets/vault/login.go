package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/secrets"
)

// DefaultTokenFile is where Kubernetes puts the token of a pod's service account.
const DefaultTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// Login is a way to get a token: [Token], [AppRole], [Kubernetes] or [JWT]. The zero Login
// is none.
type Login struct {
	token secrets.Value // given; else what follows
	mount string
	body  func() (map[string]string, error)
	rule  string // what is wrong with it
}

// Token uses a token that the host was given. It is renewed if it can be; when it ends, the
// client ends with it.
func Token(token secrets.Value) Login {
	l := Login{token: token}
	if token.IsZero() || egress.CheckHeaderValue(token.Reveal()) != nil {
		l.rule = "the token is empty, or not one line of text"
	}
	return l
}

// AppRole logs in as a role with its secret id, which may be empty for a role that needs
// none.
func AppRole(roleID string, secretID secrets.Value) Login {
	l := Login{mount: "approle"}
	l.body = func() (map[string]string, error) {
		return map[string]string{"role_id": roleID, "secret_id": secretID.Reveal()}, nil
	}
	if roleID == "" {
		l.rule = "an AppRole has no role id"
	}
	return l
}

// Kubernetes logs in as a role with the token of a service account, which is read from a
// file at each login: tokenFile or, if that is empty, DefaultTokenFile.
func Kubernetes(role, tokenFile string) Login {
	if tokenFile == "" {
		tokenFile = DefaultTokenFile
	}
	return tokenLogin("kubernetes", role, tokenFile)
}

// JWT logs in as a role with a signed token of any issuer that the server trusts, which is
// read from a file at each login.
func JWT(role, tokenFile string) Login { return tokenLogin("jwt", role, tokenFile) }

func tokenLogin(mount, role, tokenFile string) Login {
	l := Login{mount: mount}
	l.body = func() (map[string]string, error) {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, fmt.Errorf("vault: login: %w", err)
		}
		return map[string]string{"role": role, "jwt": strings.TrimSpace(string(token))}, nil
	}
	if role == "" || tokenFile == "" {
		l.rule = "a role or a token file is missing"
	}
	return l
}

// At returns the login by a method that is mounted elsewhere than at its usual path:
// "auth/approle-eu" is AppRole(…).At("approle-eu"). It changes nothing of a Token.
func (l Login) At(mount string) Login {
	l.mount = strings.Trim(mount, "/")
	if l.rule == "" && secrets.CheckLocator(l.mount) != nil {
		l.rule = "the mount is not a path"
	}
	return l
}

func (l Login) check() error {
	if l.rule == "" && l.token.IsZero() && l.body == nil {
		l.rule = "must be one of Token, AppRole, Kubernetes and JWT"
	}
	if l.rule != "" {
		return fmt.Errorf("vault: %w: Login: %s", secrets.ErrInvalid, l.rule)
	}
	return nil
}

// lease is a token and its life.
type lease struct {
	token     secrets.Value
	seconds   int64 // zero: it does not end
	renewable bool
	since     time.Time // of the login
}

// auth is what logins and renewals answer.
type auth struct {
	Auth *struct {
		ClientToken   string `json:"client_token"`
		LeaseDuration int64  `json:"lease_duration"`
		Renewable     bool   `json:"renewable"`
	} `json:"auth"`
}

func (a auth) lease() (lease, error) {
	if a.Auth == nil || a.Auth.ClientToken == "" || egress.CheckHeaderValue(a.Auth.ClientToken) != nil || a.Auth.LeaseDuration < 0 {
		return lease{}, errors.New("vault: the answer to a login is not what the API says")
	}
	return lease{token: secrets.New(a.Auth.ClientToken), seconds: a.Auth.LeaseDuration, renewable: a.Auth.Renewable}, nil
}

// enter logs in.
func (l Login) enter(ctx context.Context, c *Client) (lease, error) {
	if !l.token.IsZero() {
		return c.lookUp(ctx, l.token)
	}
	body, err := l.body()
	if err != nil {
		return lease{}, err
	}
	var answer auth
	if err := c.do(ctx, request{method: "POST", path: "auth/" + l.mount + "/login", body: body}, &answer); err != nil {
		return lease{}, err
	}
	return answer.lease()
}

// lookUp asks how long a given token lives.
func (c *Client) lookUp(ctx context.Context, token secrets.Value) (lease, error) {
	var answer struct {
		Data struct {
			TTL       int64 `json:"ttl"`
			Renewable bool  `json:"renewable"`
		} `json:"data"`
	}
	err := c.do(ctx, request{method: "GET", path: "auth/token/lookup-self", token: token}, &answer)
	return lease{token: token, seconds: max(answer.Data.TTL, 0), renewable: answer.Data.Renewable}, err
}

// renew prolongs a token.
func (c *Client) renew(ctx context.Context, token secrets.Value) (lease, error) {
	var answer auth
	err := c.do(ctx, request{method: "POST", path: "auth/token/renew-self", body: map[string]string{}, token: token}, &answer)
	if err != nil {
		return lease{}, err
	}
	return answer.lease()
}
