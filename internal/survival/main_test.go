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

// A name that no line has is refused: a run of nothing would look like one that holds.
func TestOnlyNamesALine(t *testing.T) {
	if chosen, err := choose("leaks"); err != nil || len(chosen) != 1 || chosen[0].name != "leaks" {
		t.Errorf("leaks: %v, %v", chosen, err)
	}
	if chosen, err := choose(""); err != nil || len(chosen) != len(lines) {
		t.Errorf("none: %d lines, %v", len(chosen), err)
	}
	if _, err := choose("leaks,forms"); err == nil {
		t.Error("two names at once are taken for a line")
	}
}
