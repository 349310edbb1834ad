package tokens_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/internal/integration/oidc"
	"github.com/integrationhub/hub/storage"
)

// taskVariable names the variable that makes the test binary another process of a proof.
const taskVariable = "HUB_TOKENS_TASK"

func TestMain(m *testing.M) {
	if text := os.Getenv(taskVariable); text != "" {
		if err := work(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		oidc.Remove()
		os.Exit(code)
	}))
}

// task is what a process does: each line on its standard input is one expiry and one round of
// calls, whose failures it counts on its standard output.
type task struct {
	Place   place
	Callers int
	// End is where in a renewal the process ends itself, by Signal; empty: nowhere.
	End    point
	Signal syscall.Signal
	// Plain is the URL of a token endpoint to use through golang.org/x/oauth2 instead of
	// a hub, and CA what it is trusted by.
	Plain string
	CA    []byte
}

func work(text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	ctx := context.Background()
	var c clock
	call, stop, err := t.caller(ctx, &c)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	rounds := bufio.NewScanner(os.Stdin)
	for rounds.Scan() {
		c.expire()
		fmt.Println(t.round(ctx, call))
	}
	return stop()
}

func (t task) caller(ctx context.Context, c *clock) (func(context.Context) error, func() error, error) {
	if t.Plain != "" {
		call, err := plain(ctx, t.Plain, t.CA)
		return call, func() error { return nil }, err
	}
	h, stop, err := t.Place.open(ctx, c, func(s storage.Store) storage.Store {
		if t.End == "" {
			return s
		}
		return &ending{Store: s, task: t}
	})
	return func(ctx context.Context) error { return read(ctx, h) }, stop, err
}

// round lets all callers call at once, and counts those that failed.
func (t task) round(ctx context.Context, call func(context.Context) error) int64 {
	var failed atomic.Int64
	var wg sync.WaitGroup
	for range t.Callers {
		wg.Go(func() {
			if err := call(ctx); err != nil && failed.Add(1) == 1 {
				fmt.Fprintln(os.Stderr, err)
			}
		})
	}
	wg.Wait()
	return failed.Load()
}

// point is a moment of a renewal.
type point string

const (
	beforeLease  point = "before the lease is written"
	beforeCall   point = "before the call is sent"
	duringCall   point = "before the answer comes" // the server ends the process
	beforeAnswer point = "before the answer is written"
	afterAnswer  point = "after the answer is written"
)

// ending is a store whose process ends when a renewal comes to a point.
type ending struct {
	storage.Store
	task task
	once sync.Once
}

func (e *ending) Apply(ctx context.Context, changes ...storage.Change) error {
	before, after := e.points(changes)
	if e.task.End == before {
		e.once.Do(e.end)
	}
	err := e.Store.Apply(ctx, changes...)
	if e.task.End == after {
		e.once.Do(e.end)
	}
	return err
}

// end ends the process. The signal is for the thread that runs this, so that it does not go on
// before the signal has reached the others, and is stopped while it holds the database.
func (e *ending) end() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), e.task.Signal)
}

// points names the moments before and after a write.
func (e *ending) points(changes []storage.Change) (before, after point) {
	switch {
	case len(changes) != 1 || changes[0].Record.Kind != "grant":
		return "-", "-"
	case strings.Contains(string(changes[0].Record.Data), `"lease"`):
		return beforeLease, beforeCall
	default:
		return beforeAnswer, afterAnswer
	}
}

// process is another process of a proof.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	log words
}

// words are what a process has said so far.
type words struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func launch(t testing.TB, what task) *process {
	text, err := json.Marshal(what)
	require.NoError(t, err)
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	p.cmd.Stderr = &p.log
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewScanner(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // however it ended
	})
	require.True(t, p.out.Scan(), "it did not start: %s", &p.log)
	return p
}

// begin begins a round.
func (p *process) begin(t testing.TB) {
	_, err := io.WriteString(p.in, "go\n")
	require.NoError(t, err)
}

// failures waits for the end of a round; false if the process ended first.
func (p *process) failures() (n int, ok bool) {
	if !p.out.Scan() {
		return 0, false
	}
	_, err := fmt.Sscan(p.out.Text(), &n)
	return n, err == nil
}
