package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
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

// key is the idempotency key of the page that is asked for, made of that of the walk: each is
// a request of its own, and the same one when the walk is made again.
func (p *paging) key(of string) string {
	if p == nil || p.pages == 0 || of == "" {
		return of
	}
	suffix := "-" + strconv.Itoa(p.pages+1)
	if len(of)+len(suffix) > maxIdempotencyKey {
		digest := sha256.Sum256([]byte(of))
		of = hex.EncodeToString(digest[:])
	}
	return of + suffix
}

// blank reports whether nothing of a header's value would be sent.
func blank(value string) bool { return strings.Trim(value, " \t") == "" }

// safe reports whether a method asks for no effect (RFC 9110 section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
