package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What the program runs if it is not told otherwise.
var (
	//go:embed servicenow.json
	sampleDefinition []byte
	//go:embed payload.json
	samplePayload []byte
)

// options are the command line.
type options struct {
	dir           string            // where database and keyset are
	definition    string            // file; empty: the sample
	payload       string            // file; empty: the sample, or none
	url           string            // base of the definition's relative URLs; empty: the local server
	secrets       map[string]string // :: name of a secret → name of an environment variable
	demo          string            // how the local server behaves
	timeout       time.Duration     // of one call; zero: the connector's
	allowLoopback bool
}

// local reports whether the local server is to be called.
func (o *options) local() bool { return o.url == "" && o.definition == "" }

func parse(args []string, out io.Writer) (*options, error) {
	o := &options{secrets: map[string]string{}}
	f := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.dir, "dir", "", "`folder` of the database and the keyset; default: a folder in the user's cache")
	f.StringVar(&o.definition, "definition", "", "`file` with a template, a connector and the names of the requests to run")
	f.StringVar(&o.payload, "payload", "", "`file` with the payload of the first request")
	f.StringVar(&o.url, "url", "", "https `URL` that stands before the definition's URLs that begin with /")
	f.Func("secret", "`name=VARIABLE`: a secret of the connector and the environment variable that holds it; repeatable", o.addSecret)
	f.StringVar(&o.demo, "demo", demoNormal, "how the local server behaves: "+strings.Join(demos, ", "))
	f.DurationVar(&o.timeout, "timeout", 0, "most `time` of a call, such as 2s; default: the connector's")
	f.BoolVar(&o.allowLoopback, "allow-loopback", false, "permit calls to this machine, on any port")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is no option: quickstart -help lists them", f.Arg(0))
	}
	if o.dir != "" {
		return o, o.check()
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, errors.New("there is no cache folder for the database: name a folder with -dir")
	}
	o.dir = filepath.Join(cache, "integrationhub-quickstart")
	return o, o.check()
}

func (o *options) addSecret(text string) error {
	name, variable, ok := strings.Cut(text, "=")
	if !ok || name == "" || variable == "" {
		return errors.New("must be name=VARIABLE; the value itself does not belong on a command line")
	}
	o.secrets[name] = variable
	return nil
}

// check refuses what the local server could not do.
func (o *options) check() error {
	if !isDemo(o.demo) {
		return fmt.Errorf("-demo %s: must be one of %s", o.demo, strings.Join(demos, ", "))
	}
	if o.timeout < 0 {
		return errors.New("-timeout must not be negative")
	}
	if o.demo != demoNormal && !o.local() {
		return errors.New("-demo is about the local server: leave out -definition and -url")
	}
	return nil
}

// load reads the definition and the payload.
func (o *options) load() (*definition, []byte, error) {
	text, err := readOr(o.definition, sampleDefinition)
	if err != nil {
		return nil, nil, fmt.Errorf("-definition: %w", err)
	}
	def, err := parseDefinition(text)
	if err != nil {
		return nil, nil, err
	}
	sample := samplePayload
	if o.definition != "" {
		sample = nil // the request's own Sample, if it has one
	}
	payload, err := readOr(o.payload, sample)
	if err != nil {
		return nil, nil, fmt.Errorf("-payload: %w", err)
	}
	return def, payload, nil
}

func readOr(file string, otherwise []byte) ([]byte, error) {
	if file == "" {
		return otherwise, nil
	}
	return os.ReadFile(file)
}
