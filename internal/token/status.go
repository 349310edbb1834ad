package token

import (
	"context"
	"time"
)

// State is how a connector's grant is.
type State string

// The states.
const (
	// Unknown: nothing has been fetched yet.
	Unknown State = "unknown"
	// Healthy: the last fetch succeeded.
	Healthy State = "healthy"
	// Degraded: the last fetch failed in a way that may pass; a token may still be valid.
	Degraded State = "degraded"
	// NeedsReauthentication: somebody must authorize anew, or set a credential.
	NeedsReauthentication State = "needs-reauthentication"
)

// Status is what can be known of a grant.
type Status struct {
	State State
	// Since is when State began, by the clock of the instance that saw it.
	Since time.Time
	// Expires is the end of the last token's life; zero if there is none.
	Expires time.Time
	// Reason says why State is not Healthy, in text that is safe to show.
	Reason string
	// Generation is that of the last grant; zero if there is none.
	Generation int64
}

// Change is one change of state.
type Change struct {
	Key      Key
	Source   Source // whose Fetch led to it; nil after a Put
	From, To Status
}

// Status returns what the store tells of a grant.
func (m *Manager) Status(ctx context.Context, key Key) (Status, error) {
	rec, err := m.read(ctx, key)
	if err != nil {
		return Status{}, err
	}
	return rec.status(), nil
}
