package histories_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlite"
)

// The environment of a child: the kind of its store and where that is, and the keyset.
const (
	childStore = "HUB_CHILD_STORE"
	childPlace = "HUB_CHILD_PLACE"
	childKeys  = "HUB_CHILD_KEYS"
)

// openKind opens a store by the name that a child is told.
func openKind(ctx context.Context, kind, place string) (storage.Store, error) {
	switch kind {
	case "sqlite":
		return sqlite.Open(ctx, place, nil)
	case "postgres":
		return postgres.Open(ctx, place, nil)
	case "postgres without notices":
		s, err := postgres.Open(ctx, place, &postgres.Options{TablePrefix: "silent_"})
		return silent{s}, err
	}
	return nil, fmt.Errorf("there is no store of the kind %q", kind)
}

// instance is a process with a hub that reads commands and answers each in a line: the name of
// a request gives its URL and how a call ends, "later" moves the clock by a second.
func instance() int {
	ctx := context.Background()
	if err := serve(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	store, err := openKind(ctx, os.Getenv(childStore), os.Getenv(childPlace))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	keys, err := keyset.OpenOrCreate(ctx, os.Getenv(childKeys), store)
	if err != nil {
		return err
	}
	now := &clock{}
	h, err := hub.New(store, keys, &hub.Options{Now: now.Now, Egress: loopback})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	for commands := bufio.NewScanner(in); commands.Scan(); {
		answer := "later"
		if command := commands.Text(); command == "later" {
			now.advance(time.Second)
		} else {
			answer = called(ctx, h, command)
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return nil
}

func called(ctx context.Context, h *hub.Hub, request string) string {
	call := hub.Call{Connector: "con", Request: request}
	url := ""
	plan, err := h.Plan(ctx, call)
	if err == nil {
		url = plan.URL + " "
		_, err = h.Execute(ctx, call)
	}
	if e, ok := errors.AsType[*hub.Error](err); ok {
		return url + string(e.Code)
	}
	return fmt.Sprint(url, err)
}

// loopback opens a port of the loopback interface where nobody listens.
var loopback = hub.Egress{AllowLoopback: true, AllowHTTP: true, AllowPorts: []int{1}}

const nowhere = "http://127.0.0.1:1/"

// spawn starts an instance and returns what asks it.
func spawn(t *testing.T, kind, place, keys string) func(command string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childStore+"="+kind, childPlace+"="+place, childKeys+"="+keys)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		assert.NoError(t, cmd.Wait())
	})
	answers := bufio.NewReader(out)
	return func(command string) string {
		_, err := fmt.Fprintln(in, command)
		require.NoError(t, err)
		line, err := answers.ReadString('\n')
		require.NoError(t, err)
		return strings.TrimSpace(line)
	}
}

// Two processes share a store: what one edits, deactivates or deletes is so in the other,
// where no notice arrives once the freshness bound of a second is over, and else by itself.
func TestProcessesShareAStore(t *testing.T) {
	server := dbtest.Postgres(t)
	for kind, place := range map[string]string{
		"sqlite":                   filepath.Join(t.TempDir(), "hub.db"),
		"postgres":                 server.DSN(),
		"postgres without notices": server.DSN(),
	} {
		t.Run(kind, func(t *testing.T) {
			keys := filepath.Join(t.TempDir(), "keys")
			here := hereAt(t, kind, place, keys)
			_, con, err := here.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "App", Methods: []string{"GET"}},
				hub.Connector{Name: "con", Requests: []hub.Request{
					{Name: "go", Method: "GET", URL: nowhere + "old", Retry: &hub.Retry{Attempts: 1}},
					{Name: "gone", Method: "GET", URL: nowhere, Retry: &hub.Retry{Attempts: 1}},
				}})
			require.NoError(t, err)
			ask := spawn(t, kind, place, keys)
			require.Equal(t, nowhere+"old unreachable", ask("go"))
			require.Equal(t, nowhere+" unreachable", ask("gone"))

			then := func(request, want string) {
				t.Helper()
				if kind == "postgres" { // its clock stands still
					require.Eventually(t, func() bool { return ask(request) == want }, time.Minute, time.Millisecond)
					return
				}
				require.NotEqual(t, want, ask(request), "it has not been looked at")
				got := ""
				heard(func() {
					ask("later")
					got = ask(request)
				})
				require.Equal(t, want, got)
			}
			con.Requests[0].URL = nowhere + "new"
			con, err = here.UpdateConnector(t.Context(), con)
			require.NoError(t, err)
			then("go", nowhere+"new unreachable")
			_, err = here.DeactivateRequest(t.Context(), con.ID, "go")
			require.NoError(t, err)
			then("go", nowhere+"new inactive")
			con, err = here.GetConnector(t.Context(), con.ID)
			require.NoError(t, err)
			require.NoError(t, here.DeleteRequest(t.Context(), con.ID, "gone", con.Revision))
			then("gone", string(hub.NotFound))
		})
	}
}

// hereAt is the hub of the test's own process.
func hereAt(t *testing.T, kind, place, keys string) *hub.Hub {
	t.Helper()
	store, err := openKind(t.Context(), kind, place)
	require.NoError(t, err)
	set, err := keyset.OpenOrCreate(t.Context(), keys, store)
	require.NoError(t, err)
	h, err := hub.New(store, set, &hub.Options{Egress: loopback})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, h.Close(context.Background()))
		require.NoError(t, store.Close())
	})
	return h
}
