package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/integrationhub/hub"
)

// printer writes aligned lines of a label and a text.
type printer struct{ out io.Writer }

func (p *printer) heading(text string) { fmt.Fprintf(p.out, "\n%s\n", text) }

func (p *printer) line(label, text string) { fmt.Fprintf(p.out, "  %-11s %s\n", label, text) }

func (p *printer) opened(s *session) {
	fmt.Fprintln(p.out, "hub")
	text := s.path + " (new)"
	if s.known {
		text = s.path + " (there from an earlier run)"
	}
	p.line("store", text)
}

// connected shows template and connector; an err passes through.
func (p *printer) connected(state string, tpl hub.Template, con hub.Connector, err error) error {
	if err != nil {
		return err
	}
	p.line("template", fmt.Sprintf("%s, version %d, authentication %s", tpl.Name, tpl.Version, tpl.AuthType))
	if len(tpl.AllowedHosts) > 0 {
		p.line("", "allows "+join(tpl.Methods)+" on "+join(tpl.AllowedHosts))
	}
	p.line("connector", con.Name+", "+state)
	p.line("", fmt.Sprintf("calls %s, within %v", join(con.Hosts), milliseconds(con.Timeout)))
	return nil
}

func (p *printer) secret(name, text string) { p.line("secret", name+", "+text) }

// plan shows the request as it would be sent, and where each part of it comes from. A plan
// holds the names of secrets, never their values.
func (p *printer) plan(plan *hub.CallPlan) {
	p.line("plan", plan.Method+" "+plan.URL)
	if plan.Body != "" {
		p.line("", plan.Body)
	}
	parts := slices.DeleteFunc(slices.Clone(plan.Parts), wholeOf(plan.Parts))
	width := 0
	for _, part := range parts {
		width = max(width, len(part.Place))
	}
	for _, part := range parts {
		p.line("", fmt.Sprintf("%-*s  from %s", width, part.Place, sourceList(part.Sources)))
	}
}

// wholeOf tells the body as a whole where its members are listed one by one.
func wholeOf(parts []hub.Part) func(hub.Part) bool {
	listed := slices.ContainsFunc(parts, func(p hub.Part) bool { return strings.HasPrefix(p.Place, "body:") })
	return func(p hub.Part) bool { return listed && p.Place == "body" }
}

func sourceList(list []hub.Source) string {
	var words []string
	for _, s := range list {
		if word := strings.TrimSpace(s.Kind + " " + s.Name); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// result shows how a call ended.
func (p *printer) result(res *hub.Result, err error, took time.Duration) {
	p.line("branch", branchOf(res, err))
	if res != nil {
		p.outputs(res.Outputs)
		for i, a := range res.Attempts {
			p.line("attempt", attemptText(i+1, a))
		}
	}
	p.line("time", short(took))
}

// branchOf names the branch, and the status of the answer if there is one.
func branchOf(res *hub.Result, err error) string {
	branch := hub.OnSuccess
	var e *hub.Error
	if errors.As(err, &e) {
		branch = e.Branch()
	}
	if res == nil {
		return string(branch)
	}
	return fmt.Sprintf("%s, status %d", branch, res.Status)
}

func (p *printer) outputs(outputs map[string]any) {
	var names []string
	width := 0
	for name := range outputs {
		names = append(names, name)
		width = max(width, len(name))
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := json.Marshal(outputs[name])
		if err != nil { // decoded from JSON: cannot happen
			text = []byte("?")
		}
		p.line("output", fmt.Sprintf("%-*s  %s", width, name, text))
	}
}

func attemptText(n int, a hub.Attempt) string {
	text := strconv.Itoa(n) + ": "
	if a.Wait > 0 {
		text += "after a wait of " + short(a.Wait) + ", "
	}
	if a.Failure != "" {
		return text + a.Failure + " after " + short(a.Duration)
	}
	return text + "status " + strconv.Itoa(a.Status) + " after " + short(a.Duration)
}

func short(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func join(words []string) string { return strings.Join(words, ", ") }
