// Package ratelimittest has the contract of ratelimit.Limiter as a suite: a table of
// sentences, each with a check.
package ratelimittest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/integrationhub/hub/ratelimit"
)

// rule is one sentence of the contract, and what shows that it holds. owner is what the
// owners that it uses begin with.
type rule struct {
	name, sentence string
	check          func(ctx context.Context, l ratelimit.Limiter, owner string) error
}

var rules = []rule{
	{"burst", "A key that has not been used has its whole Burst at once, and no more.", burst},
	{"together", "Of many who take at the same time as many have a turn as there are requests.", together},
	{"apart", "Keys share nothing, nor do owners.", apart},
	{"shared", "Whoever names the same owner and key shares the limit.", shared},
	{"refill", "When Wait is over there is a turn.", refill},
	{"ahead", "A request that will be available within patience is taken ahead, and others wait behind it.", ahead},
	{"impatient", "Without a turn nothing is taken, and Wait says when there would be one.", impatient},
	{"all-or-none", "One request is taken from each of the demands, or none from any.", allOrNone},
	{"changed-limit", "A limit that differs from the one before under the same key holds from then on.", changedLimit},
	{"canceled", "A cancelled ctx is an error.", canceled},
	{"bad-limit", "A limit that is none is an error, and nothing is taken.", badLimit},
	{"left", "Left counts what could be taken at once, and takes none.", left},
}

// Run holds a limiter against the contract. Every rule gets a limiter of its own, which may
// count in the same place as the others.
func Run(t *testing.T, open func(testing.TB) ratelimit.Limiter) {
	run := time.Now().UnixNano()
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			if err := rule.check(t.Context(), open(t), fmt.Sprintf("%s-%d", rule.name, run)); err != nil {
				t.Errorf("%s\nbut: %v", rule.sentence, err)
			}
		})
	}
}

// slow is a limit of which no request comes back during a test.
func slow(n int) ratelimit.Limit { return ratelimit.Limit{Requests: 1, Per: time.Hour, Burst: n} }

func demand(key string, l ratelimit.Limit) []ratelimit.Demand {
	return []ratelimit.Demand{{Key: key, Limit: l}}
}

// wants demands so many turns at once, and then none.
func wants(ctx context.Context, l ratelimit.Limiter, owner string, d []ratelimit.Demand, n int) error {
	for i := range n + 1 {
		turn, err := l.Take(ctx, owner, d, 0)
		if err != nil {
			return err
		}
		if turn.OK != (i < n) {
			return fmt.Errorf("take %d of %d: OK is %t", i+1, n, turn.OK)
		}
	}
	return nil
}

func burst(ctx context.Context, l ratelimit.Limiter, owner string) error {
	return wants(ctx, l, owner, demand("k", slow(5)), 5)
}

func together(ctx context.Context, l ratelimit.Limiter, owner string) error {
	var turns atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, 100)
	for range 100 {
		all.Go(func() {
			turn, err := l.Take(ctx, owner, demand("k", slow(30)), 0)
			if err != nil {
				failed <- err
			} else if turn.OK {
				turns.Add(1)
			}
		})
	}
	all.Wait()
	close(failed)
	if n := turns.Load(); n != 30 {
		return fmt.Errorf("%d of 100 had a turn, not 30 (%v)", n, <-failed)
	}
	return <-failed
}

func apart(ctx context.Context, l ratelimit.Limiter, owner string) error {
	return errors.Join(
		wants(ctx, l, owner, demand("a", slow(2)), 2),
		wants(ctx, l, owner, demand("b", slow(2)), 2),
		wants(ctx, l, owner+"a", demand("b", slow(2)), 2),
		wants(ctx, l, owner, demand("ab", slow(2)), 2))
}

func shared(ctx context.Context, l ratelimit.Limiter, owner string) error {
	return wants(ctx, l, owner, []ratelimit.Demand{{Key: "k", Limit: slow(4)}, {Key: "k", Limit: slow(4)}}, 2)
}

func refill(ctx context.Context, l ratelimit.Limiter, owner string) error {
	const per = 200 * time.Millisecond
	d := demand("k", ratelimit.Limit{Requests: 1, Per: per, Burst: 1})
	held := 0
	for range 10 {
		begun := time.Now()
		if turn, err := l.Take(ctx, owner, d, 0); err != nil || !turn.OK {
			return fmt.Errorf("no turn: %v", err)
		}
		turn, err := l.Take(ctx, owner, d, 0)
		if err != nil || turn.Wait < 0 || turn.Wait > per {
			return fmt.Errorf("a wait of %v, error %v", turn.Wait, err)
		}
		switch {
		case !turn.OK:
			held++
		case time.Since(begun) < per:
			return errors.New("a turn at once")
		default: // this machine is so slow that one was available again
			turn.Wait = per
		}
		if held > 2 {
			return nil
		}
		time.Sleep(turn.Wait + time.Millisecond)
	}
	return errors.New("asked again, the limiter always has a turn")
}

