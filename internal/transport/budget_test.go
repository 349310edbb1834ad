package transport_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/internal/transport"
)

func TestATotalOutageIsNotAnsweredWithMoreTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, count := always(503)
		via, client := inMemory(t, handler), transport.New(nil)
		policy := transport.Policy{Budget: transport.NewBudget(nil), BaseWait: -1}
		const calls = 2000
		for range calls {
			out := client.Do(t.Context(), to(t, "GET", here, via), &policy)
			assert.Equal(t, 503, out.Answer.Status)
			time.Sleep(time.Millisecond)
		}
		assert.LessOrEqual(t, count(), calls*110/100)
		assert.Greater(t, count(), calls*105/100)
	})
}

func TestBudgetArithmetic(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := transport.NewBudget(func() time.Time { return now })
	spendable := func(host string) (n int) {
		for b.Spend(host) {
			n++
		}
		return n
	}
	assert.Equal(t, 10, spendable("a"))
	assert.Zero(t, spendable("a"))
	now = now.Add(3 * time.Second)
	assert.Equal(t, 3, spendable("a"))
	now = now.Add(time.Hour)
	assert.Equal(t, 10, spendable("a"))
	for range 25 {
		b.Earn("a")
	}
	assert.Contains(t, []int{1, 2}, spendable("a"), "25 calls earn two repeats, less what floats lose")
	now = now.Add(-time.Hour)
	assert.Zero(t, spendable("a"), "a clock that goes back brings nothing")
	others := 0
	for i := range 20 {
		if b.Spend(fmt.Sprint("other", i)) {
			others++
		}
	}
	assert.Greater(t, others, 15, "hosts are apart")
}
