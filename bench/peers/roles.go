package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/integrationhub/hub/bench/internal/client"
	"github.com/integrationhub/hub/bench/internal/job"
	"github.com/integrationhub/hub/bench/internal/process"
	"github.com/integrationhub/hub/bench/internal/upstream"
)

// peer is one row of the tables.
type peer struct {
	name, title string
	open        job.Open // nil: it is a program of its own
	validates   bool     // it refuses a payload that breaks the schema
	stub        bool     // its way out can be replaced
}

const (
	byHand   = "hand"
	barePost = "bare"
	shipped  = "hub"
)

var peers = []peer{
	{byHand, "net/http by hand", openHand, true, true},
	{"unchecked", "net/http by hand, not validating", openUnchecked, false, true},
	{barePost, "bare net/http POST, none of the work", openBare, false, true},
	{"retryablehttp", "go-retryablehttp 0.7", openRetryable, true, true},
	{"resty", "resty 2.17", openResty, true, true},
	{"req", "req 3.57", openReq, true, true},
	{"lura", "KrakenD Lura 2.10", openLura, true, true},
	{"benthos", "Benthos 4.50", nil, true, true},
	{shipped, "hub", openHub, true, false},
}

func allNames() []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

// play plays the part of a process that does not compare.
func play(ctx context.Context, role string) error {
	switch role {
	case "server":
		return serve()
	case "memory":
		return process.Serve(os.Stdin, os.Stdout, func(q memoryQuestion) (any, error) { return q.answer(ctx) })
	}
	i := slices.IndexFunc(peers, func(p peer) bool { return p.name == role && p.open != nil })
	if i < 0 {
		return fmt.Errorf("%s: there is no part %q", roleVar, role)
	}
	return client.Main(ctx, peers[i].open, peers[i].validates)
}

// delay is how long the third party takes with TLS.
const delay = 2 * time.Millisecond

// serve is the third party: it answers with its addresses when it is asked "where", and with
// its counts to anything else.
func serve() error {
	s, err := upstream.Start(delay)
	if err != nil {
		return err
	}
	defer s.Close()
	return process.Serve(os.Stdin, os.Stdout, func(question string) (any, error) {
		if question == "where" {
			return s.Addresses(), nil
		}
		return s.Counts(), nil
	})
}

// start starts a process with a part of its own; dir is where programs can be built.
func start(ctx context.Context, role, dir string) (*process.Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if role == "benthos" {
		if program, err = buildBenthos(ctx, dir); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	cmd.Stderr = os.Stderr
	return process.Start(cmd)
}

// buildBenthos builds Benthos' program. It is a module of its own, lest its 60 modules decide
// about the versions of others or its heap about their garbage collection.
func buildBenthos(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "benthos")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/integrationhub/hub/bench/benthos")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build Benthos: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return program, nil
}
