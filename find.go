package hub

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/integrationhub/hub/storage"
)

// planKey is what a caller asks by.
type planKey struct{ tenant, name string }

// planCache keeps compiled connectors, those used last, within a bound in bytes.
type planCache struct {
	core *core
	most int64

	mu      sync.Mutex                // guards what follows
	entries map[planKey]*list.Element // :: key → *planEntry
	byID    map[planKey][]planKey     // :: tenant and id of a connector → the keys of its entries
	order   list.List                 // used last first
	bytes   int64
	uses    map[*portion]int // :: part of plans → the entries whose plans have it; each counts once
	at      moment
	watched bool // the store tells of changes; does not change

	flight singleflight.Group // one revision check at a time for each key
}

// moment tells what happened while the store was read.
type moment struct {
	forgets int64 // moves when plans are forgotten: what was read before is not kept
	hints   int64 // moves when the store tells of a change: what was read before is checked again
}

// flight is the key's name among the checks under way.
func (k planKey) flight() string { return k.tenant + "\x00" + k.name }

type planEntry struct {
	key      planKey
	plan     *connectorPlan
	template string    // its id
	limit    int64     // revision of the template's restriction
	checked  time.Time // when the store was last asked, and answered
	asked    time.Time // when it was last asked; zero if it must be
	ahead    bool      // it is being asked before it must be
	failing  bool      // the store did not answer when it was asked
	at       moment    // when the asking began
}

func newPlanCache(c *core) *planCache {
	return &planCache{core: c, most: c.limits.PlanBytes, entries: map[planKey]*list.Element{}, byID: map[planKey][]planKey{}, uses: map[*portion]int{}}
}

const (
	// loadTimeout bounds one look at the store for a plan, whoever waits for it.
	loadTimeout = 5 * time.Second
	// longestPatience bounds how long a call that has a plan waits to hear that it still holds: a
	// store that hangs must not take the time of a live call.
	longestPatience = time.Second
	// shortPatience leaves a store that has recovered time to say so.
	shortPatience = 50 * time.Millisecond
)

// patience is longestPatience, or a quarter of the time that the shortest call of the plan has;
// shortPatience for a store that did not answer the last time.
func (e *planEntry) patience() time.Duration {
	least := longestPatience
	if e.failing {
		least = shortPatience
	}
	for _, r := range e.plan.requests {
		least = min(least, r.timeout/4)
	}
	return least
}

// find returns the compiled connector of a name: from the cache while it is fresh; after one
// revision check, shared by all who ask, when it is not; and from the cache again, up to the
// staleness bound, while the store does not answer, unless it has told before that the
// connector is another. Where the store tells of changes, a plan in use is checked before its
// time, and no call waits for that. now is what the clock says; the time returned is when the
// plan was found.
func (t *Tenant) find(ctx context.Context, name string, now time.Time) (*connectorPlan, time.Time, error) {
	key := planKey{t.name, name}
	cached, fresh := t.plans.lookup(key, now)
	if fresh {
		if t.plans.due(key, now) {
			t.check(key, cached)
		}
		return cached.plan, now, nil
	}
	plan, err := t.findStale(ctx, key, cached)
	return plan, t.opts.now(), err
}

// findStale is find for a plan that is not fresh, or not there.
func (t *Tenant) findStale(ctx context.Context, key planKey, cached planEntry) (*connectorPlan, error) {
	plan, err := t.refresh(ctx, key, cached)
	if err == nil || !errors.Is(err, Unavailable) || cached.plan == nil {
		return plan, err
	}
	now := t.opts.now() // asking may have taken its time
	if !t.plans.failed(key, now) {
		return nil, err
	}
	if age := now.Sub(cached.checked); age > t.limits.Staleness {
		e := caused(Unavailable, "the store has not answered for "+age.Round(time.Second).String()+", longer than the staleness bound", err)
		e.Retryable = true
		return nil, e
	}
	return cached.plan, nil
}

