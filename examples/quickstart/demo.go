package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/integrationhub/hub/examples/internal/servicenow"
	"github.com/integrationhub/hub/secrets"
)

// How the local server behaves.
const (
	demoNormal  = "normal"
	demoBusy    = "busy"    // turns the first call away: it is sent again
	demoSlow    = "slow"    // does not answer the calls
	demoStopped = "stopped" // is gone
)

var demos = []string{demoNormal, demoBusy, demoSlow, demoStopped}

func isDemo(word string) bool { return slices.Contains(demos, word) }

// The client that the local server knows. A real secret would not stand in a program.
const (
	demoSecret = "clientSecret"
	demoValue  = "local-demo-8f1c6f0d5a"
)

// demo is the local server. A nil demo is none.
type demo struct {
	server *servicenow.Server
	mode   string
}

// startDemo starts the local server on the address that it had last time: the connector that
// an earlier run stored knows it there, and its secret is bound to it. If the address is
// taken meanwhile, the server gets another one; then the connector moves, and the secret is
// set again.
func startDemo(o *options) (*demo, error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, fmt.Errorf("-dir: %w", err)
	}
	file := filepath.Join(o.dir, "address")
	last, _ := os.ReadFile(file) // none: the first run
	settings := servicenow.Options{Address: strings.TrimSpace(string(last)), ClientSecret: demoValue}
	server, err := servicenow.Start(&settings)
	if err != nil {
		settings.Address = ""
		if server, err = servicenow.Start(&settings); err != nil {
			return nil, fmt.Errorf("the local server does not start: %w", err)
		}
	}
	if err := os.WriteFile(file, []byte(server.Host()+"\n"), 0o600); err != nil {
		server.Close()
		return nil, fmt.Errorf("-dir: %w", err)
	}
	return &demo{server, o.demo}, nil
}

func (d *demo) url() string { return d.server.URL() }

// roots are the authorities that the hub must trust: the server's own.
func (d *demo) roots() *x509.CertPool {
	if d == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(d.server.CAPEM())
	return pool
}

// secret returns the value that the local server expects.
func (d *demo) secret(name string) (secrets.Value, bool) {
	if d == nil || name != demoSecret {
		return secrets.Value{}, false
	}
	return secrets.New(demoValue), true
}

// stopIfAsked stops the server before anything is sent to it, if -demo says so.
func (d *demo) stopIfAsked() {
	if d != nil && d.mode == demoStopped {
		d.server.Close()
	}
}

// misbehave makes the server do from now on what -demo says.
func (d *demo) misbehave() {
	switch {
	case d == nil:
	case d.mode == demoBusy:
		d.server.FailNext(1, 1)
	case d.mode == demoSlow:
		d.server.Slow(time.Hour)
	}
}

func (d *demo) close() { d.server.Close() }
