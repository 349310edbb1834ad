package hub

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/oauth"
)

// extraProof names the key of the proofs of possession in a grant, which is sealed.
const extraProof = "dpop"

// prove makes the proofs for the authentication request: with the key of the last grant, to
// which its refresh token may be bound, or a new one.
func (c *oauthScheme) prove(r *run) (err error) {
	if !c.def.DPoP {
		return nil
	}
	if r.prev != nil && r.code == nil {
		r.proof = r.prev.Extra[extraProof]
	}
	if r.proof == "" {
		if r.proof, err = oauth.NewProofKey(); err != nil {
			return failure(Unauthorized, "no key could be made")
		}
	}
	r.sign, err = r.prover(r.proof, "")
	return err
}

// prover returns what puts a proof of possession on each attempt.
func (r *run) prover(key, access string) (signer, error) {
	prover, err := oauth.NewProver(key)
	if err != nil {
		return nil, failure(Unauthorized, "the token's key is lost: authenticate anew")
	}
	return func(_ context.Context, _ int, out *http.Request) error {
		proof, err := prover.Prove(oauth.Proof{
			ID: rand.Text(), Method: out.Method, URL: out.URL, At: r.opts.now(),
			Nonce: r.nonces.get(r.nonceKey()), Access: access,
		})
		if err != nil {
			return failure(Unauthorized, err.Error())
		}
		r.sends("auth.dpop", proof[strings.LastIndexByte(proof, '.')+1:]) // the rest proves nothing without its signature
		out.Header.Set("DPoP", proof)
		return nil
	}, nil
}

// nonceAsked notes the nonce that an answer carries, and reports whether the request was
// refused for want of it (RFC 9449 sections 8 and 9).
func (r *run) nonceAsked() bool {
	answer := r.outcome.Answer
	if answer == nil || !r.keepNonce(answer.Header) {
		return false
	}
	const code = "use_dpop_nonce"
	switch answer.Status {
	case http.StatusUnauthorized:
		if strings.Contains(strings.Join(answer.Header.Values("WWW-Authenticate"), " "), code) {
			return true
		}
		fallthrough
	case http.StatusBadRequest:
		var body struct{ Error string }
		return json.Unmarshal(answer.Body, &body) == nil && body.Error == code
	}
	return false
}

// keepNonce keeps the nonce that an answer to a signed request carries, and reports whether
// there is one.
func (r *run) keepNonce(header http.Header) bool {
	nonce := header.Get("Dpop-Nonce")
	if r.sign == nil || nonce == "" || len(nonce) > maxForeign || egress.CheckHeaderValue(nonce) != nil {
		return false
	}
	r.nonces.put(r.nonceKey(), nonce)
	return true
}

// nonceKey names what nonces belong to: a connector's calls to one server.
type nonceKey struct{ tenant, connector, host string }

func (r *run) nonceKey() nonceKey {
	return nonceKey{r.name, r.plan.def.ID, egress.RuleFor(r.wire.URL).String()}
}

// nonces keeps the last nonce of each server.
type nonces struct {
	mu   sync.Mutex
	last map[nonceKey]string
}

// maxNonces bounds what is kept; a nonce that is dropped costs one more request.
const maxNonces = 10_000

func (n *nonces) get(key nonceKey) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last[key]
}

func (n *nonces) put(key nonceKey, nonce string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil || len(n.last) >= maxNonces {
		n.last = map[nonceKey]string{}
	}
	n.last[key] = nonce
}
