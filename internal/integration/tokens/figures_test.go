package tokens_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// figuresVariable names the variable whose value "full" makes the proofs as large as in the
// README's table.
const figuresVariable = "HUB_FIGURES"

// size returns how many expiries and callers of each process a proof takes.
func size() (expiries, callers int) {
	if os.Getenv(figuresVariable) == "full" {
		return 10, 1250
	}
	return 2, 25
}

const processes = 8

// load lets processes call at each expiry, and returns how many calls failed.
func load(t *testing.T, what task) (failed int) {
	expiries, callers := size()
	if what.Callers == 0 {
		what.Callers = callers
	}
	all := []*process{}
	for range processes {
		all = append(all, launch(t, what))
	}
	for range expiries {
		for _, p := range all {
			p.begin(t)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, p := range all {
			wg.Go(func() {
				n, ok := p.failures()
				assert.True(t, ok, &p.log)
				if n > 0 {
					t.Logf("a process had %d failures, the first in each round: %s", n, &p.log)
				}
				mu.Lock()
				failed += n
				mu.Unlock()
			})
		}
		wg.Wait()
	}
	return failed
}

// Eight processes share a database file, and call when their token has expired: one request
// renews it, nobody uses a refresh token twice, and no grant is lost. The same through
// golang.org/x/oauth2, which keeps tokens in memory, loses the grant.
func TestFiguresOfManyProcesses(t *testing.T) {
	expiries, callers := size()
	report := func(name string, calls, reused int, revoked bool, failed int) {
		t.Logf("| %-20s | %d × %d | %d | %.2f | %d | %t | %d |", name, processes, callers, expiries,
			float64(calls)/float64(expiries), reused, revoked, failed)
	}
	t.Log("| library | processes × callers | expiries | token calls per expiry | reuse detected | grant lost | calls failed |")

	srv, at := newServer(t, 0), newPlace(t)
	connect(t, at.start(t, &clock{}), srv, 0, 120_000)
	srv.figures()
	failed := load(t, task{Place: at})
	calls, reused, revoked := srv.figures()
	report("hub", calls, reused, revoked, failed)
	assert.Equal(t, expiries, calls)
	assert.Zero(t, reused)
	assert.False(t, revoked)
	assert.Zero(t, failed)

	srv = newServer(t, 0)
	failed = load(t, task{Plain: srv.URL + "/token", CA: srv.CA()})
	calls, reused, revoked = srv.figures()
	report("golang.org/x/oauth2", calls, reused, revoked, failed)
	assert.True(t, revoked, "the comparison holds no longer")
}

// end is one way for the holder of a lease to end.
type end struct {
	at     point
	signal syscall.Signal
	grace  time.Duration
	want   []string // any of them
}

const (
	recovered = "recovered"
	flagged   = "needs re-authentication"
)

// The holder of the lease is killed, or stopped past its lease and woken up, at every point of
// a renewal: the connector recovers or says that it needs somebody, and nobody uses a refresh
// token twice outside the server's grace.
func TestFiguresOfHoldersThatEnd(t *testing.T) {
	const kill, stop = syscall.SIGKILL, syscall.SIGSTOP
	only := func(s string) []string { return []string{s} }
	for _, e := range []end{
		{beforeLease, kill, 0, only(recovered)},
		{beforeCall, kill, 0, only(flagged)},
		{duringCall, kill, 0, only(flagged)},
		{beforeAnswer, kill, 0, only(flagged)},
		{afterAnswer, kill, 0, only(recovered)},
		{beforeLease, kill, 30 * time.Second, only(recovered)},
		{beforeCall, kill, 30 * time.Second, only(recovered)},
		{duringCall, kill, 30 * time.Second, only(recovered)},
		{beforeAnswer, kill, 30 * time.Second, only(recovered)},
		{afterAnswer, kill, 30 * time.Second, only(recovered)},
		{beforeLease, stop, 0, only(recovered)},
		{beforeCall, stop, 0, []string{recovered, flagged}},
		{duringCall, stop, 0, []string{recovered, flagged}},
		{beforeAnswer, stop, 0, only(recovered)}, // the answer was in its hands
		{afterAnswer, stop, 0, only(recovered)},
		{beforeLease, stop, 30 * time.Second, only(recovered)},
		{beforeCall, stop, 30 * time.Second, only(recovered)},
		{duringCall, stop, 30 * time.Second, only(recovered)},
		{beforeAnswer, stop, 30 * time.Second, only(recovered)},
		{afterAnswer, stop, 30 * time.Second, only(recovered)},
	} {
		t.Run(fmt.Sprintf("%s %s, grace %s", e.signal, e.at, e.grace), func(t *testing.T) {
			t.Parallel()
			e.run(t)
		})
	}
}

func (e end) run(t *testing.T) {
	s := e.provoke(t)
	for tries := 1; !s.ended; tries++ {
		require.Less(t, tries, 20, "it never comes to its end")
		s = e.provoke(t)
	}
	srv, h := s.srv, s.h
	got := flagged
	if e.settles(t, h) == nil {
		got = recovered
	}
	if e.signal == syscall.SIGSTOP {
		require.NoError(t, s.p.cmd.Process.Signal(syscall.SIGCONT))
		require.True(t, <-s.round, &s.p.log)
		got = e.woken(t, h)
	}
	st, err := h.AuthStatus(t.Context(), "con")
	require.NoError(t, err)
	if got == flagged && st.State == hub.AuthHealthy { // the holder wrote its answer a moment later
		succeeds(t, h)
		got = recovered
	}
	calls, reused, _ := srv.figures()
	t.Logf("| %s | %s | %s | %s | %d | %d |", e.signal, e.at, e.grace, got, calls, reused)
	assert.Contains(t, e.want, got)
	assert.Zero(t, reused, "a refresh token was used twice outside the grace")
	assert.LessOrEqual(t, calls, 2, "a loop")
	if got == flagged {
		assert.Equal(t, hub.AuthNeedsReauthentication, st.State, "lost in silence")
	}
}

// scene is a holder that has ended, and who comes after it.
type scene struct {
	srv   *server
	h     *hub.Hub
	p     *process
	round chan bool // whether the holder has outlived its round
	ended bool
}

// provoke lets a process come to its end. Where its callers give up before that, on a busy machine,
// it is another's turn.
func (e end) provoke(t *testing.T) scene {
	srv, at, c := newServer(t, e.grace), newPlace(t), &clock{}
	s := scene{srv: srv, h: at.start(t, c), round: make(chan bool, 1)}
	connect(t, s.h, srv, int(e.grace.Seconds()), 4000)
	srv.figures()
	c.expire()

	s.p = launch(t, task{Place: at, Callers: 10, End: e.at, Signal: e.signal})
	if e.at == duringCall {
		srv.onHandled(sync.OnceFunc(func() { _ = s.p.cmd.Process.Signal(e.signal) }))
	}
	s.p.begin(t)
	go func() {
		_, ok := s.p.failures()
		s.round <- ok
	}()
	for {
		select {
		case alive := <-s.round:
			s.ended = !alive
			return s
		case <-time.After(10 * time.Millisecond):
			if s.p.stopped() {
				s.ended = true
				return s
			}
		}
	}
}

// woken waits for what a holder makes of its answer that went on past its lease: where it had
// one, its callers gave up long before it is written.
func (e end) woken(t *testing.T, h *hub.Hub) string {
	if len(e.want) == 1 {
		succeeds(t, h)
		return recovered
	}
	if e.settles(t, h) != nil {
		return flagged
	}
	return recovered
}

// succeeds calls until a call succeeds: what another process wrote is heard of a moment later.
func succeeds(t *testing.T, h *hub.Hub) {
	require.Eventually(t, func() bool { return read(t.Context(), h) == nil }, time.Minute, 10*time.Millisecond)
}

// settles calls until calls succeed, or the connector says that it needs somebody.
func (e end) settles(t *testing.T, h *hub.Hub) error {
	for begun := time.Now(); ; {
		err := read(t.Context(), h)
		if err == nil {
			return nil
		}
		require.Less(t, time.Since(begun), 2*time.Minute, "neither: %v", err)
		st, failed := h.AuthStatus(t.Context(), "con")
		require.NoError(t, failed)
		if st.State == hub.AuthNeedsReauthentication {
			return err
		}
	}
}

// stopped reports whether a process is.
func (p *process) stopped() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	return err == nil && strings.Contains(string(stat), ") T ")
}
