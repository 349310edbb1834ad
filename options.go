package hub

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"github.com/integrationhub/hub/ratelimit"
	"github.com/integrationhub/hub/secrets"
)

// Options are what [New] can be told beyond the store and the keeper. Nil and the zero value
// of each field mean the default written on it.
type Options struct {
	// Vault keeps the values of secrets. Nil: they are sealed in the store.
	Vault secrets.Vault

	// Resolvers fetch the values of references ([Tenant.SetSecretRef]) by their scheme:
	// the "vault" of "vault:kv/crm#token". Each says which locators a tenant may use;
	// secrets.Scoped makes one of a source and the prefix of each tenant. Nil: there are
	// no references.
	Resolvers map[string]secrets.Resolver

	// SecretLife is how long calls use the value of a secret that Vault or a resolver
	// gave before it is read again: 1 min. Negative: until the connector changes. One
	// that does not answer then fails the calls that need the secret; package
	// secrets/cached reads ahead and bridges outages.
	SecretLife time.Duration

	// SystemTemplates come with the host application: read-only, seen by every tenant.
	// Each must have an ID, which no tenant's template should share. Several versions of
	// one template may be listed; the highest is offered, the others serve upgrades.
	SystemTemplates []Template

	// Egress is what calls may reach beyond HTTPS on public addresses.
	Egress Egress

	// Limits bounds what definitions, payloads and answers can use.
	Limits Limits

	// RateLimiter counts calls under the rate limits of definitions, of all instances of the
	// hub together if they share one: ratelimit/redis. Nil: this hub counts its own.
	RateLimiter ratelimit.Limiter

	// Breaker says when nothing is sent any more to a third party that fails.
	Breaker Breaker

	// ScriptTokens lets a script see the tokens that ConnectAuth fetched, as the product
	// does, in the action's body. False: they are masked, and requests use them as
	// [[@auth.access_token]].
	ScriptTokens bool

	// Observer is called once for each call that ended and, before that, for each of its
	// attempts, in the caller's goroutine (an HTTPClient's in that which reads or closes the
	// body of the answer); and, in others, for each authentication that a
	// call set off or that runs ahead of expiry, for each change of a connector's
	// [AuthState], and for each circuit that opens or closes ([Breaker]). It must be safe
	// for concurrent use and quick. Nil: nobody is told.
	Observer func(context.Context, Event)

	// Tracer follows calls for a tracing system. Nil: nobody follows them.
	Tracer Tracer

	// Logger receives what the host's engineers must know and tenants must not: why an
	// address was refused, a store that does not answer, an answer that cannot be read; and,
	// at debug level, each call and each attempt. Nil: nothing is logged.
	Logger *slog.Logger

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Egress opens doors that are shut by default. Addresses of cloud metadata services stay
// refused whatever is opened.
type Egress struct {
	// AllowLoopback permits 127.0.0.0/8 and ::1. For tests.
	AllowLoopback bool
	// AllowPrivate permits private and unique local addresses (RFC 1918, RFC 4193).
	AllowPrivate bool
	// AllowHTTP permits http URLs beside https.
	AllowHTTP bool
	// AllowPorts permits ports beside 443 (and 80 with AllowHTTP). A host rule must name
	// the port too.
	AllowPorts []int
	// AllowAnyPort permits every port. For tests.
	AllowAnyPort bool
	// RootCAs are the authorities trusted for connectors that bring none of their own.
	// Nil: the host system's.
	RootCAs *x509.CertPool
	// Resolver looks up names. Nil: net.DefaultResolver.
	Resolver *net.Resolver
}

// Limits bounds what definitions, payloads and answers can use. Zero means the default
// written on the field, negative means no limit. Limits of templates, connectors and
// requests can only be narrower.
type Limits struct {
	// MaxTimeout is the longest timeout a connector may have: 120 s.
	MaxTimeout time.Duration
	// DialTimeout bounds looking up a name and connecting to it: 5 s.
	DialTimeout time.Duration
	// TLSTimeout bounds the TLS handshake: 5 s.
	TLSTimeout time.Duration
	// Attempts is the most times one call is sent, but for one time more with another token
	// or the other version of a secret: 3.
	Attempts int
	// RetryAfter is the longest wait that an answer can ask for: 60 s.
	RetryAfter time.Duration

	// PayloadBytes: 1 MiB. PayloadDepth: 64. NumberDigits: 64. NumberExponent, of
	// either sign: 400.
	PayloadBytes, PayloadDepth, NumberDigits, NumberExponent int
	// RequestBytes bounds a rendered request, URL, headers and body together: 1 MiB.
	RequestBytes int

	// WireBytes bounds an answer as it travels: 8 MiB. AnswerBytes bounds it decoded:
	// 16 MiB.
	WireBytes, AnswerBytes int64
	// StreamBytes bounds an answer that ExecuteTo passes on: 1 GiB. StreamTimeout bounds
	// the timeout of such a call: 15 min.
	StreamBytes   int64
	StreamTimeout time.Duration
	// UploadBytes bounds the files of one call together: 64 MiB.
	UploadBytes int64
	// Pages and Items bound what ExecutePages and ExecuteItems read of one list: 1,000 and
	// 100,000.
	Pages, Items int
	// AnswerRatio bounds how far an answer may unfold beyond its first 64 KiB: 100.
	AnswerRatio int
	// AnswerDepth bounds the nesting of a JSON answer: 512.
	AnswerDepth int
	// HeaderBytes bounds the headers of an answer: 256 KiB.
	HeaderBytes int64
	// TokenBytes bounds the answer to an authentication request: 64 KiB.
	TokenBytes int64

	// SchemaBytes: 32 KiB. SchemaDepth: 32.
	SchemaBytes, SchemaDepth int

	// ActiveRequests and InactiveRequests of one connector: 10 each.
	ActiveRequests, InactiveRequests int
	// Names bounds the variables and secrets of a connector together: 100.
	Names int
	// ValueBytes bounds one variable or secret: 64 KiB, which is also the most a vault
	// takes.
	ValueBytes int

	// PlanBytes bounds the memory of compiled definitions: 64 MiB. What connectors have in
	// common counts once.
	PlanBytes int64
	// StaleBytes bounds the memory of answers that are kept for Request.Fallback: 16 MiB.
	StaleBytes int64
	// Freshness is how long a compiled definition is used without asking the store
	// whether it changed: 1 s. Negative: the store is asked for every call. Where the
	// store tells of changes (storage.Watcher), they are seen as soon as it does, and
	// what is in use is checked ahead of this bound, so that calls do not wait for it.
	Freshness time.Duration
	// Staleness is how long it is used while the store does not answer: 30 s.
	Staleness time.Duration

	// ConnectorCalls, TenantCalls and HubCalls bound the calls under way at once: 100,
	// 1,000 and 10,000. A place that becomes free goes to the tenants in turn, and to the
	// connectors of each in turn.
	ConnectorCalls, TenantCalls, HubCalls int
	// QueuedCalls bounds the calls of one connector that wait for a place: 100. Of a
	// tenant ten times as many may wait, and a hundred times as many of the hub.
	QueuedCalls int
	// Remembered bounds the connectors whose circuits and health are remembered, of 16
	// origins each: 20,000, those used last.
	Remembered int
}

// withDefaults returns l with every zero replaced by its default and every negative by the
// largest value.
func (l Limits) withDefaults() Limits {
	set(&l.MaxTimeout, 120*time.Second)
	set(&l.DialTimeout, 5*time.Second)
	set(&l.TLSTimeout, 5*time.Second)
	set(&l.Attempts, 3)
	set(&l.RetryAfter, 60*time.Second)
	set(&l.PayloadBytes, 1<<20)
	set(&l.PayloadDepth, 64)
	set(&l.NumberDigits, 64)
	set(&l.NumberExponent, 400)
	set(&l.RequestBytes, 1<<20)
	set(&l.WireBytes, 8<<20)
	set(&l.AnswerBytes, 16<<20)
	set(&l.StreamBytes, 1<<30)
	set(&l.StreamTimeout, 15*time.Minute)
	set(&l.UploadBytes, 64<<20)
	set(&l.Pages, 1000)
	set(&l.Items, 100_000)
	set(&l.AnswerRatio, 100)
	set(&l.AnswerDepth, 512)
	set(&l.HeaderBytes, 256<<10)
	set(&l.TokenBytes, 64<<10)
	set(&l.SchemaBytes, 32<<10)
	set(&l.SchemaDepth, 32)
	set(&l.ActiveRequests, 10)
	set(&l.InactiveRequests, 10)
	set(&l.Names, 100)
	set(&l.ValueBytes, secrets.MaxValue)
	set(&l.PlanBytes, 64<<20)
	set(&l.StaleBytes, 16<<20)
	if l.Freshness < 0 {
		l.Freshness = time.Nanosecond
	}
	set(&l.Freshness, time.Second)
	set(&l.Staleness, 30*time.Second)
	set(&l.ConnectorCalls, 100)
	set(&l.TenantCalls, 1000)
	set(&l.HubCalls, 10_000)
	set(&l.QueuedCalls, 100)
	set(&l.Remembered, 20_000)
	return l
}

// set puts a default in place of zero and "no limit" in place of a negative.
func set[N int | int64 | time.Duration](n *N, def N) {
	if *n == 0 {
		*n = def
	}
	if *n < 0 {
		*n = unlimited[N]()
	}
}

// unlimited is a bound that nothing reaches and that still can be added to.
func unlimited[N int | int64 | time.Duration]() N {
	most := int64(math.MaxInt64 / 4)
	if _, ok := any(N(0)).(int); ok {
		most = math.MaxInt32
	}
	return N(most)
}

// check refuses options that contradict themselves.
func (o *Options) check() error {
	for _, p := range o.Egress.AllowPorts {
		if p < 1 || p > 65535 {
			return fmt.Errorf("hub: Options.Egress.AllowPorts: %d is not a port (1 to 65535)", p)
		}
	}
	if err := o.Breaker.check(); err != nil {
		return err
	}
	if err := o.checkResolvers(); err != nil {
		return err
	}
	if o.Limits.ValueBytes > secrets.MaxValue {
		return fmt.Errorf("hub: Options.Limits.ValueBytes: %d is above the %d bytes that a vault takes", o.Limits.ValueBytes, secrets.MaxValue)
	}
	return nil
}

func (o *Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// runtime is a moment that now told just now, by the runtime's clock, which deadlines and waits
// follow.
func (o *Options) runtime(now time.Time) time.Time {
	if o.Now == nil {
		return now
	}
	return time.Now()
}

func (o *Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}