func ahead(ctx context.Context, l ratelimit.Limiter, owner string) error {
	d := demand("k", slow(1))
	for i, want := range []time.Duration{0, time.Hour, 2 * time.Hour} {
		turn, err := l.Take(ctx, owner, d, 10*time.Hour)
		if err != nil {
			return err
		}
		if off := want - turn.Wait; !turn.OK || off < 0 || off > time.Minute {
			return fmt.Errorf("take %d: OK is %t, and the wait %v instead of %v", i+1, turn.OK, turn.Wait, want)
		}
	}
	return nil
}

func impatient(ctx context.Context, l ratelimit.Limiter, owner string) error {
	d := demand("k", slow(1))
	if err := wants(ctx, l, owner, d, 1); err != nil {
		return err
	}
	for range 3 {
		turn, err := l.Take(ctx, owner, d, time.Minute)
		if err != nil {
			return err
		}
		if turn.OK || turn.Wait > time.Hour || turn.Wait < 59*time.Minute {
			return fmt.Errorf("OK is %t, and the wait %v instead of an hour", turn.OK, turn.Wait)
		}
	}
	return nil
}

func allOrNone(ctx context.Context, l ratelimit.Limiter, owner string) error {
	wide, narrow := ratelimit.Demand{Key: "wide", Limit: slow(5)}, ratelimit.Demand{Key: "narrow", Limit: slow(2)}
	return errors.Join(
		wants(ctx, l, owner, []ratelimit.Demand{wide, narrow}, 2),
		wants(ctx, l, owner, []ratelimit.Demand{narrow, wide}, 0),
		wants(ctx, l, owner, []ratelimit.Demand{wide}, 3))
}

func changedLimit(ctx context.Context, l ratelimit.Limiter, owner string) error {
	if turn, err := l.Take(ctx, owner, demand("k", slow(1)), 0); err != nil || !turn.OK {
		return fmt.Errorf("no turn: %v", err)
	}
	fast := ratelimit.Limit{Requests: 1000, Per: time.Second, Burst: 1}
	time.Sleep(5 * time.Millisecond)
	if turn, err := l.Take(ctx, owner, demand("k", fast), 5*time.Second); err != nil || !turn.OK {
		return fmt.Errorf("the faster limit gives no turn within seconds: %v after %v", err, turn.Wait)
	}
	return nil
}

func canceled(ctx context.Context, l ratelimit.Limiter, owner string) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := l.Take(ctx, owner, demand("k", slow(1)), 0); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the error is %v", err)
	}
	return wants(context.WithoutCancel(ctx), l, owner, demand("k", slow(1)), 1)
}

func badLimit(ctx context.Context, l ratelimit.Limiter, owner string) error {
	for _, bad := range []ratelimit.Limit{{}, {Requests: 1, Per: time.Second}, {Per: time.Second, Burst: 1}, {Requests: 1, Burst: 1}, {Requests: -1, Per: 1, Burst: 1}} {
		if _, err := l.Take(ctx, owner, demand("k", bad), 0); err == nil {
			return fmt.Errorf("%+v is taken", bad)
		}
		both := []ratelimit.Demand{{Key: "good", Limit: slow(1)}, {Key: "k", Limit: bad}}
		if _, err := l.Take(ctx, owner, both, 0); err == nil {
			return fmt.Errorf("%+v is taken beside another", bad)
		}
	}
	return wants(ctx, l, owner, []ratelimit.Demand{{Key: "good", Limit: slow(1)}}, 1)
}

func left(ctx context.Context, l ratelimit.Limiter, owner string) error {
	in, ok := l.(ratelimit.Inspector)
	if !ok {
		return nil // it need not
	}
	d := []ratelimit.Demand{{Key: "a", Limit: slow(3)}, {Key: "b", Limit: slow(9)}}
	for taken := range 4 {
		for range 2 {
			n, err := in.Left(ctx, owner, d)
			if err != nil {
				return err
			}
			if len(n) != 2 || n[0] != 3-taken || n[1] != 9-taken {
				return fmt.Errorf("after %d of 3 and 9: %v are left", taken, n)
			}
		}
		if _, err := l.Take(ctx, owner, d, 0); err != nil {
			return err
		}
	}
	return nil
}
