package hub

import (
	"net/http"

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
