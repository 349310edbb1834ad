package hub

import (
	"net/http"
	"strings"

	"github.com/integrationhub/hub/internal/render"
)

// requestHeaders gives a request its headers, and among them the key that Retry.IdempotencyKey
// describes.
func (k *compiler) requestHeaders(p *problems, plan *requestPlan) {
	r := &plan.def
	plan.headers, plan.headerPaths = k.mergeHeaders(OnRequest, r.Headers, in(plan.path, "headers"))
	if r.Retry == nil || r.Retry.IdempotencyKey == "" {
		return
	}
	name, path := r.Retry.IdempotencyHeader, keyPath(plan.path)
	if name == "" {
		p.add(in(plan.path, "retry.idempotencyHeader"), "required", "must name the header that carries idempotencyKey")
		return
	}
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			p.add(path, "duplicate", "is set by the request's own header %s", quote(h.Name))
		}
	}
	key := render.Pair{Name: name, Value: r.Retry.IdempotencyKey}
	for i := range plan.headers {
		if strings.EqualFold(plan.headers[i].Name, name) {
			plan.headers[i], plan.headerPaths[i] = key, path
			return
		}
	}
	plan.headers, plan.headerPaths = append(plan.headers, key), append(plan.headerPaths, path)
}

func keyPath(request string) string { return in(request, "retry.idempotencyKey") }

// safe reports whether a method asks for no effect (RFC 9110 section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
