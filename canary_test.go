package hub_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// A canary is a value that must not show in anything that the hub returns or emits. It is
// looked for by decoding what came out, not by encoding the value: that way the search shares
// nothing with how the hub masks.
type canary string

// views are what a text says to whoever decodes it in one of the ways that programs encode.
type views struct{ plain, runs []string }

func viewsOf(text string) views {
	return views{
		plain: []string{text, percentDecoded(text), percentDecoded(strings.ReplaceAll(text, "+", " ")), html.UnescapeString(text), jsonDecoded(text)},
		runs:  encodedRuns(text),
	}
}

// showsIn reports whether a text holds the canary in any form. A base64 form may miss one
// character at either end, which belong to its neighbours too.
func (c canary) showsIn(v views) bool {
	value, core := string(c), string(c[1:len(c)-1])
	contains := func(part string) func(string) bool {
		return func(text string) bool { return strings.Contains(text, part) }
	}
	return slices.ContainsFunc(v.plain, contains(value)) || slices.ContainsFunc(v.runs, contains(core)) ||
		strings.Contains(v.plain[0], byteList(value, "%d", " ")) || strings.Contains(v.plain[0], byteList(value, "%#x", ", "))
}

func byteList(value, format, separator string) string {
	var list []string
	for _, b := range []byte(value) {
		list = append(list, fmt.Sprintf(format, b))
	}
	return strings.Join(list, separator)
}

var percentCode = regexp.MustCompile(`(%[0-9A-Fa-f]{2})+`)

func percentDecoded(text string) string {
	return percentCode.ReplaceAllStringFunc(text, func(code string) string {
		plain, _ := url.PathUnescape(code)
		return plain
	})
}

var jsonString = regexp.MustCompile(`\\u[0-9A-Fa-f]{4}|\\.`)

func jsonDecoded(text string) string {
	return jsonString.ReplaceAllStringFunc(text, func(code string) string {
		plain, err := strconv.Unquote(`"` + code + `"`)
		if err != nil {
			return code[1:]
		}
		return plain
	})
}

var base64Run, hexRun = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`), regexp.MustCompile(`[A-Fa-f0-9]{16,}`)

// encodedRuns decodes whatever looks like base64 or hexadecimal, from each place where a
// group can begin.
func encodedRuns(text string) []string {
	var out []string
	for _, run := range base64Run.FindAllString(strings.ReplaceAll(text, `\/`, "/"), -1) {
		run = strings.NewReplacer("+", "-", "/", "_").Replace(run)
		for from := range 4 {
			tail := run[from:]
			if len(tail)%4 == 1 {
				tail = tail[:len(tail)-1]
			}
			if plain, err := base64.RawURLEncoding.DecodeString(tail); err == nil {
				out = append(out, string(plain))
			}
		}
	}
	for _, run := range hexRun.FindAllString(text, -1) {
		for from := range 2 {
			tail := run[from:]
			if plain, err := hex.DecodeString(tail[:len(tail)/2*2]); err == nil {
				out = append(out, string(plain))
			}
		}
	}
	return out
}

// sweep collects what the hub returns and emits, and looks for canaries in it.
type sweep struct {
	t        testing.TB
	canaries []canary
	checked  int

	mu  sync.Mutex
	log bytes.Buffer // of two handlers, text and JSON, at debug level
}

func newSweep(t testing.TB, canaries ...string) *sweep {
	s := &sweep{t: t}
	for _, c := range canaries {
		s.canaries = append(s.canaries, canary(c))
	}
	return s
}

// watch makes a hub report to the sweep.
func (s *sweep) watch(o *hub.Options) {
	opts := &slog.HandlerOptions{Level: slog.LevelDebug}
	o.Logger = slog.New(slog.NewMultiHandler(slog.NewTextHandler(s, opts), slog.NewJSONHandler(s, opts)))
	o.Observer = func(ctx context.Context, e hub.Event) {
		o.Logger.DebugContext(ctx, "observed", "event", fmt.Sprintf("%+v", e), "value", e)
	}
}

// Write takes a line of the log.
func (s *sweep) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// check looks for the canaries in everything that a program can make of a value.
func (s *sweep) check(what string, v any) {
	s.t.Helper()
	for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
		s.text(what+" as "+format, fmt.Sprintf(format, v))
	}
	if data, err := json.Marshal(v); err == nil {
		s.text(what+" as JSON", string(data))
	}
	if err, ok := v.(error); ok {
		s.causes(what, err)
	}
}

func (s *sweep) causes(what string, err error) {
	s.t.Helper()
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			s.check("a cause of "+what, cause)
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			s.check("the cause of "+what, cause)
		}
	}
}

func (s *sweep) text(what, text string) {
	s.t.Helper()
	v := viewsOf(text)
	for _, c := range s.canaries {
		s.checked++
		require.False(s.t, c.showsIn(v), "%s shows %q: %.2000s", what, string(c), text)
	}
}

// end looks through the log.
func (s *sweep) end() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(s.t, s.log.String())
	s.text("the log", s.log.String())
	s.t.Logf("%d texts searched for a canary, none shows one", s.checked)
}

// The search itself must find what it looks for.
func TestTheSearchForCanariesFindsThem(t *testing.T) {
	for _, c := range shapes {
		for _, e := range echoes {
			require.True(t, canary(c).showsIn(viewsOf("before "+e.encode(c)+" after")), "%q as %s", c, e.name)
		}
		require.True(t, canary(c).showsIn(viewsOf(fmt.Sprintf("%v", []byte(c)))))
		require.True(t, canary(c).showsIn(viewsOf(fmt.Sprintf("%#v", []byte(c)))))
		require.True(t, canary(c).showsIn(viewsOf(fmt.Sprintf("%q", c))))
		require.False(t, canary(c).showsIn(viewsOf("[secret]")))
	}
}
