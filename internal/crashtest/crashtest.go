// Package crashtest kills programs that write to a store, at random moments, and looks
// whether the store has kept what it promised: no acknowledged write is lost, none is there in
// part, and it opens.
package crashtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/integrationhub/hub/storage"
)

// Rounds is the variable that says how often [Run] kills.
const Rounds = "HUB_CRASH_ROUNDS"

const (
	defaultRounds = 300

	lanes = 4

	// perPlace is after how many rounds a new place is begun, so that looking through all
	// that was written stays quick.
	perPlace = 25

	// latest is when a writer is killed at the latest, counted from its first write.
	latest = 60 * time.Millisecond
)

// Subject is a kind of store under test.
type Subject struct {
	// Place returns the name of a new place, such as a path, where no store is yet.
	Place func(t *testing.T) string
	// Writer is the command of a program that opens the store at a place, hands it to
	// [Write], and does nothing else.
	Writer func(t *testing.T, place string) *exec.Cmd
	// Open opens the store at a place in this process.
	Open func(t *testing.T, place string) (storage.Store, error)
}

// Run kills writers in 300 rounds, or as many as [Rounds] says, in several places at a time,
// and demands after each that the store is intact. The test runs parallel to others.
func Run(t *testing.T, s Subject) {
	each := (rounds(t) + lanes - 1) / lanes
	for lane := range lanes {
		t.Run(fmt.Sprint("lane ", lane+1), func(t *testing.T) {
			t.Parallel()
			total, err := s.lane(t, each)
			if err == nil && total == 0 {
				err = errors.New("nothing was written")
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d writes in %d rounds, none lost", total, each)
		})
	}
}

// lane kills one writer after the other and returns how many writes survived all that.
func (s Subject) lane(t *testing.T, rounds int) (total int64, err error) {
	var place string
	var before, now int64 // writes in this place, after the round before and now
	for round := range rounds {
		if round%perPlace == 0 {
			place, before = s.Place(t), 0
		}
		early := round > 0 && rand.N(10) == 0
		acknowledged, err := kill(s.Writer(t, place), early)
		if err == nil {
			now, err = s.inspect(t, place)
		}
		if err != nil {
			return 0, fmt.Errorf("round %d: %w", round, err)
		}
		if now < max(acknowledged, before) {
			return 0, fmt.Errorf("round %d: %d writes were acknowledged, and %d before; %d are there", round, acknowledged, before, now)
		}
		total += now - before
		before = now
	}
	return total, nil
}

func rounds(t *testing.T) int {
	text := os.Getenv(Rounds)
	if text == "" {
		return defaultRounds
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, not a number of rounds", Rounds, text)
	}
	return n
}

// kill runs a writer, kills it a while after it has begun to write, or early, while it opens the
// store, and returns the number of the last write that it acknowledged, 0 if none.
func kill(cmd *exec.Cmd, early bool) (last int64, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	last, err = listen(out, early, func() { _ = cmd.Process.Kill() })
	ended := cmd.Wait()
	if err != nil {
		return 0, err
	}
	if ended == nil || !strings.Contains(ended.Error(), "killed") {
		return 0, fmt.Errorf("the writer ended by itself: %v: %s", ended, complaint.String())
	}
	return last, nil
}

// listen reads what a writer acknowledges until it has died of die.
func listen(out io.Reader, early bool, die func()) (last int64, err error) {
	killer := time.AfterFunc(delay(early), die)
	defer func() { killer.Stop() }()
	lines := bufio.NewReader(out)
	for begun := false; ; begun = true {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return last, nil // what has no newline is no acknowledgement
		}
		if err == nil {
			_, err = fmt.Sscanf(line, "wrote %d\n", &last)
		}
		if err != nil {
			die()
			return 0, fmt.Errorf("the writer says %q: %w", line, err)
		}
		if !begun && !early {
			killer.Stop()
			killer = time.AfterFunc(rand.N(latest), die)
		}
	}
}

// delay is how long a writer may take from its start: some are killed while they open.
func delay(early bool) time.Duration {
	if early {
		return rand.N(latest)
	}
	return time.Minute
}

func head() storage.Key { return storage.Key{Kind: "head", ID: "head"} }

// Write makes write after write until the process dies, and prints the number of each when
// it is acknowledged. A write consists of three records, one of them the head, whose revision
// is the write's number.
func Write(ctx context.Context, s storage.Store) error {
	n := int64(0)
	if r, err := s.Get(ctx, head()); err == nil {
		n = r.Revision
	}
	for {
		if err := s.Apply(ctx, entries(n+1)...); err != nil {
			return err
		}
		n++
		fmt.Println("wrote", n)
	}
}

func entries(n int64) []storage.Change {
	first := storage.Create(storage.Record{Key: head(), Revision: n})
	if n > 1 {
		first = storage.Update(storage.Record{Key: head(), Revision: n}, n-1)
	}
	changes := []storage.Change{first}
	for _, kind := range sides {
		changes = append(changes, storage.Create(storage.Record{
			Key:      storage.Key{Kind: kind, ID: strconv.FormatInt(n, 10)},
			Labels:   []storage.Label{{Key: "of", Value: kind}},
			Revision: 1,
			Data:     make([]byte, n*37%6000),
		}))
	}
	return changes
}

var sides = [...]string{"left", "right"}

// inspect opens the store, checks that writes are there whole, and returns how many.
func (s Subject) inspect(t *testing.T, place string) (n int64, err error) {
	opened, err := s.Open(t, place)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	r, err := opened.Get(t.Context(), head())
	if err == nil {
		n = r.Revision
	} else if !errors.Is(err, storage.ErrNotFound) {
		return 0, err
	}
	for _, kind := range sides {
		byLabel := storage.Query{Kind: kind, Labels: []storage.Label{{Key: "of", Value: kind}}}
		for _, q := range []storage.Query{byLabel, {Kind: kind}} {
			there, err := count(t.Context(), opened, q)
			if err != nil {
				return 0, err
			}
			if there != n {
				return 0, fmt.Errorf("after write %d there are %d records of kind %q", n, there, kind)
			}
		}
	}
	return n, nil
}

func count(ctx context.Context, s storage.Store, q storage.Query) (n int64, err error) {
	q.Limit = storage.MaxPage
	for {
		page, err := s.List(ctx, q)
		if err != nil {
			return 0, err
		}
		n += int64(len(page.Records))
		if page.Next == "" {
			return n, nil
		}
		q.After = page.Next
	}
}
