package hubotel

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/integrationhub/hub"
)

// StartCall implements [hub.Tracer].
func (t *Telemetry) StartCall(ctx context.Context, e hub.Event) (context.Context, func(hub.Event)) {
	ctx, span := t.tracer.Start(ctx, t.operations.of(e.Op))
	if !span.IsRecording() {
		return ctx, t.callEnded
	}
	return ctx, func(e hub.Event) {
		t.meters.call(ctx, &e)
		t.endCall(span, &e)
	}
}

// StartAttempt implements [hub.Tracer].
func (t *Telemetry) StartAttempt(ctx context.Context, e hub.Event, header http.Header) (context.Context, func(hub.Event)) {
	var span trace.Span
	if trace.SpanFromContext(ctx).IsRecording() {
		begin := t.attempts.of(target{e.Method, e.Host, e.Path})
		ctx, span = t.tracer.Start(ctx, begin.name, again(begin.options, &e)...)
	}
	if t.propagate != nil && t.propagate(e) {
		t.propagator.Inject(ctx, propagation.HeaderCarrier(header))
	}
	if span == nil {
		return ctx, t.attemptEnded
	}
	return ctx, func(e hub.Event) {
		t.meters.attempt(ctx, &e)
		endAttempt(span, &e)
	}
}

// who is whose call it was, and of what.
type who struct{ operation, tenant, connector, connectorID, request string }

// attributes spells out whose call it was, and room for how it went.
func (w who) attributes() []attribute.KeyValue {
	list := make([]attribute.KeyValue, 0, 6)
	list = append(list, attribute.String(keyOperation, w.operation), text(keyTenant, w.tenant), text(keyConnector, w.connector))
	if w.connectorID != "" {
		list = append(list, text(keyConnectorID, w.connectorID))
	}
	if w.request != "" {
		list = append(list, text(keyRequest, w.request))
	}
	return list
}

// succeeded is what most calls have to say.
func (w who) succeeded() []attribute.KeyValue {
	return append(w.attributes(), attribute.String(keyBranch, string(hub.OnSuccess)))
}

// endCall writes down how a call went.
func (t *Telemetry) endCall(span trace.Span, e *hub.Event) {
	w := who{e.Op, e.Tenant, e.Connector, e.ConnectorID, e.Request}
	if plain(e) {
		span.SetAttributes(t.successes.of(w)...)
		span.End()
		return
	}
	list := append(w.attributes(), attribute.String(keyBranch, string(e.Branch)))
	if e.NotRepeated != "" {
		list = append(list, attribute.String(keyNotRepeated, string(e.NotRepeated)))
	}
	if e.TokenRenewed {
		list = append(list, attribute.Bool(keyRenewed, true))
	}
	if e.SecretVersion != "" {
		list = append(list, attribute.String(keyVersion, string(e.SecretVersion)))
	}
	if e.Substitute != "" {
		list = append(list, attribute.String(keySubstitute, string(e.Substitute)), attribute.String(keyCause, string(e.Code)))
	}
	if word := failed(e); word != "" {
		list = append(list, semconv.ErrorTypeKey.String(word))
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(list...)
	span.End()
}

// plain reports whether there is no more to say of a call than that it succeeded.
func plain(e *hub.Event) bool {
	return e.Branch == hub.OnSuccess && e.Substitute == "" && !e.TokenRenewed && e.SecretVersion == "" && e.ConnectorID != ""
}

// failed is the word for what went wrong with a call, empty if it succeeded: with a substitute
// it did, whatever kept its own answer away.
func failed(e *hub.Event) string {
	if e.Branch == hub.OnSuccess {
		return ""
	}
	return string(e.Code)
}

// begin is how a span starts.
type begin struct {
	name    string
	options []trace.SpanStartOption
}

// target is what attempts have in common that are made by one definition.
type target struct{ method, host, path string }

// begin is how their spans start: named after verb and path as they are defined, with what
// samplers see of them.
func (at target) begin() begin {
	name := methodOf(at.method)
	list := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(name)}
	if host, port := address(at.host); host != "" {
		list = append(list, semconv.ServerAddress(host), semconv.ServerPort(port))
	}
	if at.path != "" {
		path := clean(at.path)
		name += " " + path
		list = append(list, semconv.URLTemplate(path))
	}
	return begin{name, []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(list...)}}
}

// again adds what attempts after the first have to say, and those that waited.
func again(options []trace.SpanStartOption, e *hub.Event) []trace.SpanStartOption {
	var list []attribute.KeyValue
	if e.Number > 1 {
		list = append(list, semconv.HTTPRequestResendCount(e.Number-1))
	}
	if len(e.Attempts) > 0 && e.Attempts[0].Wait > 0 {
		list = append(list, attribute.Float64(keyWait, e.Attempts[0].Wait.Seconds()))
	}
	if list == nil {
		return options
	}
	return append(slices.Clip(options), trace.WithAttributes(list...))
}

// endAttempt writes down how an attempt went.
func endAttempt(span trace.Span, e *hub.Event) {
	list := make([]attribute.KeyValue, 0, 5)
	if e.Status != 0 {
		list = append(list, semconv.HTTPResponseStatusCode(e.Status))
	}
	failure := ""
	for _, a := range e.Attempts {
		failure = a.Failure
		list = append(list, semconv.HTTPRequestBodySize(int(a.BytesOut)), semconv.HTTPResponseBodySize(int(a.BytesIn)))
		if a.Failure != "" {
			list = append(list, attribute.Bool(keySent, a.Sent))
		}
		if a.Address != "" && a.Address != "public" {
			list = append(list, attribute.String(keyAddress, a.Address))
		}
		if a.Verdict != "" {
			list = append(list, attribute.String(keyVerdict, string(a.Verdict)))
		}
	}
	if word := errorType(failure, e.Status); word != "" {
		list = append(list, semconv.ErrorTypeKey.String(word))
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(list...)
	span.End()
}

// errorType is the word for what went wrong with an attempt, empty if nothing did.
func errorType(failure string, status int) string {
	switch {
	case failure != "":
		return failure
	case status >= http.StatusBadRequest:
		return strconv.Itoa(status)
	}
	return ""
}

// methodOf is a verb as the conventions know it.
func methodOf(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return method
	}
	return "_OTHER"
}

// address splits an entry of a connector's Hosts. The port is 443 unless it says otherwise.
func address(host string) (string, int) {
	if i := strings.LastIndexByte(host, ':'); i < 0 || strings.HasSuffix(host, "]") {
		return strings.Trim(host, "[]"), 443
	}
	name, digits, err := net.SplitHostPort(host)
	port, bad := strconv.Atoi(digits)
	if err != nil || bad != nil {
		return "", 0
	}
	return name, port
}
