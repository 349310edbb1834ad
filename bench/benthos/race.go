//go:build race

package main

import (
	"context"
	"errors"

	"github.com/integrationhub/hub/bench/internal/job"
)

// open refuses: the race detector has no business in Benthos, and building all of it once more
// for that would take every run of the tests a minute.
func open(context.Context, job.Target) (job.Peer, error) {
	return nil, errors.New("not built with the race detector")
}
