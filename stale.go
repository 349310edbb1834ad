package hub

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/http"
	"sync"
	"time"
)

// staleAnswers keeps successful answers, those used last, within a bound in bytes. Of the calls
// that they answer it keeps a keyed digest alone.
type staleAnswers struct {
	most int64
	key  []byte // of this process

	mu      sync.Mutex                 // guards what follows
	entries map[staleKey]*list.Element // :: digest → *staleAnswer
	order   list.List                  // used last first
	bytes   int64
}

// staleKey is a digest of a call: definition, secrets and rendered bytes.
type staleKey [sha256.Size]byte

type staleAnswer struct {
	key    staleKey
	owner  gateKey // the connector
	at     time.Time
	life   time.Duration
	status int
	header http.Header
	body   []byte
}

func newStaleAnswers(most int64) *staleAnswers {
	s := &staleAnswers{most: most, key: make([]byte, sha256.Size), entries: map[staleKey]*list.Element{}}
	_, _ = rand.Read(s.key) // never fails
	return s
}

// age is how long ago the answer came; a clock that was set back does not make it negative.
func (a *staleAnswer) age(now time.Time) time.Duration { return max(0, now.Sub(a.at)) }

// size estimates the memory of an answer.
func (a *staleAnswer) size() int64 {
	size := 512 + int64(len(a.body))
	for name, values := range a.header {
		size += int64(len(name)) + 64
		for _, v := range values {
			size += int64(len(v)) + 16
		}
	}
	return size
}

// put keeps an answer in place of the one before. One that would take half of the room is not
// kept.
func (s *staleAnswers) put(key staleKey, a *staleAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.entries[key])
	a.key = key
	if a.size() > s.most/2 {
		return
	}
	s.entries[key] = s.order.PushFront(a)
	s.bytes += a.size()
	for last := s.order.Back(); last != nil; last = s.order.Back() {
		if old := last.Value.(*staleAnswer); s.bytes <= s.most && old.age(a.at) <= old.life {
			break
		}
		s.drop(last)
	}
}

// get returns an answer that is not too old, nil if there is none.
func (s *staleAnswers) get(key staleKey, now time.Time) *staleAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	if e == nil {
		return nil
	}
	a := e.Value.(*staleAnswer)
	if a.age(now) > a.life {
		s.drop(e)
		return nil
	}
	s.order.MoveToFront(e)
	return a
}

// forget drops the answers of a connector.
func (s *staleAnswers) forget(owner gateKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.Value.(*staleAnswer).owner == owner {
			s.drop(e)
		}
	}
}

// drop removes an entry, if there is one; s.mu is held.
func (s *staleAnswers) drop(e *list.Element) {
	if e == nil {
		return
	}
	a := s.order.Remove(e).(*staleAnswer)
	delete(s.entries, a.key)
	s.bytes -= a.size()
}

// staleKey is the digest of the call as it is rendered; ok is false if no answer is kept for it.
func (r *run) staleKey() (key staleKey, ok bool) {
	if r.rendered == nil {
		return key, false
	}
	return *r.rendered, true
}

// digest notes the rendered call, before anything is added that is made for it alone.
func (r *run) digest() {
	if !r.substitutes || r.req.def.Fallback == nil || r.req.def.Fallback.StaleFor <= 0 || !r.req.mayRepeatAnswer(r.wire.Method) {
		return
	}
	h := hmac.New(sha256.New, r.answers.key)
	number(h, r.plan.revision)
	for _, text := range []string{r.name, r.plan.def.ID, string(r.plan.version), r.req.def.ID, r.wire.Method, r.wire.URL.String()} {
		part(h, text)
	}
	for _, secret := range r.plan.known() { // one that is kept elsewhere may change under its generation
		part(h, secret.Name)
		part(h, secret.Value)
	}
	for _, name := range sortedKeys(r.wire.Header) {
		part(h, name)
		number(h, int64(len(r.wire.Header[name])))
		for _, v := range r.wire.Header[name] {
			part(h, v)
		}
	}
	number(h, int64(len(r.wire.Body)))
	h.Write(r.wire.Body)
	r.rendered = (*staleKey)(h.Sum(nil))
}

// part and number write what cannot be taken for anything else.
func part(h hash.Hash, text string) {
	number(h, int64(len(text)))
	h.Write([]byte(text))
}

func number(h hash.Hash, n int64) { h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) }
