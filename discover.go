package hub

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/integrationhub/hub/internal/oauth"
	"github.com/integrationhub/hub/internal/render"
)

// metadataLife is how long a server's metadata is used without asking again.
const metadataLife = time.Hour

// metadataKey names metadata: what one connector was told of one issuer.
type metadataKey struct{ tenant, connector, issuer string }

type metadataEntry struct {
	metadata *oauth.Metadata
	read     time.Time
}

// discoveries keeps the metadata of servers.
type discoveries struct {
	mu   sync.Mutex
	last map[metadataKey]metadataEntry
}

// maxDiscoveries bounds what is kept; metadata that is dropped is read again.
const maxDiscoveries = 10_000

func (d *discoveries) get(key metadataKey, now time.Time) *oauth.Metadata {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e, ok := d.last[key]; ok && now.Sub(e.read) < metadataLife {
		return e.metadata
	}
	return nil
}

func (d *discoveries) put(key metadataKey, m *oauth.Metadata, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil || len(d.last) >= maxDiscoveries {
		d.last = map[metadataKey]metadataEntry{}
	}
	d.last[key] = metadataEntry{m, now}
}

// metadata returns what the issuer says of itself, read down the road of every call: OpenID
// Connect's place first, then that of RFC 8414.
func (r *run) metadata(ctx context.Context) (*oauth.Metadata, error) {
	issuer := r.plan.def.Auth.OAuth.Issuer
	key := metadataKey{r.name, r.plan.def.ID, issuer}
	if m := r.discoveries.get(key, r.opts.now()); m != nil {
		return m, nil
	}
	var first error
	for place := range 2 {
		m, err := r.discover(ctx, issuer, place)
		if err == nil {
			r.discoveries.put(key, m, r.opts.now())
			return m, nil
		}
		if first == nil || errors.Is(first, Rejected) {
			first = err
		}
	}
	return nil, first
}

// discover reads the metadata from one of its places.
func (r *run) discover(ctx context.Context, issuer string, place int) (_ *oauth.Metadata, err error) {
	d := &run{Tenant: r.Tenant, op: "Discover", plan: r.plan, req: r.plan.scheme.discovery, begun: r.opts.now()}
	ctx = d.trace(ctx)
	var res *Result
	defer func() {
		res, err = ended(res, err)
		err = d.report(ctx, res, err)
	}()
	if err := d.render(ctx); err != nil {
		return nil, err
	}
	d.wire = &render.Request{Method: http.MethodGet, URL: oauth.Places(d.wire.URL)[place], Header: d.wire.Header}
	d.wire.Header.Set("Accept", "application/json")
	if err := d.guard(); err != nil {
		return nil, err
	}
	d.send(ctx)
	if res, err = d.judge(); err != nil {
		return nil, err
	}
	if !res.json {
		return nil, d.explained(failure(BadAnswer, oauth.ErrMetadata.Error()))
	}
	m, err := oauth.ReadMetadata(res.Body, issuer)
	if err != nil {
		return nil, d.explained(failure(Unauthorized, err.Error()))
	}
	return m, nil
}
