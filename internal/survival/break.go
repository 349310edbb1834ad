package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/integrationhub/hub/internal/overlay"
)

// The defences.
var (
	deadline = overlay.Change{File: "admit.go", Edits: [][2]string{
		{"context.WithDeadline(ctx, r.deadline())", "context.WithDeadline(ctx, r.deadline().Add(5*time.Second))"},
	}}
	duty = overlay.Change{File: "internal/transport/call.go", Edits: [][2]string{
		{"return idempotent || !last.Sent", "return true"},
	}}
	budget = overlay.Change{File: "internal/transport/budget.go", Edits: [][2]string{
		{"return b == nil || b.cell(host).take(b.clock())", "return true"},
	}}
	bulkheads = overlay.Change{File: "admit.go", Edits: [][2]string{
		{"&r.ticket, gateKey{r.name, r.plan.def.ID}, ", "&r.ticket, gateKey{}, "},
	}}
)

// breakDefences runs a line, or each that has one, without its defence, and demands that it fails.
func breakDefences(ctx context.Context, name string) error {
	chosen := lines
	if name != "each" {
		one, err := choose(name)
		if err != nil {
			return err
		}
		chosen = one
	}
	for _, l := range chosen {
		if l.defence.File == "" {
			fmt.Printf("%-9s has no defence that is one place in the source\n", l.name)
			continue
		}
		if err := l.breakDefence(ctx); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		fmt.Printf("%-9s fails without its defence\n", l.name)
	}
	return nil
}

// breakDefence runs the line in a program that is built without its defence.
func (l line) breakDefence(ctx context.Context) error {
	out, err := l.defence.Run(ctx, "./internal/survival", "-json", "-only", l.name)
	if err != nil {
		return err
	}
	var r row
	if err := json.Unmarshal(out, &r); err != nil {
		return fmt.Errorf("the line printed no row: %w", err)
	}
	if r.Failed == 0 {
		return fmt.Errorf("nothing failed without the defence (tried %d)", r.Tried)
	}
	return nil
}