// refresh asks the store, once for all callers that ask meanwhile. A caller that gives up
// does not disturb the others.
func (t *Tenant) refresh(ctx context.Context, key planKey, cached planEntry) (*connectorPlan, error) {
	var slow <-chan time.Time
	if cached.plan != nil {
		timer := time.NewTimer(cached.patience())
		defer timer.Stop()
		slow = timer.C
	}
	select {
	case r := <-t.check(key, cached):
		plan, _ := r.Val.(*connectorPlan)
		return plan, own(r.Err)
	case <-slow:
		return nil, failure(Unavailable, "the store does not answer")
	case <-ctx.Done():
		return nil, t.ended(ctx)
	case <-t.life.ctx.Done(): // whatever the store does
		return nil, failure(Closed, "the hub has been closed")
	}
}

// check begins to ask the store, unless somebody does already.
func (t *Tenant) check(key planKey, cached planEntry) <-chan singleflight.Result {
	return t.plans.flight.DoChan(key.flight(), func() (any, error) {
		ctx, cancel := context.WithTimeout(t.life.ctx, loadTimeout)
		defer cancel()
		plan, err := t.revalidate(ctx, key, cached)
		if t.life.ctx.Err() != nil { // whatever was being read is cut off
			return nil, failure(Closed, "the hub has been closed")
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = caused(Unavailable, "the store does not answer", nil)
		}
		return plan, err
	})
}

// revalidate reads the connector's record and the template's restriction, and compiles anew
// only what changed.
func (t *Tenant) revalidate(ctx context.Context, key planKey, cached planEntry) (*connectorPlan, error) {
	at, now := t.plans.now(), t.opts.now()
	rec, err := t.lookUp(ctx, key.name, cached.plan)
	if err != nil {
		if errors.Is(err, NotFound) && cached.plan != nil {
			t.plans.forget(key.tenant, key.name)
		}
		return nil, err
	}
	if cached.plan != nil && cached.plan.revision != rec.Revision {
		t.plans.outdated(key, rec.Revision) // whatever comes of the new one
	}
	template := templateOf(rec)
	limit, err := t.restriction(ctx, template)
	if err != nil {
		return nil, err
	}
	plan := cached.plan
	if plan == nil || plan.spent(now) || plan.revision != rec.Revision || cached.limit != limit.revision {
		if plan, err = t.loadWhole(ctx, rec, limit); err != nil {
			return nil, err
		}
	}
	t.plans.keep(planEntry{key: key, plan: plan, template: template, limit: limit.revision, checked: now, asked: now}, at)
	return plan, nil
}

// loadWhole is load, and once more if a secret was set anew while the plan was made: its
// value of before is gone then.
func (t *Tenant) loadWhole(ctx context.Context, rec storage.Record, limit restriction) (*connectorPlan, error) {
	plan, err := t.load(ctx, rec, limit)
	if err != nil || !plan.stale {
		return plan, err
	}
	again, err := t.store.Get(ctx, rec.Key)
	if err != nil || again.Revision == rec.Revision {
		return plan, nil
	}
	return t.load(ctx, again, limit)
}

// lookUp reads the record of a connector by its name, or else its id: by the id that the
// name had last time, if it still has it.
func (t *Tenant) lookUp(ctx context.Context, name string, last *connectorPlan) (storage.Record, error) {
	if last != nil {
		rec, err := t.store.Get(ctx, t.key(kindConnector, last.def.ID))
		if err == nil && (rec.Name == name || rec.ID == name) {
			return rec, nil
		}
		if err != nil && !isNotFound(err) {
			return rec, stored(err)
		}
	}
	rec, err := t.findRecord(ctx, t.name, kindConnector, name, "connector "+quote(name))
	if errors.Is(err, NotFound) {
		return t.connectorByID(ctx, name)
	}
	return rec, err
}

func templateOf(rec storage.Record) string {
	for _, l := range rec.Labels {
		if l.Key == labelTemplate {
			return l.Value
		}
	}
	return ""
}

func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }

