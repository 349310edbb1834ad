package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/integrationhub/hub/bench/internal/client"
)

// A hub lets nobody in place of its way out, so what it takes in process is measured by a
// benchmark of its own: the same work with a payload of its own.
const (
	benchmark  = "BenchmarkExecute"
	hubPackage = "github.com/integrationhub/hub"
)

// measureHubInProcess runs the benchmark, a round after the other.
func (c *comparison) measureHubInProcess(ctx context.Context) error {
	if !c.benchmark {
		return nil
	}
	fmt.Fprintf(c.progress, "in process: %s\n", benchmark)
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+benchmark+"$", "-benchmem",
		"-count", strconv.Itoa(c.rounds), "-benchtime", c.each.String(), hubPackage)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", benchmark, err, bytes.TrimSpace(out))
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, benchmark) {
			s, err := parseBenchmark(line)
			if err != nil {
				return err
			}
			c.samples[stubbed.name][shipped] = append(c.samples[stubbed.name][shipped], s)
		}
	}
	return nil
}

// parseBenchmark reads a line of go test -bench -benchmem: name, calls, and pairs of a number
// and its unit.
func parseBenchmark(line string) (client.Sample, error) {
	fields := strings.Fields(line)
	per := map[string]float64{}
	for i := 2; i+1 < len(fields); i += 2 {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return client.Sample{}, fmt.Errorf("%s: %w in %q", benchmark, err, line)
		}
		per[fields[i+1]] = n
	}
	if per["ns/op"] == 0 {
		return client.Sample{}, fmt.Errorf("%s: no time in %q", benchmark, line)
	}
	const calls = 1000
	return client.Sample{
		Calls: calls, Elapsed: time.Duration(calls * per["ns/op"]),
		Mallocs: uint64(calls * per["allocs/op"]), Bytes: uint64(calls * per["B/op"]),
	}, nil
}
