package hub

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

// traffics remember what the calls of each connector have shown of where they went: of as
// many connectors as Limits.Remembered says, those used last.
type traffics struct {
	mu     sync.Mutex
	recent list.List // of *traffic, the one used last in front
	all    map[gateKey]*list.Element
}

// traffic is what is remembered of one connector.
type traffic struct {
	key gateKey

	mu               sync.Mutex
	origins          []*origin // the one used last in front
	success, failure time.Time // when a call last ended so
	code             Code      // of the failure
}

// maxOrigins bounds the origins that are remembered of one connector.
const maxOrigins = 16

// origin is a scheme, host and port that calls of a connector went to.
type origin struct {
	scheme, host string
	circuit      *circuit // nil: there are none

	mu    sync.Mutex
	told  toldLimit // the last that an answer said
	until time.Time // when calls may go on, after an answer that said so
}

// of returns what is remembered of a connector.
func (ts *traffics) of(key gateKey, most int) *traffic {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if el := ts.all[key]; el != nil {
		ts.recent.MoveToFront(el)
		return el.Value.(*traffic)
	}
	if ts.all == nil {
		ts.all = map[gateKey]*list.Element{}
	}
	for ts.recent.Len() > 0 && ts.recent.Len() >= most {
		oldest := ts.recent.Remove(ts.recent.Back()).(*traffic)
		delete(ts.all, oldest.key)
	}
	t := &traffic{key: key}
	ts.all[key] = ts.recent.PushFront(t)
	return t
}

// peek returns what is remembered of a connector, nil if nothing is.
func (ts *traffics) peek(key gateKey) *traffic {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if el := ts.all[key]; el != nil {
		return el.Value.(*traffic)
	}
	return nil
}

// origin returns what is remembered of an origin.
func (t *traffic) origin(scheme, host string, breaker *Breaker) *origin {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, o := range t.origins {
		if o.host == host && o.scheme == scheme {
			if i > 0 {
				copy(t.origins[1:], t.origins[:i])
				t.origins[0] = o
			}
			return o
		}
	}
	o := &origin{scheme: scheme, host: host, circuit: newCircuit(breaker)}
	t.origins = slices.Insert(t.origins[:min(len(t.origins), maxOrigins-1)], 0, o)
	return o
}

// note remembers how a call ended.
func (t *traffic) note(code Code, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if code == "" {
		t.success = now
		return
	}
	t.failure, t.code = now, code
}
