package hub

import (
	"context"
	"net/http"
	"time"

	"github.com/integrationhub/hub/internal/egress"
)

// SendThrough makes calls leave by way instead of the network: what a call costs in this
// process alone. It is for hubs that have run no call yet.
func SendThrough(h *Hub, way http.RoundTripper) {
	h.way = func(*egress.Identity) http.RoundTripper { return way }
}

// Shared counts the parts that the plans of a hub in use have in common: outlines and requests,
// as they are counted, and the templates and schemas that they were made with.
func Shared(h *Hub) (outlines, requests, templates, schemas int) {
	s := &h.shares
	return s.outlines.Len(), s.requests.Len(), s.templates.Len(), s.schemas.Len()
}

// PlanBytes is what the plans of a hub count for, and PlanParts how many parts they have.
func PlanBytes(h *Hub) int64 {
	h.plans.mu.Lock()
	defer h.plans.mu.Unlock()
	return h.plans.bytes
}

func PlanParts(h *Hub) int {
	h.plans.mu.Lock()
	defer h.plans.mu.Unlock()
	return len(h.plans.uses)
}

// Gates are gates without a hub.
type Gates struct{ gates gates }

// Enter takes a place in the gates of a connector that takes one call at a time.
func (g *Gates) Enter(ctx context.Context, tenant, connector string) (leave func(), err error) {
	var t ticket
	if err := g.gates.enter(ctx, &t, gateKey{tenant, connector}, gateBounds{hub: 1000, tenant: 1000, connector: 1, queued: 1}, time.Now()); err != nil {
		return nil, err
	}
	return func() { g.gates.leave(&t, time.Now()) }, nil
}

// Queue lets a call wait for such a place. What it returns is what the call does once it has noticed
// that its wait is over, or that it gives up.
func (g *Gates) Queue(ctx context.Context, tenant, connector string) (notice func(), err error) {
	g.gates.mu.Lock()
	defer g.gates.mu.Unlock()
	t := &ticket{ctx: ctx, gate: g.gates.gate(gateKey{tenant, connector}, gateBounds{hub: 1000, tenant: 1000, connector: 1, queued: 1})}
	return func() { g.gates.abandon(t) }, g.gates.queue(t)
}

// Kept counts the gates of tenants and of connectors that are there.
func (g *Gates) Kept() (tenants, connectors int) {
	return len(g.gates.tenants), len(g.gates.connectors)
}

// MaxIdle bounds the gates that nobody uses.
const MaxIdle = maxIdle
