package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
)

// print writes the tables.
func (c *comparison) print(out io.Writer) error {
	text, err := c.tables()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, text)
	return err
}

func (c *comparison) tables() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s, %d cores, %s; medians of %d rounds of %v, in each of which all take their turn.\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), c.rounds, c.each)
	for _, t := range []struct {
		title   string
		columns []column
	}{
		{"64 callers, plain HTTP:", loaded(manyPlain)},
		{"64 callers, HTTPS, the third party takes 2 ms:", loaded(manySecure)},
		{"One caller, over HTTP, over HTTPS, and in process with a stub that answers:", alone()},
	} {
		fmt.Fprintf(&b, "%s\n\n", t.title)
		if err := c.table(&b, t.columns); err != nil {
			return "", err
		}
		b.WriteString("\n")
	}
	if len(c.memory) == 0 {
		return b.String(), nil
	}
	b.WriteString("Memory of connectors that are in use, each with a schema, secrets and a token:\n\n")
	err := c.memoryTable(&b)
	return b.String(), err
}

// column is one of a table; its cell is "" where there is nothing to say.
type column struct {
	head string
	cell func(c *comparison, peer string) string
}

// absolute shows a measure with so many decimals.
func absolute(head string, s scenario, m measure, decimals int) column {
	return column{head, func(c *comparison, peer string) string {
		if v, ok := c.median(s, peer, m); ok {
			return fmt.Sprintf("%.*f", decimals, v)
		}
		return ""
	}}
}

// relative shows how a measure compares with that of another.
func relative(head string, s scenario, with string, m measure) column {
	return column{head, func(c *comparison, peer string) string {
		if v, ok := c.ratio(s, peer, with, m); ok {
			return fmt.Sprintf("%.2f ×", v)
		}
		return ""
	}}
}

func loaded(s scenario) []column {
	return []column{
		absolute("calls/s", s, rate, 0), relative("by hand", s, byHand, rate),
		absolute("p50, µs", s, p50, 0),
		absolute("p99, µs", s, p99, 0), relative("by hand", s, byHand, p99),
		absolute("client CPU, µs", s, cpu, 1), relative("by hand", s, byHand, cpu), relative("bare POST", s, barePost, cpu),
		absolute("allocations", s, allocs, 0), absolute("KiB", s, kib, 1),
	}
}

func alone() []column {
	http, https, stub := alonePlain, aloneSecure, stubbed
	return []column{
		absolute("HTTP: p50, µs", http, p50, 0), absolute("p99", http, p99, 0), absolute("CPU", http, cpu, 1),
		absolute("HTTPS: p50, µs", https, p50, 0), absolute("p99", https, p99, 0), absolute("CPU", https, cpu, 1),
		absolute("in process: µs", stub, each, 1), absolute("allocations", stub, allocs, 0), absolute("KiB", stub, kib, 1),
	}
}

// table writes a row for each peer.
func (c *comparison) table(out io.Writer, columns []column) error {
	t := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprint(t, "|\t|")
	for _, col := range columns {
		fmt.Fprintf(t, " %s\t|", col.head)
	}
	fmt.Fprint(t, "\n|---\t|"+strings.Repeat(" ---:\t|", len(columns))+"\n")
	for _, p := range c.peers {
		fmt.Fprintf(t, "| %s\t|", p.title)
		for _, col := range columns {
			fmt.Fprintf(t, " %s\t|", col.cell(c, p.name))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func (c *comparison) memoryTable(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprint(t, "|\t| connectors\t| MiB\t| KiB each\t| 100,000 at that rate, MiB\t|\n|---\t| ---:\t| ---:\t| ---:\t| ---:\t|\n")
	for _, m := range c.memory {
		each := float64(m.Bytes) / float64(m.Connectors)
		fmt.Fprintf(t, "| %s\t| %d\t| %.0f\t| %.1f\t| %.0f\t|\n", m.Title, m.Connectors,
			float64(m.Bytes)/(1<<20), each/(1<<10), 100_000*each/(1<<20))
	}
	return t.Flush()
}

// Where -write writes, seen from the root of the repository.
const (
	readme = "README.md"
	plot   = "bench/peers/peers.svg"
	begin  = "<!-- bench/peers -->\n"
	end    = "<!-- /bench/peers -->\n"
)

// writeFiles puts the tables between their marks in the README, and the plot beside them.
func (c *comparison) writeFiles() error {
	text, err := c.tables()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(readme)
	if err != nil {
		return fmt.Errorf("-write: run it from the root of the repository: %w", err)
	}
	before, rest, found := bytes.Cut(old, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("-write: %s lacks the lines %q and %q", readme, begin, end)
	}
	if err := os.WriteFile(readme, []byte(string(before)+begin+text+end+string(after)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(plot, c.draw(), 0o644)
}
