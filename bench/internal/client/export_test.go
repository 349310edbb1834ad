package client

import "time"

// Quantiles records durations and returns quantiles of them.
func Quantiles(all []time.Duration, qs ...float64) (out []time.Duration) {
	var halves [2]histogram
	for i, d := range all {
		halves[i%2].record(d)
	}
	halves[0].add(&halves[1])
	for _, q := range qs {
		out = append(out, halves[0].quantile(q))
	}
	return out
}
