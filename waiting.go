package hub

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// kindWaiting are records of what waits for a person, one for each connector, sealed.
const kindWaiting = "auth-waiting"

// waiting is a consent that a person was asked for and has not given yet.
type waiting struct {
	ID      string    `json:"id"`
	Until   time.Time `json:"until"`
	AuthKey string    `json:"authKey"` // of the definition that asked
	// Of an authorization code.
	UserAgent  string `json:"userAgent,omitempty"` // its fingerprint
	Verifier   string `json:"verifier,omitempty"`
	Redirect   string `json:"redirect,omitempty"`
	SaysIssuer bool   `json:"saysIssuer,omitempty"`
	// Of a device.
	Device   string        `json:"device,omitempty"`
	Interval time.Duration `json:"interval,omitempty"`
	Next     time.Time     `json:"next,omitzero"` // no poll before
	// Proof is the key that the tokens will be bound to.
	Proof string `json:"proof,omitempty"`
}

// waitingBody is the record: what waits is sealed as a whole.
type waitingBody struct {
	Box []byte `json:"box"`
}

func (t *Tenant) waitingAAD(connector string) []string {
	return []string{kindWaiting, t.name, connector}
}

// changeWaiting lets f change the list of what waits for a connector, and writes it: of two
// who race, both take effect, one after the other. What is too old is not in the list.
func (t *Tenant) changeWaiting(ctx context.Context, connector string, f func([]waiting) ([]waiting, error)) error {
	for race := 1; ; race++ {
		list, before, err := t.readWaiting(ctx, connector)
		if err != nil {
			return err
		}
		now := t.opts.now()
		list = slices.DeleteFunc(list, func(w waiting) bool { return !now.Before(w.Until) })
		if list, err = f(list); err != nil {
			return err
		}
		err = t.writeWaiting(ctx, connector, list, before)
		if (errors.Is(err, Conflict) || errors.Is(err, Exists) || errors.Is(err, NotFound)) && race < maxRaces {
			continue
		}
		return err
	}
}

// readWaiting returns the list and the record's revision, zero if there is none.
func (t *Tenant) readWaiting(ctx context.Context, connector string) ([]waiting, int64, error) {
	rec, err := t.store.Get(ctx, t.key(kindWaiting, connector))
	if isNotFound(err) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, stored(err)
	}
	body, err := decodeRecord[waitingBody](rec)
	if err != nil {
		return nil, 0, err
	}
	plain, err := sealed.Open(ctx, t.keeper, body.Box, t.waitingAAD(connector)...)
	if err != nil {
		return nil, 0, kept(err)
	}
	var list []waiting
	if err := json.Unmarshal(plain, &list); err != nil {
		return nil, 0, caused(Unavailable, "a sealed record cannot be read", err)
	}
	return list, rec.Revision, nil
}

func (t *Tenant) writeWaiting(ctx context.Context, connector string, list []waiting, before int64) error {
	key := t.key(kindWaiting, connector)
	if len(list) == 0 {
		if before == 0 {
			return nil
		}
		return t.apply(ctx, storage.Delete(key, before))
	}
	plain, err := json.Marshal(list)
	if err != nil { // texts and times: cannot happen
		return caused(Unavailable, "what waits cannot be encoded", err)
	}
	box, err := sealed.Seal(ctx, t.keeper, plain, t.waitingAAD(connector)...)
	if err != nil {
		return kept(err)
	}
	data, err := encodeRecord(waitingBody{box})
	if err != nil {
		return err
	}
	now := t.opts.now().UTC()
	rec := storage.Record{Key: key, Revision: nextRevision(before, now), Updated: now, Data: data}
	if keyID, err := sealed.KeyID(box); err == nil {
		rec.Labels = []storage.Label{{Key: sealed.LabelKey, Value: keyID}}
	}
	if before == 0 {
		return t.apply(ctx, storage.Create(rec))
	}
	return t.apply(ctx, storage.Update(rec, before))
}

// wait adds what waits for a person; the oldest make room.
func (t *Tenant) wait(ctx context.Context, connector string, w waiting) error {
	return t.changeWaiting(ctx, connector, func(list []waiting) ([]waiting, error) {
		if len(list) >= maxWaiting {
			list = list[len(list)-maxWaiting+1:]
		}
		return append(list, w), nil
	})
}

// taken removes what waited under an id and returns it: nobody else gets it again. One that
// waits for another browser stays.
func (t *Tenant) taken(ctx context.Context, connector, id, userAgent string) (*waiting, error) {
	var found waiting
	err := t.changeWaiting(ctx, connector, func(list []waiting) ([]waiting, error) {
		i := slices.IndexFunc(list, func(w waiting) bool { return w.ID == id && w.UserAgent == userAgent })
		if i < 0 {
			return nil, errState()
		}
		found = list[i]
		return slices.Delete(list, i, i+1), nil
	})
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// forgetWaiting removes all that waits for a connector.
func (t *Tenant) forgetWaiting(ctx context.Context, connector string) error {
	return t.changeWaiting(ctx, connector, func([]waiting) ([]waiting, error) { return nil, nil })
}
