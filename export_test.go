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
