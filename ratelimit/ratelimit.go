// Package ratelimit says how calls are held to rates, and has the limiter that one process
// needs. A hub takes another one in Options.RateLimiter: ratelimit/redis counts for all
// instances together. Package ratelimittest has the contract as a suite.
package ratelimit

import (
	"context"
	"errors"
	"time"
)

// Limit is a rate: Requests in each Per, and Burst of them at once. All three are positive.
type Limit struct {
	Requests int
	Per      time.Duration
	Burst    int
}

// Interval is the time in which one request becomes available.
func (l Limit) Interval() time.Duration { return l.Per / time.Duration(l.Requests) }

// Check reports what is wrong with a limit.
func (l Limit) Check() error {
	switch {
	case l.Requests < 1, l.Burst < 1:
		return errors.New("ratelimit: Requests and Burst must be at least 1")
	case l.Per < time.Duration(l.Requests):
		return errors.New("ratelimit: Per must be at least a nanosecond for each of Requests")
	}
	return nil
}

// Demand asks for one request under a limit. Key tells it from the other limits of its owner.
type Demand struct {
	Key   string
	Limit Limit
}

// Turn is the answer to demands.
type Turn struct {
	// OK tells that one request was taken from each demand.
	OK bool
	// Wait is how long to wait before the request may go: with OK, no longer than the
	// caller's patience; without, when there would be a turn as things stand.
	Wait time.Duration
}

// Limiter counts requests under limits. Its methods are safe for concurrent use.
type Limiter interface {
	// Take takes one request from each of the demands, or none from any of them. Whoever
	// names the same owner and key shares the limit.
	//
	// A request that is not available yet is taken ahead, and others wait behind it, if it
	// will be within patience. A key that has not been used for long has its whole Burst.
	// A limit that differs from the one before under the same key holds from then on.
	// Whoever takes a request and does not use it has lost it. The list of demands is Take's
	// own, to change or to keep.
	//
	// An error means that the limiter can tell nothing; it fails the call. A cancelled ctx
	// is one.
	Take(ctx context.Context, owner string, demands []Demand, patience time.Duration) (Turn, error)
}

// Inspector is what a Limiter may be too; without it nobody sees what is left.
type Inspector interface {
	// Left returns how many requests could be taken at once from each of the demands. It
	// takes none.
	Left(ctx context.Context, owner string, demands []Demand) ([]int, error)
}
