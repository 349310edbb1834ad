package hub_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// Options that contradict themselves are refused at the start, by their names; those at the
// edge are not.
func TestOptionsThatContradictThemselvesAreRefused(t *testing.T) {
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		opts hub.Options
		want string // empty: they are taken
	}{
		"none":                         {hub.Options{}, ""},
		"port 0":                       {hub.Options{Egress: hub.Egress{AllowPorts: []int{443, 0}}}, "Options.Egress.AllowPorts: 0 is not a port"},
		"port 1":                       {hub.Options{Egress: hub.Egress{AllowPorts: []int{1}}}, ""},
		"port 65535":                   {hub.Options{Egress: hub.Egress{AllowPorts: []int{65535}}}, ""},
		"port 65536":                   {hub.Options{Egress: hub.Egress{AllowPorts: []int{65536}}}, "Options.Egress.AllowPorts: 65536 is not a port"},
		"a port below 0":               {hub.Options{Egress: hub.Egress{AllowPorts: []int{-443}}}, "Options.Egress.AllowPorts: -443 is not a port"},
		"no circuits":                  {hub.Options{Breaker: hub.Breaker{Calls: -1}}, ""},
		"1 percent":                    {hub.Options{Breaker: hub.Breaker{Failures: 1}}, ""},
		"100 percent":                  {hub.Options{Breaker: hub.Breaker{Failures: 100}}, ""},
		"101 percent":                  {hub.Options{Breaker: hub.Breaker{Failures: 101}}, "Options.Breaker.Failures: 101 is not a percentage"},
		"percent below 0":              {hub.Options{Breaker: hub.Breaker{Failures: -1}}, "Options.Breaker.Failures: -1 is not a percentage"},
		"a window below 0":             {hub.Options{Breaker: hub.Breaker{Window: -time.Second}}, "Options.Breaker.Window: must not be negative"},
		"the smallest window":          {hub.Options{Breaker: hub.Breaker{Window: 1}}, ""},
		"open below 0":                 {hub.Options{Breaker: hub.Breaker{Open: -1}}, "Options.Breaker.Open: must not be negative"},
		"probes below 0":               {hub.Options{Breaker: hub.Breaker{Probes: -1}}, "Options.Breaker.Probes: must not be negative"},
		"what is off is checked":       {hub.Options{Breaker: hub.Breaker{Calls: -1, Probes: -1}}, "Options.Breaker.Probes: must not be negative"},
		"a value as a vault takes":     {hub.Options{Limits: hub.Limits{ValueBytes: secrets.MaxValue}}, ""},
		"a value beyond":               {hub.Options{Limits: hub.Limits{ValueBytes: secrets.MaxValue + 1}}, "Options.Limits.ValueBytes: 65537 is above the 65536 bytes"},
		"a resolver for no scheme":     {hub.Options{Resolvers: map[string]secrets.Resolver{"": nil}}, `Options.Resolvers: "" is not a scheme`},
		"a scheme that nobody answers": {hub.Options{Resolvers: map[string]secrets.Resolver{"vault": nil}}, `Options.Resolvers: nobody resolves scheme "vault"`},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := hub.New(memory.New(), keeper, &tt.opts)
			if tt.want != "" {
				require.ErrorContains(t, err, "hub: "+tt.want)
				return
			}
			require.NoError(t, err)
			require.NoError(t, h.Close(t.Context()))
		})
	}
}