// lookup returns the entry of a key, and whether it may be used without asking the store.
func (c *planCache) lookup(key planKey, now time.Time) (planEntry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return planEntry{}, false
	}
	c.order.MoveToFront(e)
	entry := e.Value.(*planEntry)
	limits := &c.core.limits
	recent := now.Sub(entry.asked) < limits.Freshness && now.Sub(entry.checked) < limits.Staleness
	return *entry, recent
}

// due reports, once, whether a fresh plan should be checked ahead of its time: after half of
// it, if the store tells of changes. A store that does not is asked when it must be.
func (c *planCache) due(key planKey, now time.Time) bool {
	if !c.watched {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return false
	}
	entry := e.Value.(*planEntry)
	due := !entry.ahead && now.Sub(entry.asked) >= c.core.limits.Freshness/2
	entry.ahead = entry.ahead || due
	return due
}

// now returns the cache's moment.
func (c *planCache) now() moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// keep stores an entry, unless something was forgotten since at.
func (c *planCache) keep(entry planEntry, at moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.forgets != c.at.forgets {
		return
	}
	if at.hints != c.at.hints {
		if e, ok := c.entries[entry.key]; ok && e.Value.(*planEntry).at.hints > at.hints {
			return // a later check was quicker
		}
		entry.asked = time.Time{}
	}
	entry.at = at
	c.drop(entry.key)
	c.entries[entry.key] = c.order.PushFront(&entry)
	id := entry.id()
	c.byID[id] = append(c.byID[id], entry.key)
	c.take(entry.plan)
	for c.bytes > c.most && c.order.Len() > 1 {
		c.drop(c.order.Back().Value.(*planEntry).key)
	}
}

// id is where the entry stands in byID.
func (e *planEntry) id() planKey { return planKey{e.key.tenant, e.plan.def.ID} }

// failed notes that the store did not answer: the plan serves on for a freshness bound
// before anybody waits for the store again. It reports false if the plan was forgotten.
func (c *planCache) failed(key planKey, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if ok {
		entry := e.Value.(*planEntry)
		entry.asked, entry.failing = now, true
	}
	return ok
}

// edited tells of an edit of a connector, by its names and id. One that the store did not
// confirm stops no calls: what is compiled serves on until the store answers.
func (c *planCache) edited(err error, tenant string, names ...string) {
	if !errors.Is(err, Unavailable) {
		c.forget(tenant, names...)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var known []planKey
	for _, name := range names {
		if key := (planKey{tenant, name}); c.entries[key] != nil {
			known = append(known, key)
		}
	}
	c.doubt(known)
}

// forget drops a connector, by its name or id, after its definition changed.
func (c *planCache) forget(tenant string, names ...string) {
	c.mu.Lock()
	c.at.forgets++
	for _, name := range names {
		c.drop(planKey{tenant, name})
	}
	c.mu.Unlock()
	for _, name := range names {
		c.flight.Forget(planKey{tenant, name}.flight())
	}
}

// outdated drops the plan of a connector whose record was seen with this revision, unless it
// is that record's.
func (c *planCache) outdated(key planKey, revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok && e.Value.(*planEntry).plan.revision != revision {
		c.drop(key)
	}
}

// forgetTemplate drops the connectors of a template, of whatever tenant, after its hosts were
// restricted.
func (c *planCache) forgetTemplate(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at.forgets++
	for key, e := range c.entries {
		if e.Value.(*planEntry).template == id {
			c.drop(key)
			c.flight.Forget(key.tenant + "\x00" + key.name)
		}
	}
}

// drop removes an entry; c.mu is held.
func (c *planCache) drop(key planKey) {
	e, ok := c.entries[key]
	if !ok {
		return
	}
	entry := e.Value.(*planEntry)
	delete(c.entries, key)
	c.order.Remove(e)
	c.release(entry.plan)
	rest := slices.DeleteFunc(c.byID[entry.id()], func(k planKey) bool { return k == key })
	if c.byID[entry.id()] = rest; len(rest) == 0 {
		delete(c.byID, entry.id())
	}
}
