package hub

import (
	"context"
	"errors"
	"time"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/storage"
)

// AuthState is how a connector's authentication is.
type AuthState string

// The states.
const (
	// AuthUnknown: nothing has been fetched yet, or nothing ever is.
	AuthUnknown AuthState = "unknown"
	// AuthHealthy: the last authentication succeeded.
	AuthHealthy AuthState = "healthy"
	// AuthDegraded: the last one failed in a way that may pass. The token before may
	// still be good.
	AuthDegraded AuthState = "degraded"
	// AuthNeedsReauthentication: calls fail until somebody authorizes anew or sets the
	// secret that is refused.
	AuthNeedsReauthentication AuthState = "needs-reauthentication"
)

// AuthStatus is what can be known of a connector's authentication.
type AuthStatus struct {
	State AuthState `json:"state"`
	// Since is when State began; zero if it is AuthUnknown.
	Since time.Time `json:"since,omitzero"`
	// Expires is the end of the last token's life, as its issuer told it or as it is
	// assumed; zero if there is none. Tokens are renewed before.
	Expires time.Time `json:"expires,omitzero"`
	// Reason says why State is not AuthHealthy.
	Reason string `json:"reason,omitempty"`
}

// AuthStatus returns how a connector's authentication is, as all instances of the hub see it.
// It reads the store, and calls nobody.
func (t *Tenant) AuthStatus(ctx context.Context, connector string) (_ AuthStatus, err error) {
	defer finish(&err, "AuthStatus", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return AuthStatus{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return AuthStatus{}, err
	}
	st, err := t.grants.Status(ctx, t.grantKey(rec.Connector.ID))
	return authStatus(st), stored(err)
}

func authStatus(st token.Status) AuthStatus {
	return AuthStatus{State: AuthState(st.State), Since: st.Since, Expires: st.Expires, Reason: st.Reason}
}

// grantKey names the grant of a connector, however it is made.
func (t *Tenant) grantKey(connector string) token.Key {
	return token.Key{Tenant: t.name, Connector: connector}
}

// tokenOptions are the seams of the grants' manager.
func (c *core) tokenOptions() token.Options {
	return token.Options{
		Now:     c.opts.now,
		Begin:   func() (context.Context, func(), error) { return c.life.begin(context.Background()) },
		Derive:  deriveGrant,
		Changed: c.authChanged,
	}
}

// authChanged tells those who listen of a change of state. That the first token was fetched is
// no news: the event of the authentication tells it.
func (c *core) authChanged(ctx context.Context, change token.Change) {
	if change.From.State == token.Unknown && change.To.State == token.Healthy {
		return
	}
	e := Event{
		Op: "AuthState", Tenant: change.Key.Tenant, ConnectorID: change.Key.Connector,
		Branch: OnSuccess, Started: c.opts.now(), AuthState: AuthState(change.To.State),
	}
	if s, ok := change.Source.(interface{ connector() string }); ok {
		e.Connector = s.connector()
	}
	if change.To.State != token.Healthy {
		e.Branch, e.Code = OnError, Unauthorized
	}
	c.tellState(ctx, e)
}

// connector names the connector in events.
func (s *authSource) connector() string { return s.plan.def.Name }

// deleteConnector deletes the record of a connector and the grant beside it, in one step.
func (t *Tenant) deleteConnector(ctx context.Context, id string, revision int64) error {
	key := t.grantKey(id)
	for race := 1; ; race++ {
		changes := []storage.Change{storage.Delete(t.key(kindConnector, id), revision)}
		grant, ok, err := t.grants.Deletion(ctx, key)
		if err != nil {
			return stored(err)
		}
		if ok {
			changes = append(changes, grant)
		}
		err = t.apply(ctx, changes...)
		if err == nil {
			t.grants.Drop(key)
		}
		if !errors.Is(err, Conflict) || race == maxRaces { // a renewal was faster
			return err
		}
	}
}
