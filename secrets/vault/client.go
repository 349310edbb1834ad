package vault

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/secrets"
)

// DefaultTimeout is [Config.Timeout] if it is zero.
const DefaultTimeout = 10 * time.Second

// Config says where a server is and how to log in. Zero values mean the defaults.
type Config struct {
	// Address is the server's URL: "https://vault.example.com:8200". Required.
	Address string
	// Namespace of Vault Enterprise, HCP or OpenBao. Default: none.
	Namespace string
	// Login is how the client gets its token. Required.
	Login Login
	// RootCAs are the authorities trusted for the server. Nil: the host system's.
	RootCAs *x509.CertPool
	// AllowHTTP permits an address without TLS, such as that of an agent on loopback.
	AllowHTTP bool
	// Timeout bounds each request: 10 s.
	Timeout time.Duration
	// Logger is told when a token cannot be renewed. Nil: nobody is.
	Logger *slog.Logger
}

// Client speaks with one server. It is safe for concurrent use, and a [secrets.Source].
type Client struct {
	base      string
	namespace string
	timeout   time.Duration
	log       *slog.Logger
	http      *http.Client
	egress    *egress.Egress
	session   *session
}

var _ secrets.Source = (*Client)(nil)

// New returns a client, or ErrInvalid, naming the field and the rule. It asks nobody yet.
// The caller closes it.
func New(config Config) (*Client, error) {
	base, err := config.base()
	if err != nil {
		return nil, err
	}
	out := egress.New(egress.Config{
		Policy:  egress.Policy{AllowLoopback: true, AllowPrivate: true, AllowAnyPort: true, AllowHTTP: config.AllowHTTP},
		RootCAs: config.RootCAs,
	})
	c := newClient(config, base, out.Transport(nil))
	c.egress = out
	return c, nil
}

func newClient(config Config, base string, rt http.RoundTripper) *Client {
	c := &Client{
		base: base, namespace: config.Namespace, timeout: cmp.Or(config.Timeout, DefaultTimeout),
		log: config.Logger, http: egress.NewClient(rt),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.session = newSession(c, config.Login)
	return c
}

// base checks the configuration and returns the address without a slash at its end.
func (c *Config) base() (string, error) {
	u, err := egress.ParseURL(strings.TrimSuffix(c.Address, "/"))
	if err != nil {
		return "", fmt.Errorf("vault: %w: Address: %v", secrets.ErrInvalid, err)
	}
	if u.Scheme != "https" && !c.AllowHTTP {
		return "", fmt.Errorf("vault: %w: Address: only https is open, unless AllowHTTP is set", secrets.ErrInvalid)
	}
	if u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("vault: %w: Address: must be scheme, host and port only", secrets.ErrInvalid)
	}
	if err := egress.CheckHeaderValue(c.Namespace); err != nil {
		return "", fmt.Errorf("vault: %w: Namespace: %v", secrets.ErrInvalid, err)
	}
	if c.Timeout < 0 {
		return "", fmt.Errorf("vault: %w: Timeout: must not be negative", secrets.ErrInvalid)
	}
	if err := c.Login.check(); err != nil {
		return "", err
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), nil
}

// Close stops renewing the token and closes all connections. Calls under way fail, and so
// do later ones. The token is left to run out.
func (c *Client) Close() {
	c.session.close()
	if c.egress != nil {
		c.egress.Close()
	}
}

// Check logs in, unless the client has, and returns why it cannot: for a host that wants to
// know at its start.
func (c *Client) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := c.session.token(ctx)
	return err
}
