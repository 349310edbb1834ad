package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/integrationhub/hub/internal/overlay"
)

// The defences. A text that is not found any more is an error: then the line needs another.
var (
	scrubbing = overlay.Change{File: "execute.go", Edits: [][2]string{
		{"func (r *run) scrub(res *Result) {\n\tif res == nil {", "func (r *run) scrub(res *Result) {\n\tif true || res == nil {"},
	}}
	binding = overlay.Change{File: "guard.go", Edits: [][2]string{
		{"\tif !s.allows(u) {\n\t\treturn failure(Forbidden, s.unbound(sink.Secret", "\tif false {\n\t\treturn failure(Forbidden, s.unbound(sink.Secret"},
	}}
	authenticatedData = overlay.Change{File: "secrets/sealed/box.go", Edits: [][2]string{
		{"appendTexts(appendTexts(nil, domainKey, keyID), aad...)", "appendTexts(nil, domainKey, keyID)"},
		{"appendTexts(appendTexts(nil, domainData, string(head)), aad...)", "appendTexts(nil, domainData, string(head))"},
	}}
	tag = overlay.Change{File: "secrets/sealed/box.go", Edits: [][2]string{
		{"return nil, broken(\"the data was moved or altered\")", "return p.data, nil"},
	}}
	resealing = overlay.Change{File: "secrets/sealed/rewrap.go", Edits: [][2]string{
		{"next.Data, next.Labels, next.Revision = box, ", "next.Data, next.Labels, next.Revision = box[:len(box)-1], "},
	}}
	addressPolicy = overlay.Change{File: "internal/egress/policy.go", Edits: [][2]string{
		{"func (p Policy) CheckAddr(a netip.Addr) error {\n", "func (p Policy) CheckAddr(a netip.Addr) error {\n\tif true {\n\t\treturn nil\n\t}\n"},
	}}
)

// breakDefences runs a line, or each, without its defence, and demands that it fails.
func breakDefences(ctx context.Context, name string) error {
	known := false
	for _, l := range lines {
		if name != "each" && name != l.name {
			continue
		}
		known = true
		if err := l.breakDefence(ctx); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		fmt.Printf("%-10s  fails without its defence\n", l.name)
	}
	if !known {
		return fmt.Errorf("there is no line %q", name)
	}
	return nil
}

func (l line) breakDefence(ctx context.Context) error {
	out, err := l.defence.Run(ctx, "./internal/proof", "-json", "-only", l.name)
	if err != nil {
		return err
	}
	var r row
	if err := json.Unmarshal(out, &r); err != nil {
		return fmt.Errorf("the line printed no row: %w", err)
	}
	if r.Failed == 0 || r.Error != "" {
		return fmt.Errorf("nothing failed without the defence (tried %d): %s", r.Tried, r.Error)
	}
	return nil
}
