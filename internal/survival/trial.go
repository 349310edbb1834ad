package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// trial counts what a line does. It is safe for concurrent use; what ends it (Fatalf) is for
// the goroutine of the line alone.
type trial struct {
	testing.TB
	scale scale
	seed  uint64

	mu            sync.Mutex // guards what follows
	tried, failed int
	failures      []string
	figures       []figure
}

// figure is something that was counted or measured.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// maxFailures bounds the failures that are told one by one.
const maxFailures = 20

// scale is how often to try.
type scale int

const (
	small scale = iota // with the tests, and their race detector
	quick              // in CI
	full               // on demand
)

// size is how often to try, by the scale.
func (t *trial) size(atSmall, atQuick, atFull int) int {
	return [...]int{atSmall, atQuick, atFull}[t.scale]
}

// rand returns random numbers that follow from the seed.
func (t *trial) rand(stream int) *rand.Rand { return rand.New(rand.NewPCG(t.seed, uint64(stream))) }

// check counts a try, and a failure unless it went well.
func (t *trial) check(well bool, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tried++
	if well {
		return
	}
	t.failed++
	if len(t.failures) < maxFailures {
		t.failures = append(t.failures, fmt.Sprintf(format, args...))
	}
}

// add adds to a figure.
func (t *trial) add(name string, value float64) {
	t.change(name, func(v float64) float64 { return v + value })
}

// most keeps the greatest value of a figure.
func (t *trial) most(name string, value float64) {
	t.change(name, func(v float64) float64 { return max(v, value) })
}

func (t *trial) change(name string, to func(float64) float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.figures, func(f figure) bool { return f.Name == name })
	if i < 0 {
		i = len(t.figures)
		t.figures = append(t.figures, figure{Name: name})
	}
	t.figures[i].Value = to(t.figures[i].Value)
}

// must ends the line if something it needs does not work.
func (t *trial) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("survival: %v", err)
	}
}

func (t *trial) row(l line, seconds float64) row {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortFunc(t.figures, func(a, b figure) int { return strings.Compare(a.Name, b.Name) })
	return row{
		Line: l.name, What: l.what, Seed: t.seed, Tried: t.tried, Failed: t.failed, Seconds: seconds,
		Figures: t.figures, Failures: t.failures,
	}
}
