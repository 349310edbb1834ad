package render

import (
	"slices"
	"strings"
)

// A trace tells where the parts of a request came from: the parts so far, and the trails of the current part and of
// the whole buffer.
type trace struct {
	parts    []Part
	now, all trail
}

func (v *Values) newTrace() *trace {
	if !v.Trace {
		return nil
	}
	return &trace{}
}

// list returns the parts; none if t is nil.
func (t *trace) list() []Part {
	if t == nil {
		return nil
	}
	return t.parts
}

func (t *trace) part(at, value string, sources []Source) {
	t.parts = append(t.parts, Part{at, value, sources})
}

// shift moves the masks from next on that end no later than end by n bytes, and returns the first that does not.
func (t *trace) shift(next, end, n int) int {
	if t == nil {
		return next
	}
	for ; next < len(t.all.masks) && t.all.masks[next].end <= end; next++ {
		t.all.masks[next].start += n
		t.all.masks[next].end += n
	}
	return next
}

// A trail is what a part needs to know about the values in it.
type trail struct {
	sources []Source
	masks   []mask
}

func (t *trail) came(s Source) {
	if !slices.Contains(t.sources, s) {
		t.sources = append(t.sources, s)
	}
}

// A mask is a range of buf that holds a secret, and what to show for it.
type mask struct {
	start, end int
	name       string
}

// note remembers where a value went and came from.
func (w *writer) note(at Place, h *hole, v *value, start int) {
	if v.secret != "" {
		w.sinks = append(w.sinks, Sink{v.secret, at})
	}
	if w.trace == nil {
		return
	}
	if v.secret != "" {
		w.trace.now.masks = append(w.trace.now.masks, mask{start, len(w.buf), h.name})
	}
	w.came(v.source, h.ref.Text)
}

func (w *writer) came(kind, name string) {
	if w.trace != nil {
		w.trace.now.came(Source{kind, name})
	}
}

// part ends the part that began at start of buf.
func (w *writer) part(at string, start int) {
	if w.trace == nil {
		return
	}
	w.trace.part(at, w.shown(start, w.trace.now.masks), w.trace.now.sources)
	w.trace.join()
}

// join adds the current trail to the whole one and starts another.
func (t *trace) join() {
	if t == nil {
		return
	}
	for _, s := range t.now.sources {
		t.all.came(s)
	}
	t.all.masks = append(t.all.masks, t.now.masks...)
	t.now = trail{}
}

// begin makes room for another text in the buffer: what is in there has been copied.
func (w *writer) begin() {
	w.done += len(w.buf)
	w.clear()
	if w.trace != nil {
		w.trace.now, w.trace.all = trail{}, trail{}
	}
}

// end makes the whole buffer a part.
func (w *writer) end(at string) {
	if w.trace == nil {
		return
	}
	w.trace.join()
	w.trace.part(at, w.shown(0, w.trace.all.masks), w.trace.all.sources)
}

// shown returns buf from start on, secrets masked.
func (w *writer) shown(start int, masks []mask) string {
	var b strings.Builder
	for _, m := range masks {
		b.Write(w.buf[start:m.start])
		b.WriteString(m.name)
		start = m.end
	}
	b.Write(w.buf[start:])
	return b.String()
}
