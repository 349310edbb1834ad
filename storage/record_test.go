package storage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/storage"
)

func TestNormal(t *testing.T) {
	b, a := storage.Label{Key: "b", Value: "1"}, storage.Label{Key: "a", Value: "2"}
	r := valid()
	r.Labels = []storage.Label{b, a, b}
	r.Updated = time.Date(2026, 1, 2, 3, 4, 5, 6999, time.FixedZone("", 3600))
	r.Data = []byte("data")

	n := r.Normal()
	assert.Equal(t, []storage.Label{a, b}, n.Labels)
	assert.Equal(t, time.Date(2026, 1, 2, 2, 4, 5, 6000, time.UTC), n.Updated)
	assert.Equal(t, "data", string(n.Data))

	n.Data[0], n.Labels[0] = '!', storage.Label{}
	assert.Equal(t, "data", string(r.Data), "the copy has its own bytes")
	assert.Equal(t, []storage.Label{b, a, b}, r.Labels, "the copy has its own labels")

	r.Data, r.Labels = []byte{}, []storage.Label{}
	assert.Nil(t, r.Normal().Data)
	assert.Nil(t, r.Normal().Labels)
}
