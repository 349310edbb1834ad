package render

import (
	"slices"
	"strings"
)

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
	if !w.v.Trace {
		return
	}
	if v.secret != "" {
		w.now.masks = append(w.now.masks, mask{start, len(w.buf), h.name})
	}
	w.came(v.source, h.ref.Text)
}

func (w *writer) came(kind, name string) {
	if w.v.Trace {
		w.now.came(Source{kind, name})
	}
}

// part ends the part that began at start of buf.
func (w *writer) part(at string, start int) {
	if !w.v.Trace {
		return
	}
	w.parts = append(w.parts, Part{at, w.shown(start, w.now.masks), w.now.sources})
	w.join()
}

// join adds the current trail to the whole one and starts another.
func (w *writer) join() {
	for _, s := range w.now.sources {
		w.all.came(s)
	}
	w.all.masks = append(w.all.masks, w.now.masks...)
	w.now = trail{}
}

// begin makes room for another text in the buffer: what is in there has been copied.
func (w *writer) begin() {
	w.done += len(w.buf)
	w.clear()
	w.now, w.all = trail{}, trail{}
}

// end makes the whole buffer a part.
func (w *writer) end(at string) {
	if !w.v.Trace {
		return
	}
	w.join()
	w.parts = append(w.parts, Part{at, w.shown(0, w.all.masks), w.all.sources})
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
