// Package overlay builds programs of this repository with a part of the source changed: what shows
// that defences hold shows so that it fails without them. Nothing in the product is there for it.
package overlay

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

// Change is a defence in the source, and what takes it out.
type Change struct {
	File  string      // in the folder that the program runs in
	Edits [][2]string // text that stands there once, and what to put instead
}

// Run builds the package with the change, runs it with args, and returns what it printed, also if it
// ended with an error of its own: it is meant to.
func (c Change) Run(ctx context.Context, pkg string, args ...string) (out []byte, err error) {
	dir, err := os.MkdirTemp("", "overlay-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, err := c.Build(ctx, dir, pkg)
	if err != nil {
		return nil, err
	}
	out, err = exec.CommandContext(ctx, program, args...).Output()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		err = nil
	}
	return out, err
}

// Build builds the package with the change into dir, and returns the path of the program. A text that
// the source does not have exactly once is an error: then the defence is elsewhere by now.
func (c Change) Build(ctx context.Context, dir, pkg string) (program string, err error) {
	overlay, err := c.write(dir)
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "program")
	if out, err := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, pkg).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building without the defence: %w\n%s", err, out)
	}
	return program, nil
}

// write writes the changed source into dir, and the overlay that puts it in the place of the file.
func (c Change) write(dir string) (overlay string, err error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the program runs in the root of the module: %w", err)
	}
	text := string(data)
	for _, edit := range c.Edits {
		if strings.Count(text, edit[0]) != 1 {
			return "", fmt.Errorf("%s has not once: %s", c.File, edit[0])
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
