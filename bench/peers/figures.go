package main

import (
	"slices"

	"github.com/integrationhub/hub/bench/internal/client"
)

// measure is one thing that a sample shows.
type measure func(client.Sample) float64

func rate(s client.Sample) float64   { return float64(s.Calls) / s.Elapsed.Seconds() }
func p50(s client.Sample) float64    { return took(s.P50) }
func p99(s client.Sample) float64    { return took(s.P99) }
func cpu(s client.Sample) float64    { return took(s.CPU) / float64(s.Calls) }
func allocs(s client.Sample) float64 { return float64(s.Mallocs) / float64(s.Calls) }
func kib(s client.Sample) float64    { return float64(s.Bytes) / float64(s.Calls) / 1024 }

// each is how long a call takes where one follows another.
func each(s client.Sample) float64 { return took(s.Elapsed) / float64(s.Calls) }

// median is that of a peer over the rounds; not ok if it was not measured.
func (c *comparison) median(s scenario, peer string, m measure) (v float64, ok bool) {
	return medianOf(c.samples[s.name][peer], m)
}

// ratio is the median of how a peer compares with another in the same round.
func (c *comparison) ratio(s scenario, peer, with string, m measure) (v float64, ok bool) {
	samples, others := c.samples[s.name][peer], c.samples[s.name][with]
	if len(samples) == 0 || len(samples) != len(others) {
		return 0, false
	}
	var all []float64
	for i := range samples {
		all = append(all, m(samples[i])/m(others[i]))
	}
	return middle(all), true
}

func medianOf(samples []client.Sample, m measure) (v float64, ok bool) {
	var all []float64
	for _, s := range samples {
		all = append(all, m(s))
	}
	if len(all) == 0 {
		return 0, false
	}
	return middle(all), true
}

func middle(all []float64) float64 {
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}
