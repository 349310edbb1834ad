package hub

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/render"
)

// render is the step that puts values into the call. A call that refers to the
// authentication's answer is authorized first.
func (r *run) render(ctx context.Context) (err error) {
	if r.req.program != nil && r.req.program.UsesAuth() {
		if err := r.authorize(ctx); err != nil {
			return err
		}
	}
	if err := r.write(); err != nil {
		return err
	}
	return r.compose(ctx)
}

// write makes the call as far as its definition and payload do.
func (r *run) write() (err error) {
	if r.wire, err = r.expand(r.values()); err != nil {
		return err
	}
	r.req.complete(r.wire)
	if r.paging != nil {
		if err := r.paging.turn(r); err != nil {
			return err
		}
	}
	r.digest()
	return nil
}

// values are what a call puts in.
func (r *run) values() render.Values {
	v := r.plan.lookUp.values()
	v.Payload, v.Index = r.call.Payload, r.index
	if len(r.call.Files) > 0 {
		v.File = r.about
	}
	if r.req.program == nil || r.req.program.UsesAuth() || r.req.def.PayloadMode == PayloadDynamic {
		v.AuthSecret = r.isToken
	}
	if r.grant != nil {
		v.Auth = r.grant.Answer
	}
	return v
}

// expand renders a call that is configured, or one that its payload describes.
func (r *run) expand(v render.Values) (*render.Request, error) {
	v.Scratch, v.Room = r.scratch(), &r.drawn
	defer r.scratches.Put(v.Scratch)
	var wire *render.Request
	var err error
	if r.req.def.PayloadMode == PayloadDynamic {
		wire, err = r.dynamic(v)
	} else {
		wire, err = r.req.program.Render(v)
	}
	return wire, r.req.fault(err)
}

// scratch is memory to render on, which goes back to scratches.
func (c *core) scratch() *render.Scratch {
	if s, ok := c.scratches.Get().(*render.Scratch); ok {
		return s
	}
	return new(render.Scratch)
}

// fault turns what rendering says into an error of the hub.
func (p *requestPlan) fault(err error) error {
	f, ok := errors.AsType[*render.Fault](err)
	if !ok {
		return err
	}
	if own, ok := errors.AsType[*Error](f.Unwrap()); ok {
		return own
	}
	return invalid(definitionPath(p.path, f.Path, p.headerPaths), f.Rule, faultText(f))
}

func faultText(f *render.Fault) string {
	if f.Reference == "" {
		return f.Message
	}
	return quote(f.Reference) + ": " + f.Message
}

// complete adds what every request carries.
func (p *requestPlan) complete(wire *render.Request) {
	if wire.Header == nil {
		wire.Header = http.Header{}
	}
	if len(wire.Header["User-Agent"]) == 0 || wire.Header["User-Agent"][0] == "" {
		wire.Header["User-Agent"] = userAgent
	}
}

// userAgent is shared by requests; nothing writes to the values of a header.
var userAgent = []string{"integrationhub"}

// isToken reports whether the value at a path of the authentication answer is secret: by the
// path, or because there is something secret in it, however the path is spelt.
func (r *run) isToken(at string) bool {
	if isToken(at) || r.grant == nil {
		return isToken(at)
	}
	found := false
	value := path.Get(r.grant.Answer, at)
	eachText(value, at, func(name, text string) {
		_, n := r.grant.scrubber.String(text)
		found = found || n > 0 || isToken(name)
	})
	return found
}

// isToken reports whether a member of an authentication answer is secret by its name, the
// last of a path.
func isToken(path string) bool {
	name := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
	return strings.Contains(name, "token") && name != "token_type" ||
		strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "assertion")
}
