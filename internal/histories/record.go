package histories

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/integrationhub/hub/storage"
)

const (
	clients   = 5
	questions = 14 // of each client

	// mostFailed is how many calls of a history may fail as a store may that is too busy.
	mostFailed = 2
)

// Setting is where a history takes place.
type Setting struct {
	// Stores are what the clients are spread over. Several must hold the same records.
	Stores []storage.Store
	// Remote is set where the stores reach their records over a network: what was
	// interrupted may then take place after the call has returned.
	Remote bool
}

// Check lets clients ask at once, and fails if no order explains their answers. The records
// are those of a tenant that nobody else may use. What is asked is decided by seed; what
// happens is not.
func (s Setting) Check(ctx context.Context, tenant string, seed uint64) error {
	operations, err := record(ctx, tenant, seed, s.Stores)
	if err != nil {
		return err
	}
	if s.Remote {
		letFinish(operations)
	}
	switch porcupine.CheckOperationsTimeout(model(), operations, time.Minute) {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return fmt.Errorf("seed %d: no order explains %d answers:\n%s", seed, len(operations), describe(operations))
	default:
		return fmt.Errorf("seed %d: no order was found in a minute", seed)
	}
}

// letFinish gives what was interrupted all the time there is.
func letFinish(operations []porcupine.Operation) {
	for i, op := range operations {
		if op.Output.(answer).verdict == unknown {
			operations[i].Return = math.MaxInt64
		}
	}
}

// client asks one question after the other.
type client struct {
	id     int
	tenant string
	store  storage.Store
	random *rand.Rand
	start  time.Time
	known  state // what it saw last
	marks  int
	failed []error // what stores could not do

	operations []porcupine.Operation
}

func record(ctx context.Context, tenant string, seed uint64, stores []storage.Store) ([]porcupine.Operation, error) {
	var all []*client
	var running sync.WaitGroup
	failures := make([]error, clients)
	start := time.Now()
	for i := range clients {
		c := &client{
			id: i, tenant: tenant, store: stores[i%len(stores)],
			random: rand.New(rand.NewPCG(seed, uint64(i))), start: start,
		}
		all = append(all, c)
		running.Go(func() { failures[i] = c.run(ctx) })
	}
	running.Wait()
	var operations []porcupine.Operation
	var failed []error
	for _, c := range all {
		operations = append(operations, c.operations...)
		failed = append(failed, c.failed...)
	}
	if len(failed) > mostFailed {
		failures = append(failures, failed...)
	}
	return operations, errors.Join(failures...)
}

func (c *client) run(ctx context.Context) error {
	for range questions {
		q := c.question()
		called := time.Since(c.start)
		a, err := c.ask(ctx, q)
		if err != nil {
			return err
		}
		c.operations = append(c.operations, porcupine.Operation{
			ClientId: c.id, Input: q, Call: int64(called), Output: a, Return: int64(time.Since(c.start)),
		})
		c.learn(q, a)
	}
	return nil
}

func (c *client) question() question {
	switch n := c.random.IntN(10); {
	case n < 2:
		return question{action: get, key: c.random.IntN(keys)}
	case n < 4:
		return question{action: list}
	}
	q := question{action: apply}
	order := c.random.Perm(keys)
	for _, key := range order[:1+c.random.IntN(2)] {
		q.changes = append(q.changes, c.change(key))
	}
	return q
}

// change goes by what the client knows, which may be old.
func (c *client) change(key int) change {
	c.marks++
	after := cell{name: c.random.IntN(names + 1), mark: c.id*1000 + c.marks}
	known := c.known[key].revision
	switch {
	case known == 0:
		after.revision = 1 + c.random.Int64N(2)
		return change{storage.ActionCreate, key, 0, after}
	case c.random.IntN(4) == 0:
		return change{action: storage.ActionDelete, key: key, expect: known}
	default:
		after.revision = known + 1 + c.random.Int64N(2)
		return change{storage.ActionUpdate, key, known, after}
	}
}

// ask asks the store. Some applies are interrupted.
func (c *client) ask(ctx context.Context, q question) (answer, error) {
	if q.action == apply && c.random.IntN(8) == 0 {
		cut, cancel := context.WithTimeout(ctx, time.Duration(c.random.IntN(2000))*time.Microsecond)
		defer cancel()
		ctx = cut
	}
	switch q.action {
	case get:
		r, err := c.store.Get(ctx, c.key(q.key))
		a := c.told(err)
		if a.verdict == done {
			a.seen[q.key] = cellOf(r)
		}
		return a, nil
	case list:
		return c.list(ctx)
	}
	var changes []storage.Change
	for _, change := range q.changes {
		changes = append(changes, c.stored(change))
	}
	return c.told(c.store.Apply(ctx, changes...)), nil
}

func (c *client) list(ctx context.Context) (answer, error) {
	page, err := c.store.List(ctx, storage.Query{Tenant: c.tenant, Kind: kind})
	a := c.told(err)
	for _, r := range page.Records {
		key, keyErr := strconv.Atoi(r.ID)
		if keyErr != nil || key >= keys {
			return a, fmt.Errorf("the store lists %s, which nobody has written", r.Key)
		}
		a.seen[key] = cellOf(r)
	}
	return a, nil
}

// learn keeps what an answer shows.
func (c *client) learn(q question, a answer) {
	switch {
	case q.action == list && a.verdict == done:
		c.known = a.seen
	case q.action == get:
		c.known[q.key] = a.seen[q.key]
	case a.verdict == done:
		for _, change := range q.changes {
			c.known[change.key] = change.after
		}
	case a.verdict == exists || a.verdict == missing:
		key := q.changes[a.index].key
		c.known[key].revision = (c.known[key].revision + 1) % 2
	}
}

const kind = "cell"

func (c *client) key(key int) storage.Key {
	return storage.Key{Tenant: c.tenant, Kind: kind, ID: strconv.Itoa(key)}
}

func (c *client) stored(ch change) storage.Change {
	r := storage.Record{Key: c.key(ch.key), Revision: ch.after.revision, Data: []byte(strconv.Itoa(ch.after.mark))}
	if ch.after.name > 0 {
		r.Name = strconv.Itoa(ch.after.name)
	}
	return storage.Change{Action: ch.action, Record: r, Expect: ch.expect}
}

// cellOf reads what stored wrote; what cannot be read is no answer that the model gives.
func cellOf(r storage.Record) cell {
	mark, _ := strconv.Atoi(string(r.Data))
	name, _ := strconv.Atoi(r.Name)
	return cell{revision: r.Revision, name: name, mark: mark}
}

// told returns the answer that an error is.
func (c *client) told(err error) answer {
	a := answer{verdict: unknown}
	switch {
	case err == nil:
		a.verdict = done
	case errors.Is(err, storage.ErrNotFound):
		a.verdict = missing
	case errors.Is(err, storage.ErrConflict):
		a.verdict = conflict
	case errors.Is(err, storage.ErrExists):
		a.verdict = exists
	case !errors.Is(err, context.DeadlineExceeded):
		c.failed = append(c.failed, err)
	}
	if failed, ok := errors.AsType[*storage.ChangeError](err); ok && a.verdict != unknown {
		a.index = failed.Index
	}
	return a
}

func describe(operations []porcupine.Operation) (text string) {
	for _, op := range operations {
		text += fmt.Sprintf("%9d-%9d client %d: %+v: %+v\n", op.Call, op.Return, op.ClientId, op.Input, op.Output)
	}
	return text
}
