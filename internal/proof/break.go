package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// defence is where a defence stands in the source, and what takes it out.
type defence struct {
	file  string
	edits [][2]string // text that stands there once, and what to put instead
}

// The defences. A text that is not found any more is an error: then the line needs another.
var (
	scrubbing = defence{"execute.go", [][2]string{
		{"func (r *run) scrub(res *Result) {\n\tif res == nil {", "func (r *run) scrub(res *Result) {\n\tif true || res == nil {"},
	}}
	binding = defence{"guard.go", [][2]string{
		{"\tif !s.allows(u) {\n\t\treturn failure(Forbidden, s.unbound(sink.Secret", "\tif false {\n\t\treturn failure(Forbidden, s.unbound(sink.Secret"},
	}}
	authenticatedData = defence{"secrets/sealed/box.go", [][2]string{
		{"appendTexts(appendTexts(nil, domainKey, keyID), aad...)", "appendTexts(nil, domainKey, keyID)"},
		{"appendTexts(appendTexts(nil, domainData, string(head)), aad...)", "appendTexts(nil, domainData, string(head))"},
	}}
	tag = defence{"secrets/sealed/box.go", [][2]string{
		{"return nil, broken(\"the data was moved or altered\")", "return p.data, nil"},
	}}
	resealing = defence{"secrets/sealed/rewrap.go", [][2]string{
		{"next.Data, next.Labels, next.Revision = box, ", "next.Data, next.Labels, next.Revision = box[:len(box)-1], "},
	}}
	addressPolicy = defence{"internal/egress/policy.go", [][2]string{
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

func (l line) breakDefence(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "proof-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	overlay, err := l.defence.takeOut(dir)
	if err != nil {
		return err
	}
	program := filepath.Join(dir, "proof")
	if out, err := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, "./internal/proof").CombinedOutput(); err != nil {
		return fmt.Errorf("building without the defence: %w\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, program, "-json", "-only", l.name).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
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

// takeOut writes the source without the defence into dir, and the overlay that puts it in the
// place of the file.
func (d defence) takeOut(dir string) (overlay string, err error) {
	path, err := filepath.Abs(d.file)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the program runs in the root of the module: %w", err)
	}
	text := string(data)
	for _, edit := range d.edits {
		if strings.Count(text, edit[0]) != 1 {
			return "", fmt.Errorf("%s has not once: %s", d.file, edit[0])
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
