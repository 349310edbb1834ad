package main

import (
	"slices"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/toxics"
)

const (
	// allowed is the time of a call that nothing but its deadline ends.
	allowed = time.Second
	// ample is the time of a call that ends before its deadline, also on a busy machine.
	ample = 20 * time.Second
)

// harm is how much a fault does.
type harm int

const (
	slows harm = iota // all arrives, later
	stops             // nothing arrives in time
	cuts              // the connection ends
	shuts             // there is no connection
	loses             // what is open leads nowhere, for good
)

// fault is a toxic at a strength.
type fault struct {
	name  string
	toxic toxics.Toxic // nil: the harm is to the proxy as a whole
	harm  harm
	extra bool // for those who have time
}

// faults are toxiproxy's eight toxics, some at two strengths, and one of our own: a firewall
// that has forgotten the connections that are open.
var faults = []fault{
	{"latency", toxics.Latency{Delay: 15 * time.Millisecond, Jitter: 10 * time.Millisecond}, slows, false},
	{"latency, too long", toxics.Latency{Delay: 60 * allowed}, stops, false},
	{"bandwidth", toxics.Bandwidth{BytesPerSecond: 100_000}, slows, false},
	{"bandwidth, too low", toxics.Bandwidth{BytesPerSecond: 2}, stops, true},
	{"slow close", toxics.SlowClose{Delay: 60 * allowed}, slows, false},
	{"timeout", toxics.Timeout{}, stops, false},
	{"timeout, then closed", toxics.Timeout{After: allowed / 50}, cuts, true},
	{"reset peer", toxics.ResetPeer{}, cuts, false},
	{"reset peer, late", toxics.ResetPeer{After: allowed / 50}, cuts, true},
	{"slicer", toxics.Slicer{Size: 100, Variation: 50, Delay: 100 * time.Microsecond}, slows, false}, // what is large must pass before a PING is missed
	{"limit data", toxics.LimitData{Bytes: 20}, cuts, false},
	{"down", nil, shuts, false},
	{"forgotten", nil, loses, false},
}

// directions are those that a fault can have.
func (f fault) directions() []toxics.Direction {
	if f.toxic == nil {
		return toxics.Directions[:1] // it has none
	}
	return toxics.Directions
}

// strike makes a proxy sick.
func (f fault) strike(p *toxics.Proxy, d toxics.Direction) {
	switch f.harm {
	case shuts:
		p.Down()
	case loses:
		p.Strand()
	default:
		p.Set(d, f.toxic)
	}
}

// ends are the codes that a call may end with.
type ends []hub.Code

func (e ends) has(code hub.Code) bool { return slices.Contains(e, code) }

var success = ends{""}

// ofCalls are the ends of calls to a third party over the sick link. A new connection can be
// cut before it is one, and a kept one can be down before anybody has noticed.
func ofCalls(f fault, kept bool) ends {
	switch {
	case f.harm == slows || f.harm == loses && !kept:
		return success
	case f.harm == stops || f.harm == loses:
		return ends{hub.Timeout}
	case f.harm == shuts && !kept:
		return ends{hub.Unreachable}
	}
	return ends{hub.BadAnswer, hub.Unreachable}
}

// ofKnown are the ends of calls whose definition is known, while the store is sick: none is hurt.
func ofKnown(fault, bool) ends { return success }

// ofStore are the ends of what cannot be done without the store.
func ofStore(f fault, _ bool) ends {
	if f.harm == slows {
		return success
	}
	if f.harm == loses { // a connection that is kept may be another one
		return ends{"", hub.Timeout, hub.Unavailable}
	}
	return ends{hub.Timeout, hub.Unavailable}
}
