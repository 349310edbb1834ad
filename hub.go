package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/internal/transport"
	"github.com/integrationhub/hub/ratelimit"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// Hub runs calls to third-party applications on behalf of a contact centre. It is safe for
// concurrent use. A Hub is also the [Tenant] named "": an application without tenants uses
// its methods directly.
type Hub struct {
	*defaultTenant
}

// defaultTenant lets Hub embed a Tenant and still have a method of that name.
type defaultTenant = Tenant

// Tenant is a Hub's view for one customer of the host application. Tenants share nothing but
// the system templates: neither definitions nor secrets nor limits on calls. The methods of
// a Tenant are safe for concurrent use. A Tenant costs nothing to make.
type Tenant struct {
	*core
	name string
}

// core is what all tenants of a hub share.
type core struct {
	store  storage.Store
	keeper secrets.Keeper
	vault  secrets.Vault
	opts   Options
	limits Limits
	system systemTemplates

	references secrets.Vault // keeps references, whatever keeps values

	egress *egress.Egress
	way    func(*egress.Identity) http.RoundTripper // the one out of the process, for an identity
	client *transport.Client
	budget *transport.Budget
	plans  *planCache
	shares shares
	watch  watching
	grants *token.Manager

	versions versions

	discoveries discoveries
	nonces      nonces

	documents sync.Pool // of *payload.Document
	scratches sync.Pool // of *render.Scratch

	answers  *staleAnswers
	gates    gates
	held     atomic.Int64 // calls that wait for their turn under a rate limit
	traffics traffics

	life   life
	log    *slog.Logger
	closed func() // tells who asked for figures that there is nothing more to come
}

// startTimeout bounds what New asks of the store and the keeper.
const startTimeout = 15 * time.Second

// New returns a hub over a store and a keeper of keys, both of which stay the caller's: it
// closes them after [Hub.Close]. Nil options mean the defaults.
//
// A store remembers which keeper sealed it: New fails if keeper cannot open what it finds,
// so a lost or mistaken key is noticed at the start and not at the first call.
func New(store storage.Store, keeper secrets.Keeper, opts *Options) (*Hub, error) {
	if store == nil {
		return nil, errors.New("hub: New needs a store: memory.New() for tests, sqlite.Open for a file")
	}
	if keeper == nil {
		return nil, errors.New("hub: New needs a keeper of keys, without which secrets would lie in plain text: keyset.OpenOrCreate makes one")
	}
	c := &core{store: store, keeper: keeper}
	if opts != nil {
		c.opts = *opts
	}
	if err := c.opts.check(); err != nil {
		return nil, err
	}
	c.limits = c.opts.Limits.withDefaults()
	c.opts.Breaker = c.opts.Breaker.withDefaults()
	if c.opts.RateLimiter == nil {
		c.opts.RateLimiter = new(ratelimit.Local)
	}
	if c.vault = c.opts.Vault; c.vault == nil {
		c.vault = sealed.New(store, keeper)
	}
	c.references = sealed.New(store, keeper)
	system, err := newSystemTemplates(c.opts.SystemTemplates, &c.limits)
	if err != nil {
		return nil, err
	}
	c.system = system
	if err := c.checkKeeper(); err != nil {
		return nil, err
	}
	c.life.init()
	c.log = c.opts.logger()
	c.egress = egress.New(c.egressConfig())
	c.way = c.egress.Transport
	c.client = transport.New(&transport.Options{Clock: c.opts.Now})
	c.budget = transport.NewBudget(c.opts.now)
	c.plans = newPlanCache(c)
	c.answers = newStaleAnswers(c.limits.StaleBytes)
	c.grants = token.New(store, keeper, c.tokenOptions())
	c.watch.begin(c.life.ctx, c)
	c.closed = c.offerStats()
	return &Hub{&Tenant{core: c}}, nil
}

// Tenant returns the view of the named tenant: 1 to 255 bytes of UTF-8 without control
// characters, compared as bytes. A name outside these rules makes every call fail with
// Invalid.
func (h *Hub) Tenant(name string) *Tenant { return &Tenant{core: h.core, name: name} }

// Close stops the hub: calls that begin from now on fail with Closed, and Close waits until
// those under way have ended. When ctx ends first, they are cancelled, and Close returns
// ctx's error once they have. Closing again waits likewise and does no harm.
func (h *Hub) Close(ctx context.Context) error {
	err := h.life.end(ctx)
	h.watch.end()
	h.egress.Close()
	h.closed()
	return err
}

// enter begins a method of a tenant; leave ends it. Between the two, Close waits.
func (t *Tenant) enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	if err := checkTenant(t.name); err != nil {
		return nil, nil, err
	}
	return t.life.begin(ctx)
}

// arrive is enter for a call that makes a context of its own.
func (t *Tenant) arrive(s *stay) error {
	if err := checkTenant(t.name); err != nil {
		return err
	}
	return t.life.arrive(s)
}

func checkTenant(name string) error {
	if len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return &Error{Code: Invalid, Fields: []FieldError{{Path: "tenant", Rule: "name",
			Message: fmt.Sprintf("must be at most %d bytes of UTF-8 without control characters", maxName)}}}
	}
	return nil
}

// finish completes the error of a public method with its name and subject.
func finish(err *error, op, connector, request string) { *err = subject(*err, op, connector, request) }

// The record that tells which keeper sealed the store.
var keyCheck = storage.Key{Kind: sealed.CheckKind, ID: "hub"}

// checkKeeper opens the store's key check, or leaves one in a new store.
func (c *core) checkKeeper() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	rec, err := c.store.Get(ctx, keyCheck)
	if errors.Is(err, storage.ErrNotFound) {
		err = c.leaveKeyCheck(ctx)
		if errors.Is(err, storage.ErrExists) { // another process was first
			rec, err = c.store.Get(ctx, keyCheck)
		} else if err == nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("hub: New: the store or the keeper does not answer: %w", err)
	}
	if _, err := sealed.Open(ctx, c.keeper, rec.Data, keyCheck.Kind, keyCheck.ID); err != nil {
		id, _ := sealed.KeyID(rec.Data)
		return fmt.Errorf("hub: New: the store was sealed with key %q, which this keeper cannot use: give the hub the keeper that holds it: %w", id, err)
	}
	return nil
}

func (c *core) leaveKeyCheck(ctx context.Context) error {
	box, err := sealed.Seal(ctx, c.keeper, nil, keyCheck.Kind, keyCheck.ID)
	if err != nil {
		return err
	}
	keyID, err := sealed.KeyID(box)
	if err != nil {
		return err
	}
	now := c.opts.now()
	return c.store.Apply(ctx, storage.Create(storage.Record{
		Key: keyCheck, Labels: []storage.Label{{Key: sealed.LabelKey, Value: keyID}},
		Revision: nextRevision(0, now), Updated: now, Data: box,
	}))
}
