// Quickstart runs the main job of a hub from beginning to end: it describes an application
// (a template), connects to it (a connector with a secret), and runs its requests by name.
//
//	go run ./examples/quickstart
//
// talks to a local server that behaves like ServiceNow's Table API. Run it twice: the second
// run finds what the first one stored. What goes wrong ends in a message and exit status 1:
//
//	go run ./examples/quickstart -payload examples/quickstart/wrong-payload.json
//	go run ./examples/quickstart -demo stopped
//	go run ./examples/quickstart -demo slow
//
// The same program runs a definition of yours against any HTTPS API:
//
//	export SN_SECRET=…
//	go run ./examples/quickstart -definition mine.json -payload call.json \
//		-url https://dev00000.service-now.com -secret clientSecret=SN_SECRET
//
// servicenow.json and payload.json, beside this file, are a definition and a payload to
// start from. To read the program, follow [run] down.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "quickstart: "+explain(err))
		os.Exit(1)
	}
}

// run is the whole job, in the order in which an application does it.
func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	def, payload, err := o.load()
	if err != nil {
		return err
	}
	var local *demo
	if o.local() {
		if local, err = startDemo(o); err != nil {
			return err
		}
		defer local.close()
		o.url = local.url()
	}
	if err := def.complete(o.url); err != nil {
		return err
	}

	s, err := open(ctx, o, local)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	p := &printer{out: out}
	p.opened(s)

	con, err := s.connect(ctx, def, p)
	if err != nil {
		return err
	}
	if err := s.secrets(ctx, con, o, local, p); err != nil {
		return err
	}
	local.stopIfAsked()
	if err := s.check(ctx, con, o.timeout, p); err != nil {
		return err
	}
	local.misbehave()
	return s.calls(ctx, con, def.Run, payload, o.timeout, p)
}
