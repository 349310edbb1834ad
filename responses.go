package hub

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/ref"
	"github.com/integrationhub/hub/internal/transport"
	"github.com/integrationhub/hub/internal/xmlpath"
)

// ResponseRule says what some answers mean.
//
//	{"when": {"statuses": ["200"], "path": "status", "values": ["busy"]}, "then": "retry"}
type ResponseRule struct {
	// When tells which answers. Empty: all, which only the last rule of a list may do.
	When AnswerMatch `json:"when"`
	// Then is what they mean.
	Then Verdict `json:"then"`
	// Message explains an answer that is no success, for [Error.Detail] and Studio's ERR.
	// {{path}} and {{path ?? "none"}} are values of the answer's body, {{@status}} is its
	// status. A value is text from outside: it is shown in quotes, without known secrets,
	// and all of them together are cut at 512 bytes. Empty: the answer's status.
	Message string `json:"message,omitempty"`
}

// Verdict is what an answer means.
type Verdict string

// The verdicts.
const (
	// VerdictSuccess: the call succeeded, whatever the status.
	VerdictSuccess Verdict = "success"
	// VerdictIgnore: the call succeeded, and the answer has nothing to say: outputs take
	// their defaults, those without one are left out, OutputSchema is not asked, ExecuteTo
	// writes nothing, and a walk over pages ends.
	VerdictIgnore Verdict = "ignore"
	// VerdictFail: the call failed, and sending it again would not help.
	VerdictFail Verdict = "fail"
	// VerdictRetry: the call failed for now. It is sent again as after a status in
	// Retry.Statuses: a POST or PATCH only if it is Retry.Idempotent.
	VerdictRetry Verdict = "retry"
	// VerdictRateLimited: the third party wants fewer calls. The call is sent again as after
	// status 429: a POST or PATCH that is not Retry.Idempotent only if the answer carries
	// Retry-After.
	VerdictRateLimited Verdict = "rate-limited"
	// VerdictRefreshToken: the token is no longer good. It is renewed once, and the call
	// sent again once, as after status 401.
	VerdictRefreshToken Verdict = "refresh-token"
)

// Bounds of a list of response rules.
const (
	maxResponses = 20
	maxHoles     = 10 // in a message
)

// responsePlan is a ResponseRule compiled.
type responsePlan struct {
	path    string // of the definition: requests[2].responses[0]
	when    matchPlan
	then    Verdict
	message []hole
}

// hole is a piece of a message: text, or a value of the answer.
type hole struct {
	ref.Segment
	at bodyPath
}

// responses compiles the response rules of a request.
func (p *problems) responses(plan *requestPlan) {
	list, path := plan.def.Responses, in(plan.path, "responses")
	p.count(path, len(list), maxResponses)
	for i, r := range list {
		rule := responsePlan{path: at(path, i), then: r.Then}
		if r.When.empty() && i < len(list)-1 {
			p.add(in(rule.path, "when"), "unreachable", "matches every answer, and so only the last rule may: those after it would never be asked")
		}
		rule.when = p.match(in(rule.path, "when"), r.When, &plan.xpaths)
		among(p, in(rule.path, "then"), r.Then,
			VerdictSuccess, VerdictIgnore, VerdictFail, VerdictRetry, VerdictRateLimited, VerdictRefreshToken)
		rule.message = p.message(in(rule.path, "message"), r, &plan.xpaths)
		plan.responses = append(plan.responses, rule)
	}
}

// message compiles the message of a rule.
func (p *problems) message(path string, r ResponseRule, set *xmlpath.Set) []hole {
	p.line(path, r.Message, maxForeign)
	if r.Message != "" && (r.Then == VerdictSuccess || r.Then == VerdictIgnore) {
		p.add(path, "verdict", "a success has nothing to explain")
	}
	segments, err := ref.ParseAnswer(r.Message)
	if err != nil {
		p.add(path, "reference", "%v", err)
		return nil
	}
	holes := make([]hole, 0, len(segments))
	references := 0
	for _, s := range segments {
		h := hole{Segment: s}
		if s.Reference() {
			references++
		}
		if s.Reference() && s.Text != ref.Status {
			h.at = p.bodyPath(path, s.Text, set, false)
		}
		holes = append(holes, h)
	}
	p.count(path, references, maxHoles)
	return holes
}

// rule judges the answer to one attempt by the rules of the request.
func (r *run) rule(a *transport.Answer) transport.Ruling {
	r.read = r.readAnswer(a)
	for i := range r.req.responses {
		if rule := &r.req.responses[i]; rule.when.matches(&r.read) {
			r.read.rule = rule
			return transport.Ruling{Name: string(rule.then), Repeat: repeats[rule.then]}
		}
	}
	if r.grant != nil && r.plan.refuses(&r.read) { // another token may mend it, not the same one
		return transport.Ruling{Repeat: transport.Never}
	}
	return transport.Ruling{}
}

// repeats says what verdicts mean for another attempt; the others do not allow one.
var repeats = map[Verdict]transport.Repeat{
	VerdictSuccess: transport.Never, VerdictIgnore: transport.Never, VerdictFail: transport.Never,
	VerdictRefreshToken: transport.Never, VerdictRetry: transport.Worthwhile, VerdictRateLimited: transport.Later,
}

// ruled returns the rule that the last answer matches, nil if there is none.
func (r *run) ruled() *responsePlan {
	if a := r.reading(); a != nil {
		return a.rule
	}
	return nil
}

// says reports whether there is a rule with this verdict.
func (p *responsePlan) says(v Verdict) bool { return p != nil && p.then == v }

// decided is what the call comes to by the rule that its answer matches.
func (r *run) decided(rule *responsePlan) error {
	e := failure(Rejected, r.explanation(rule))
	switch rule.then {
	case VerdictSuccess, VerdictIgnore:
		return nil
	case VerdictRetry:
		e.Retryable = true
	case VerdictRateLimited:
		e.Code, e.Retryable = RateLimited, true
	case VerdictRefreshToken:
		e.Code = Unauthorized
	default:
		if r.outcome.Answer.Status == http.StatusUnauthorized {
			e.Code = Unauthorized
		}
	}
	return r.explained(e)
}

// explanation is the message of a rule with the answer's values in it.
func (r *run) explanation(rule *responsePlan) string {
	a := r.reading()
	if len(rule.message) == 0 {
		return "the third party answered " + statusText(a.Status) + ", which " + rule.path + " takes for " + string(rule.then)
	}
	var b strings.Builder
	left := maxForeign
	for _, s := range rule.message {
		if !s.Reference() {
			b.WriteString(s.Text)
			continue
		}
		text := r.quoted(s, a, left)
		b.WriteString(text)
		left = max(0, left-len(text))
	}
	return b.String()
}

// quoted is a value of the answer to be shown, without known secrets, cut at most bytes.
func (r *run) quoted(s hole, a *reading, most int) string {
	if s.Text == ref.Status {
		return itoa(a.Status)
	}
	found := a.texts(s.at)
	if len(found) == 0 {
		return cmp.Or(s.Default, "null")
	}
	text, known := found[0], r.scrubbers()
	if a.get(s.at).Type == gjson.JSON { // its strings may be escaped
		text = string(known.JSON([]byte(text)))
	} else {
		text = known.String(text)
	}
	return quoteUpTo(text, most)
}
