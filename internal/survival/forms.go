package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/integrationhub/hub"
)

// form is a way to make a call.
type form struct {
	with   func(*hub.Request) // what its request needs; nil: nothing
	make   func(*voyage, context.Context) error
	first  string // the answer to what it sends first, empty: none
	single bool   // it is never sent again, not even with a new token
}

// voyage is one call in some form, with what its caller handed over and got.
type voyage struct {
	tenant  *hub.Tenant
	call    hub.Call
	method  string // for an SDK, which names no request
	url     string
	luggage *luggage
	size    int64        // of the file
	want    string       // the body of an answer; empty: it varies
	got     bytes.Buffer // what was written of a stream
	faults  []string     // promises that were broken

	// careless callers hand over what hangs or fails, leave loops at once, and answers open.
	careless bool
}

// The forms.
var (
	execution = form{make: (*voyage).execute}
	withForm  = form{make: (*voyage).upload, with: func(r *hub.Request) {
		r.MediaType, r.Body = "", ""
		r.Form = []hub.FormField{{Name: "note", Value: "as agreed"}, {Name: "file", File: fileName}}
	}}
	withFile = form{make: (*voyage).uploadChunks, with: bodyIsFile}
	onceOnly = form{make: (*voyage).uploadOnce, with: bodyIsFile, single: true}
	streamed = form{make: (*voyage).stream}
	lent     = form{make: (*voyage).lend, single: true}
	paged    = form{make: (*voyage).turnPages, first: pageOne, with: func(r *hub.Request) {
		r.Pagination = &hub.Pagination{Kind: hub.PageCursor, Next: "next", Param: "after"}
	}}
	batched = form{make: (*voyage).batch}
)

// pageOne leads to another page.
const pageOne = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"next\":\"two\"}"

const fileName = "file"

func bodyIsFile(r *hub.Request) { r.MediaType, r.Body, r.BodyFile = "", "", fileName }

// promise notes what was promised and not kept.
func (v *voyage) promise(kept bool, text string) {
	if !kept {
		v.faults = append(v.faults, text)
	}
}

func (v *voyage) execute(ctx context.Context) error {
	_, err := v.tenant.Execute(ctx, v.call)
	return err
}

// upload hands over a file that tells its length.
func (v *voyage) upload(ctx context.Context) error {
	f := v.file()
	f.Size = v.size
	return v.uploads(ctx, f)
}

// uploadChunks hands over one that does not.
func (v *voyage) uploadChunks(ctx context.Context) error {
	return v.uploads(ctx, v.file())
}

// uploadOnce hands over one that can be opened once.
func (v *voyage) uploadOnce(ctx context.Context) error {
	f := v.file()
	open, opened := f.Open, 0
	f.Once, f.Open = true, func(ctx context.Context) (io.ReadCloser, error) {
		opened++
		return open(ctx)
	}
	err := v.uploads(ctx, f)
	v.promise(opened <= 1, "a file that can be read once was opened twice")
	return err
}

func (v *voyage) uploads(ctx context.Context, f hub.File) error {
	v.call.Files = map[string]hub.File{fileName: f}
	return v.execute(ctx)
}

// stream has the answer written, which is one from its beginning: never two.
func (v *voyage) stream(ctx context.Context) error {
	if v.careless {
		_, err := v.tenant.ExecuteTo(ctx, v.call, broken{}, nil)
		return err
	}
	res, err := v.tenant.ExecuteTo(ctx, v.call, &v.got, nil)
	if res != nil {
		v.promise(res.Written == int64(v.got.Len()), "what was written is not what Written says")
	}
	v.promise(v.want == "" || strings.HasPrefix(v.want, v.got.String()), "what was written is not the answer's beginning")
	v.promise(v.want == "" || err != nil || v.want == v.got.String(), "an answer that went well was not written whole")
	return err
}

// lend sends a request as an SDK does, and reads the answer.
func (v *voyage) lend(ctx context.Context) error {
	client, err := v.tenant.HTTPClient(ctx, v.call.Connector)
	if err != nil {
		return err
	}
	var body io.Reader
	if v.method == http.MethodPost {
		body = strings.NewReader(`{"text": "0123456789"}`)
	}
	req, err := http.NewRequestWithContext(ctx, v.method, v.url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Idempotency-Key", "one")
	resp, err := client.Do(req)
	if err != nil || v.careless {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return &hub.Error{Code: hub.BadAnswer, Sent: true} // the SDK's to judge
	}
	return nil
}

// turnPages walks over the pages of a list.
func (v *voyage) turnPages(ctx context.Context) (err error) {
	pages := 0
	for _, err = range v.tenant.ExecutePages(ctx, v.call, nil) {
		if err == nil {
			pages++
		}
		if v.careless {
			break
		}
	}
	v.promise(err != nil || pages > 0, "a walk that went well has no page")
	return err
}

// batch makes the call in a batch, where each end is told and written down once. A careless one
// leaves a batch of several at its first end.
func (v *voyage) batch(ctx context.Context) (err error) {
	calls := make([]hub.BatchCall, 1, 8)
	if v.careless {
		calls = calls[:8]
	}
	for i := range calls {
		calls[i] = hub.BatchCall{Key: fmt.Sprint(i), Call: v.call}
	}
	var recorded atomic.Int64
	var left atomic.Bool
	opts := &hub.BatchOptions{Record: func(context.Context, hub.BatchResult, error) error {
		recorded.Add(1)
		if left.Load() {
			v.luggage.behind.Add(1)
		}
		return nil
	}}
	told := 0
	for _, err = range v.tenant.ExecuteAll(ctx, slices.Values(calls), opts) {
		told++
		if v.careless {
			break
		}
	}
	left.Store(true)
	v.promise(told == 1 || ctx.Err() != nil, "an end was not told, or twice")
	v.promise(int(recorded.Load()) == told || v.careless && int(recorded.Load()) > told, "what was told was not written down once")
	return err
}
