package main

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every line of the table holds, at a small scale. They run one after the other: what one
// measures, another would disturb.
func TestEveryLineHolds(t *testing.T) {
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) {
			r := l.run(&trial{TB: t, seed: 1})
			t.Logf("%+v", r)
			for _, text := range r.Failures {
				t.Error(text)
			}
			if !r.holds() {
				t.Errorf("%d of %d failed", r.Failed, r.Tried)
			}
		})
	}
}
