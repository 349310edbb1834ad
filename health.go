package hub

import "context"

// Health is how a connector fares, as far as this hub has seen: other instances on the same
// store have their own view, but for Auth.
type Health struct {
	// InFlight and Queued count its calls that are under way and that wait for a place.
	InFlight int `json:"inFlight"`
	Queued   int `json:"queued"`
	// Auth is how its authentication is.
	Auth AuthStatus `json:"auth"`
}

// Health returns how a connector fares. It reads the store, and calls nobody.
func (t *Tenant) Health(ctx context.Context, connector string) (_ Health, err error) {
	defer finish(&err, "Health", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Health{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return Health{}, err
	}
	id := rec.Connector.ID
	var h Health
	h.InFlight, h.Queued = t.gates.count(gateKey{t.name, id})
	st, err := t.grants.Status(ctx, t.grantKey(id))
	h.Auth = authStatus(st)
	return h, stored(err)
}
