package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/bench/internal/client"
	"github.com/integrationhub/hub/bench/internal/job"
)

// The test's program is the third party and the peers, too.
func TestMain(m *testing.M) {
	if os.Getenv(roleVar) == "" {
		goleak.VerifyTestMain(m)
	}
	if err := dispatch(context.Background(), nil, io.Discard, io.Discard); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Every peer does the whole work, which the third party and the peers' processes see to, and
// has its row in every table.
func TestSmallComparison(t *testing.T) {
	p, err := parse([]string{"-rounds", "1", "-for", "30ms", "-connectors", "20"})
	require.NoError(t, err)
	p.benchmark = false // it would build the hub's tests
	var out bytes.Buffer
	require.NoError(t, p.compare(t.Context(), &out, io.Discard))
	for _, peer := range peers {
		assert.Contains(t, out.String(), "| "+peer.title+" ")
	}
	assert.Contains(t, out.String(), "| net/http by hand, a client for each ")
}

func TestFlagsRefused(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-for", "0s"}, {"-connectors", "-1"}, {"-peers", "curl"}, {"-x"}} {
		_, err := parse(args)
		assert.Error(t, err, "%q", args)
	}
}

func TestThoseThatAllAreComparedWithAreAlwaysThere(t *testing.T) {
	p, err := parse([]string{"-quick", "-peers", "hub,req"})
	require.NoError(t, err)
	var names []string
	for _, peer := range p.peers {
		names = append(names, peer.name)
	}
	assert.Equal(t, []string{byHand, barePost, "req", shipped}, names)
}

// measured is a comparison whose numbers are known: by hand 100, 200 and 400 calls in a
// second, the hub twice, three and four times as many.
func measured() *comparison {
	c := &comparison{plan: plan{peers: peers, rounds: 3}, samples: map[string]map[string][]client.Sample{}}
	for _, s := range []scenario{manyPlain, manySecure, alonePlain, aloneSecure, stubbed} {
		c.samples[s.name] = map[string][]client.Sample{}
		for round := range 3 {
			calls := int64(100 << round)
			add := func(peer string, s2 client.Sample) {
				c.samples[s.name][peer] = append(c.samples[s.name][peer], s2)
			}
			add(byHand, client.Sample{Calls: calls, Elapsed: time.Second, CPU: time.Second, P99: time.Millisecond})
			add(shipped, client.Sample{Calls: calls * int64(2+round), Elapsed: time.Second, CPU: time.Second, P99: time.Millisecond})
		}
	}
	c.memory = []memoryFigure{{Title: "hub", Connectors: 1024, Bytes: 1 << 20}}
	return c
}

func TestFiguresAreMediansOverRounds(t *testing.T) {
	c := measured()
	v, ok := c.median(manyPlain, byHand, rate)
	assert.True(t, ok)
	assert.InDelta(t, 200, v, 1e-9)
	v, ok = c.ratio(manyPlain, shipped, byHand, rate)
	assert.True(t, ok)
	assert.InDelta(t, 3, v, 1e-9, "a round is compared with itself")
	_, ok = c.median(manyPlain, "req", rate)
	assert.False(t, ok)
	_, ok = c.ratio(manyPlain, "req", byHand, rate)
	assert.False(t, ok)
	assert.InDelta(t, 2.5, middle([]float64{4, 1, 2, 3}), 1e-9)
}

func TestWriteReplacesWhatIsBetweenTheMarks(t *testing.T) {
	t.Chdir(t.TempDir())
	c := measured()
	assert.Error(t, c.writeFiles(), "there is no README")
	require.NoError(t, os.WriteFile(readme, []byte("before\n"+end+begin), 0o600))
	assert.Error(t, c.writeFiles(), "the marks are in the wrong order")
	require.NoError(t, os.MkdirAll("bench/peers", 0o700))
	for range 2 {
		require.NoError(t, os.WriteFile(readme, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600))
		require.NoError(t, c.writeFiles())
	}
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	assert.Regexp(t, "(?s)^before\n"+begin+"linux.* 3.00 × .*"+end+"after\n$", string(text))
	assert.NotContains(t, string(text), "old")
	drawn, err := os.ReadFile(plot)
	require.NoError(t, err)
	assert.Contains(t, string(drawn), ">3.00</text>")
}

func TestThePlotIsXML(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(measured().draw()))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestParseBenchmark(t *testing.T) {
	s, err := parseBenchmark("BenchmarkExecute \t 6554\t  183045 ns/op\t   43541 B/op\t     606 allocs/op\n")
	require.NoError(t, err)
	assert.InDelta(t, 183.045, each(s), 1e-6)
	assert.InDelta(t, 606, allocs(s), 1e-9)
	assert.InDelta(t, 43541.0/1024, kib(s), 1e-9)
	for _, line := range []string{"BenchmarkExecute", "BenchmarkExecute 10 x ns/op", "BenchmarkExecute 10 20 B/op"} {
		_, err := parseBenchmark(line)
		assert.Error(t, err, line)
	}
}

func TestUnknownPart(t *testing.T) {
	assert.Error(t, play(t.Context(), "nobody"))
}

// number finds for bare what a payload is.
func TestNumber(t *testing.T) {
	for n := range job.Variants {
		assert.Equal(t, n, number(job.Payload(n)))
	}
	assert.Equal(t, -1, number([]byte(`{"customer":{"id":"c-4711-64"}}`)))
	assert.Zero(t, number(nil))
}
