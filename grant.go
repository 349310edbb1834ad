package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/internal/token"
)

// grant is a token.Grant with what calls need of it. It does not change.
type grant struct {
	*token.Grant
	reach    []egress.Rules
	broken   bool            // its hosts cannot be read: it goes nowhere
	bearer   []string        // the token as the value of a header, shared by calls
	scrubber *scrub.Scrubber // finds its tokens
}

// grantOf returns what deriveGrant made.
func grantOf(g *token.Grant) *grant { return g.Derived.(*grant) }

// deriveGrant is done once for each grant that comes into memory, before anybody else sees it.
func deriveGrant(g *token.Grant) any {
	if g.Derived != nil {
		return g.Derived
	}
	d := &grant{Grant: g, scrubber: scrub.New(grantSecrets(g)), bearer: []string{"Bearer " + g.Access}}
	g.Access = d.bearer[0][len("Bearer "):] // one copy serves both
	for _, hosts := range g.Reach {
		rules, err := egress.ParseRules(hosts...)
		d.broken = d.broken || err != nil
		d.reach = append(d.reach, rules)
	}
	return d
}

// grantSecrets lists what must not be shown of a grant.
func grantSecrets(g *token.Grant) []scrub.Secret {
	list := []scrub.Secret{{Name: "@auth.access_token", Value: g.Access}}
	if g.Refresh != "" {
		list = append(list, scrub.Secret{Name: "@auth.refresh_token", Value: g.Refresh})
	}
	for _, name := range sortedKeys(g.Extra) {
		list = append(list, scrub.Secret{Name: "@auth." + name, Value: g.Extra[name]})
	}
	return append(list, tokensOf(g.Answer)...)
}

// allows reports whether the token may go to a URL.
func (g *grant) allows(u *url.URL) bool {
	for _, rules := range g.reach {
		if !rules.AllowsURL(u) {
			return false
		}
	}
	return !g.broken
}

// tokensIn lists the tokens of an authentication answer, however deep they lie. Some
// endpoints answer with a form instead of JSON: it shows no token either.
func tokensIn(res *Result) []scrub.Secret {
	if res.json {
		return tokensOf(res.Body)
	}
	var list []scrub.Secret
	form, _ := url.ParseQuery(string(trimSpace(res.Body))) // what cannot be read is left out
	for name, values := range form {
		for _, value := range values {
			if isToken(name) {
				list = append(list, scrub.Secret{Name: "@auth." + name, Value: value})
			}
		}
	}
	return list
}

// tokensOf lists the tokens of an answer that is JSON of a depth that may be read.
func tokensOf(answer []byte) []scrub.Secret {
	var list []scrub.Secret
	eachText(gjson.ParseBytes(answer), "", func(name, value string) {
		if isToken(name) {
			list = append(list, scrub.Secret{Name: "@auth." + name, Value: strings.Clone(value)})
		}
	})
	return list
}

// eachText calls f for every string of a document, with the name of the member that holds it
// or the list that it stands in.
func eachText(v gjson.Result, name string, f func(name, value string)) {
	switch {
	case v.Type == gjson.String:
		f(name, v.Str)
	case v.IsObject():
		v.ForEach(func(member, value gjson.Result) bool { eachText(value, member.Str, f); return true })
	case v.IsArray():
		v.ForEach(func(_, value gjson.Result) bool { eachText(value, name, f); return true })
	}
}

// ownSecrets are known to one call alone.
type ownSecrets struct {
	made  []scrub.Secret    // credentials made for it: signatures, proofs
	finds *scrub.Scrubber   // finds them; nil until it is asked
	worn  []*scrub.Scrubber // find the tokens that it had before
}

// sends notes a credential that was made for this call, as it is sent: whoever echoes it
// shows nothing.
func (r *run) sends(name, value string) {
	own := r.secrets()
	own.made, own.finds = append(own.made, scrub.Secret{Name: name, Value: value}), nil
}

// giveUpGrant makes the call fetch another token. The one it had stays known as secret.
func (r *run) giveUpGrant() {
	own := r.secrets()
	own.worn, r.grant = append(own.worn, r.grant.scrubber), nil
}

func (r *run) secrets() *ownSecrets {
	if r.own == nil {
		r.own = new(ownSecrets)
	}
	return r.own
}

// finder finds the credentials that were made for the call, nil if none were.
func (o *ownSecrets) finder() *scrub.Scrubber {
	if o.finds == nil && len(o.made) > 0 {
		o.finds = scrub.New(o.made)
	}
	return o.finds
}

// scrubbers mask what is known as secret. A few need no memory.
func (r *run) scrubbers() scrub.Set { return r.appendScrubbers(make(scrub.Set, 0, 4)) }

func (r *run) appendScrubbers(list scrub.Set) scrub.Set {
	list = append(list, r.plan.scrubber)
	if r.own != nil {
		list = append(list, r.own.finder())
	}
	if r.shows {
		return list
	}
	list = append(list, r.tokens)
	if r.own != nil {
		list = append(list, r.own.worn...)
	}
	if r.grant != nil {
		list = append(list, r.grant.scrubber)
	}
	return list
}

// authKey is a digest of all that a token depends on: another request, variable or secret
// means another token.
func authKey(rec *connectorRecord) string {
	con := &rec.Connector
	data, err := json.Marshal(struct {
		Auth      Auth
		Hosts     []string
		Variables map[string]string
		TLS       *TLS
	}{con.Auth, con.Hosts, con.Variables, con.TLS})
	if err != nil { // decoded from JSON: cannot happen
		return ""
	}
	h := sha256.New()
	h.Write(data)
	for _, name := range sortedKeys(rec.Secrets) {
		fmt.Fprintf(h, "\n%s %d", name, rec.Secrets[name].Generation)
	}
	return hex.EncodeToString(h.Sum(nil))
}
