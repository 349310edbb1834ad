// Package tokens proves what the hub promises about tokens where it is hard to keep: many
// processes at one expiry, holders of the lease that are killed or stopped at every point of
// a renewal. Its tests print the figures as a table:
//
//	go test -v -run Figures ./tokens
//
// HUB_FIGURES=full runs 8 processes with 1,250 callers each, instead of fewer.
package tokens
