package hubotel

import (
	"context"
	"net"
	"net/http"
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
	ctx, span := t.tracer.Start(ctx, "hub."+e.Op, t.operation(e.Op))
	if !span.IsRecording() {
		return ctx, t.callEnded
	}
	return ctx, func(e hub.Event) {
		t.meters.call(ctx, &e)
		endCall(span, &e)
	}
}

// asClient is how the spans of attempts start.
var asClient = trace.WithSpanKind(trace.SpanKindClient)

// StartAttempt implements [hub.Tracer].
func (t *Telemetry) StartAttempt(ctx context.Context, e hub.Event, header http.Header) (context.Context, func(hub.Event)) {
	var span trace.Span
	if trace.SpanFromContext(ctx).IsRecording() {
		ctx, span = t.tracer.Start(ctx, attemptName(&e), asClient, trace.WithAttributes(attemptStart(&e)...))
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

// endCall writes down how a call went.
func endCall(span trace.Span, e *hub.Event) {
	list := make([]attribute.KeyValue, 0, 6)
	list = append(list, text(keyTenant, e.Tenant), text(keyConnector, e.Connector), attribute.String(keyBranch, string(e.Branch)))
	if e.ConnectorID != "" {
		list = append(list, text(keyConnectorID, e.ConnectorID))
	}
	if e.Request != "" {
		list = append(list, text(keyRequest, e.Request))
	}
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

// failed is the word for what went wrong with a call, empty if it succeeded: with a substitute
// it did, whatever kept its own answer away.
func failed(e *hub.Event) string {
	if e.Branch == hub.OnSuccess {
		return ""
	}
	return string(e.Code)
}

// attemptName is the name of an attempt's span: verb and path as they are defined.
func attemptName(e *hub.Event) string {
	if e.Path == "" {
		return methodOf(e.Method)
	}
	return methodOf(e.Method) + " " + clean(e.Path)
}

// attemptStart is what samplers see of an attempt.
func attemptStart(e *hub.Event) []attribute.KeyValue {
	list := make([]attribute.KeyValue, 0, 6)
	list = append(list, semconv.HTTPRequestMethodKey.String(methodOf(e.Method)))
	if host, port := address(e.Host); host != "" {
		list = append(list, semconv.ServerAddress(host), semconv.ServerPort(port))
	}
	if e.Path != "" {
		list = append(list, semconv.URLTemplate(clean(e.Path)))
	}
	if e.Number > 1 {
		list = append(list, semconv.HTTPRequestResendCount(e.Number-1))
	}
	if len(e.Attempts) > 0 && e.Attempts[0].Wait > 0 {
		list = append(list, attribute.Float64(keyWait, e.Attempts[0].Wait.Seconds()))
	}
	return list
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
