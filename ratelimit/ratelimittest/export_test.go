package ratelimittest

import (
	"context"

	"github.com/integrationhub/hub/ratelimit"
)

// Broken names the rules that limiters break, which open opens one for each of.
func Broken(ctx context.Context, open func() ratelimit.Limiter) []string {
	var names []string
	for _, rule := range rules {
		if rule.check(ctx, open(), rule.name) != nil {
			names = append(names, rule.name)
		}
	}
	return names
}
