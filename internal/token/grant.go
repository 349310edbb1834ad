package token

import (
	"encoding/json"
	"time"
)

// Key names a grant: whose it is, and what it is made with. Every other AuthKey means that
// another grant is needed.
type Key struct {
	Tenant    string
	Connector string // the connector's id
	AuthKey   string // a digest of the definition and the generations of the secrets
}

// Grant is what an authentication yielded. A grant that the manager returned is shared by
// all callers: it must not be changed.
type Grant struct {
	Kind      string `json:"kind,omitempty"`
	AuthKey   string `json:"authKey"` // set by the manager
	Access    string `json:"access"`
	TokenType string `json:"tokenType,omitempty"`
	// Refresh is the refresh token to use next; empty if there is none.
	Refresh string `json:"refresh,omitempty"`
	// Obtained is when the request was sent that was answered: life begins no later.
	Obtained time.Time `json:"obtained"`
	// Expires is the end of the life that the answer told. Zero, or not after Obtained: it
	// told none, and DefaultLife is assumed; beyond LongestLife that goes.
	Expires time.Time `json:"expires"`
	// Answer is the whole answer, for references to its values.
	Answer json.RawMessage `json:"answer,omitempty"`
	// Reach lists host rules, every list of which must allow a host that the token goes to.
	Reach [][]string `json:"reach,omitempty"`
	// Extra is what else the kind needs: a session's cookie, the key of a proof.
	Extra map[string]string `json:"extra,omitempty"`
	// Generation grows with each grant of a connector. Set by the manager.
	Generation int64 `json:"generation"`

	// Detail is for those who wait for this fetch in this process; it is neither stored nor
	// held for others.
	Detail any `json:"-"`
	// Derived is what Options.Derive made of the grant; it is not stored.
	Derived any `json:"-"`
}

// Lives of tokens.
const (
	// DefaultLife is assumed where an answer does not say: a token that ends earlier is
	// renewed when it is refused.
	DefaultLife = 10 * time.Minute
	// LongestLife is the most that is believed.
	LongestLife = 30 * 24 * time.Hour
)

// complete fills in what the source left open. A life that is over before it began is no
// news of the token's end: servers that write zero mean that there is none.
func (g *Grant) complete(authKey string, generation int64, asked time.Time) {
	g.AuthKey, g.Generation = authKey, generation
	if g.Obtained.IsZero() {
		g.Obtained = asked
	}
	if !g.Expires.After(g.Obtained) {
		g.Expires = g.Obtained.Add(DefaultLife)
	}
	if latest := g.Obtained.Add(LongestLife); g.Expires.After(latest) {
		g.Expires = latest
	}
}

// life is how long the grant lives from when it was obtained.
func (g *Grant) life() time.Duration { return g.Expires.Sub(g.Obtained) }

// held is a grant in memory, with its times by this process's clock.
type held struct {
	grant *Grant
	until time.Time // used no longer
	renew time.Time // renewed in the background from here on
}

// Margins, each also bounded by a part of the life.
const (
	lastMargin = 30 * time.Second // before the end, at most a tenth of the life: not used any more
	renewLead  = 5 * time.Minute  // before the end, at most a quarter of the life: renewed
)

// hold computes the times of a grant that ends at expires. Instances renew at times that
// differ by chance, so that one of them is done before the others begin.
func (m *Manager) hold(g *Grant, expires time.Time) *held {
	if g.Derived == nil {
		g.Derived = m.opts.Derive(g)
	}
	life := g.life()
	lead := min(renewLead, life/4)
	early := lead - time.Duration(m.rand(int64(lead/2)+1))
	return &held{grant: g, until: expires.Add(-min(lastMargin, life/10)), renew: expires.Add(-early)}
}

func (h *held) usable(authKey string, now time.Time) bool {
	return h != nil && h.grant.AuthKey == authKey && now.Before(h.until)
}

func (h *held) generation() int64 {
	if h == nil {
		return 0
	}
	return h.grant.Generation
}
