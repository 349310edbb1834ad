package hub

import (
	"bytes"
	"context"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/transport"
)

// File is a file that a caller hands over with a call, for a FormField.File or a
// Request.BodyFile. It is read while it is sent, and never held whole.
type File struct {
	// Name goes along in a form, quoted; the definition's FileName goes before it. Empty:
	// the file's name in Call.Files.
	Name string
	// MediaType goes along if the definition has none. Empty: application/octet-stream.
	MediaType string
	// Size in bytes is announced, and held against what is read. Zero: it is not known,
	// and the body is sent in chunks.
	Size int64
	// Open is called for each attempt, when there is a connection to send the file on. It
	// and what it returns should heed ctx; they may run in another goroutine, and what
	// they read is closed there, shortly after the call if the third party answered early.
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Once tells that Open works once: after it was called the call is not sent again.
	Once bool
}

// FileBytes is a file of bytes that are in memory. They must not change before the call ended.
func FileBytes(name, mediaType string, data []byte) File {
	return File{Name: name, MediaType: mediaType, Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// files lists the files that a request takes.
func (r *Request) files() []string {
	var names []string
	for _, f := range r.Form {
		if f.File != "" && !slices.Contains(names, f.File) {
			names = append(names, f.File)
		}
	}
	if r.BodyFile != "" {
		names = append(names, r.BodyFile)
	}
	return names
}

// files checks the files that a request takes.
func (k *compiler) files(p *problems, plan *requestPlan) {
	r := &plan.def
	if plan.files = r.files(); len(plan.files) == 0 {
		return
	}
	for i, f := range r.Form {
		if f.File != "" {
			p.refName(in(at(in(plan.path, "form"), i), "file"), f.File)
		}
	}
	if r.BodyFile != "" {
		p.refName(in(plan.path, "bodyFile"), r.BodyFile)
	}
	if r.PayloadMode == PayloadDynamic {
		p.add(in(plan.path, "bodyFile"), "payload-mode", "a dynamic request takes its body from the payload")
	}
	if k.con.Auth.signsBody() {
		p.add(plan.path, "signed-body", "takes a file, and the connector's authentication signs the body, which is not known before it is sent")
	}
}

// signsBody reports whether the authentication signs what a call sends.
func (a *Auth) signsBody() bool {
	if a.HMAC == nil {
		return a.AWS != nil
	}
	texts := []string{a.HMAC.Canonical}
	for _, h := range a.HMAC.Headers {
		texts = append(texts, h.Value)
	}
	for _, q := range a.HMAC.Query {
		texts = append(texts, q.Value)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "{body") })
}

// checkFiles holds the files of a call against those that its request takes. A plan shows
// them without.
func (r *run) checkFiles() error {
	var p problems
	for _, name := range r.req.files {
		if f, ok := r.call.Files[name]; ok {
			p.file("files."+name, &f, r.limits.UploadBytes)
		} else if r.op != "Plan" {
			p.add("files."+name, "required", "the request takes this file: hand it over in Call.Files")
		}
	}
	for _, name := range sortedKeys(r.call.Files) {
		if !slices.Contains(r.req.files, name) {
			p.add("files."+shorten(name), "unknown", "the request takes no such file")
		}
	}
	if err := p.err(); err != nil || !r.filesTooLarge() {
		return err
	}
	return invalid("files", "too-large", tooLargeTogether(r.limits.UploadBytes))
}

// filesTooLarge reports whether the sizes of all files that are sent, as far as they are known,
// are more than may be sent: one that stands in two fields is sent twice.
func (r *run) filesTooLarge() bool {
	left := r.limits.UploadBytes
	for _, f := range r.req.def.Form {
		if left -= max(0, r.call.Files[f.File].Size); left < 0 {
			return true
		}
	}
	return false
}

// tooLargeTogether is said of files that are more than may be sent with one call.
func tooLargeTogether(most int64) string {
	return "files must have at most " + strconv.FormatInt(most, 10) + " bytes together: the host application decides how many (Limits.UploadBytes)"
}

func (p *problems) file(path string, f *File, most int64) {
	if f.Open == nil {
		p.add(in(path, "open"), "required", "must open the file")
	}
	if len(f.Name) > maxName || !utf8.ValidString(f.Name) || strings.ContainsFunc(f.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		p.add(in(path, "name"), "name", "must be UTF-8 of at most %d bytes without control characters", maxName)
	}
	if f.MediaType != "" {
		kind, params, err := mime.ParseMediaType(f.MediaType)
		if err != nil || !strings.Contains(kind, "/") || mime.FormatMediaType(kind, params) != f.MediaType && len(params) > 0 || strings.HasPrefix(kind, "multipart/") {
			p.add(in(path, "mediaType"), "media-type", "must be a media type: image/png")
		}
	}
	switch {
	case f.Size < 0:
		p.add(in(path, "size"), "range", "must not be negative: zero if it is not known")
	case f.Size > most:
		p.add(in(path, "size"), "too-large", "must be at most %d bytes: the host application decides how many (Limits.UploadBytes)", most)
	}
}

// about tells rendering of a file.
func (r *run) about(name string) render.File {
	f := r.call.Files[name]
	return render.File{Name: f.Name, MediaType: f.MediaType}
}

// upload is the body of a call with files; nil: it has none.
func (r *run) upload() *transport.Upload {
	pieces := r.wire.Pieces
	if len(pieces) == 0 {
		return nil
	}
	size := int64(0)
	for _, piece := range pieces {
		n := int64(len(piece.Bytes))
		if piece.File != "" {
			n = r.call.Files[piece.File].Size
		}
		if n == 0 {
			size = -1
			break
		}
		size += n
	}
	return &transport.Upload{
		Size:  size,
		Open:  func(ctx context.Context) io.ReadCloser { return &uploading{run: r, ctx: ctx, pieces: pieces} },
		Again: func() bool { return !r.spent.Load() },
	}
}
