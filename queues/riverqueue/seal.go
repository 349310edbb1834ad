package riverqueue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/integrationhub/hub/secrets/sealed"
)

// What is sealed of a call; each is bound to the call and to what it is.
const (
	asPayload = "payload"
	asAnswer  = "answer"
)

// request is the sealed part of a call that was enqueued.
type request struct {
	Payload        json.RawMessage `json:"payload,omitempty"`
	IdempotencyKey string          `json:"idempotencyKey"`
}

// ending is the sealed part of how it ended.
type ending struct {
	Answer  *Answer  `json:"answer,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// box is something sealed, and the id of the key that opens it.
type box struct {
	data  []byte
	keyID string
}

func aad(tenant, key, what string) []string { return []string{"riverqueue", tenant, key, what} }

func (q *Queue) seal(ctx context.Context, tenant, key, what string, v any) (box, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return box{}, fmt.Errorf("riverqueue: encode the %s of a call: %w", what, err)
	}
	data, err := sealed.Seal(ctx, q.keeper, text, aad(tenant, key, what)...)
	if err != nil {
		return box{}, fmt.Errorf("riverqueue: seal the %s of a call: %w", what, err)
	}
	id, err := sealed.KeyID(data)
	return box{data, id}, err
}

func (q *Queue) open(ctx context.Context, tenant, key, what string, data []byte, into any) error {
	text, err := sealed.Open(ctx, q.keeper, data, aad(tenant, key, what)...)
	if err != nil {
		return fmt.Errorf("riverqueue: open the %s of a call: %w", what, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // outputs keep their digits
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("riverqueue: decode the %s of a call: %w", what, err)
	}
	return nil
}

// Sealed reports whether something in the queue needs the keeper's key of this id, so that
// the key must not be destroyed.
func (q *Queue) Sealed(ctx context.Context, keyID string) (needed bool, err error) {
	err = q.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+q.table+`
		WHERE payload_key = $1 AND payload IS NOT NULL OR answer_key = $1)`, keyID).Scan(&needed)
	if err != nil {
		return false, fmt.Errorf("riverqueue: %w", err)
	}
	return needed, nil
}
