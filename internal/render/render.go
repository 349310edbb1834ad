package render

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Render puts values into the program. The error is a [*Fault]; the first one ends the call.
//
// Rendering depends on v alone: the same values give the same bytes. Values.Secret runs while
// Render does, so a cancelled context shows as its error.
func (p *Program) Render(v Values) (*Request, error) {
	w := writer{v: v, trace: v.newTrace()}
	v.Scratch.begin(&w, p)
	defer v.Scratch.end(&w)
	r := v.Room.take()
	r.Method = p.method
	if err := p.head(&w, r); err != nil {
		return nil, err
	}
	if p.body != nil {
		if err := p.content(&w, r); err != nil {
			return nil, err
		}
	}
	r.Sinks, r.Parts = p.noted(w.sinks), w.trace.list()
	return r, nil
}

// Text puts values into the body alone, and returns it with the secrets that are in it.
func (p *Program) Text(v Values) (string, []Sink, error) {
	if p.body == nil {
		return "", nil, nil
	}
	w := writer{v: v, trace: v.newTrace()}
	v.Scratch.begin(&w, p)
	defer v.Scratch.end(&w)
	if _, err := w.body(p.body); err != nil {
		return "", nil, err
	}
	return string(w.buf), p.noted(w.sinks), nil
}

// Room is memory for a request, its URL and some values of headers, for whoever has a call in one piece of memory. The
// first request that is given it takes it; the others, and those that are given none, take memory of their own. Its zero
// value is ready. It must not be copied or used again: the request is made of it.
type Room struct {
	request Request
	url     url.URL
	values  [4]string
	taken   bool
}

func (r *Room) take() *Request {
	if r == nil || r.taken {
		r = new(Room)
	}
	r.taken = true
	r.request.URL, r.request.values = &r.url, r.values[:]
	return &r.request
}

// Set gives a header, by its canonical name, one value.
func (r *Request) Set(name, text string) { r.Header[name] = r.value(text) }

// value is text as the one value of a header.
func (r *Request) value(text string) []string {
	if len(r.values) == 0 {
		return []string{text}
	}
	v := r.values[:1:1]
	v[0], r.values = text, r.values[1:]
	return v
}

// noted returns the sinks that a call noted: the list that all calls share, if they are the same.
func (p *Program) noted(sinks []Sink) []Sink {
	if slices.Equal(sinks, p.sinks) {
		return p.sinks
	}
	return slices.Clone(sinks)
}

// head writes path, query and header values into one text, of which they become parts.
func (p *Program) head(w *writer, r *Request) error {
	scheme, host, err := p.origin.render(w)
	if err != nil {
		return err
	}
	w.originPart(scheme, host)
	if err := p.path(w); err != nil {
		return err
	}
	query := len(w.buf)
	if err := w.places(p.query); err != nil {
		return err
	}
	headers := len(w.buf)
	var ends [16]int
	marks := ends[:0]
	for i := range p.headers {
		if err := w.header(&p.headers[i], p.lines[i].fixed); err != nil {
			return err
		}
		marks = append(marks, len(w.buf))
	}
	text := string(w.buf)
	r.URL.Scheme, r.URL.Host = scheme, host
	r.URL.Path, r.URL.RawPath = unescape(text[:query]), text[:query]
	r.URL.RawQuery = strings.TrimPrefix(text[query:headers], "?")
	p.header(r, text, headers, marks)
	return nil
}

// header writes the value of a header, or counts it, if every call has the same.
func (w *writer) header(s *slot, fixed []string) error {
	if fixed == nil || w.trace != nil {
		return w.place(s)
	}
	w.done += len(fixed[0])
	return w.room(s.path)
}

// path writes the segments and judges those that hold values.
func (p *Program) path(w *writer) error {
	for i := range p.segments {
		s := &p.segments[i]
		start := len(w.buf) + len(s.prefix)
		if err := w.slot(s); err != nil {
			return err
		}
		if !s.holes() {
			continue
		}
		if harmless(w.buf[start:]) {
			continue
		}
		if r := judgeSegment(string(w.buf[start:])); r != nil {
			return &Fault{Path: s.path, Reference: s.references(), Rule: r.rule, Message: r.message}
		}
	}
	w.part("path", 0)
	return nil
}

// references names what a slot holds.
func (s *slot) references() string {
	var names []string
	for _, p := range s.pieces {
		if p.hole != nil {
			names = append(names, p.hole.name)
		}
	}
	return strings.Join(names, " ")
}

func (w *writer) places(slots []slot) error {
	for i := range slots {
		if err := w.place(&slots[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) originPart(scheme, host string) {
	if w.trace == nil {
		return
	}
	w.came("definition", "")
	w.trace.part("origin", scheme+"://"+host, w.trace.now.sources)
	w.trace.now = trail{}
}

// header cuts the values out of text, where they begin at start and end at marks. Nothing writes to the
// values of a header, so those that are fixed are shared.
func (p *Program) header(r *Request, text string, start int, marks []int) {
	r.Header = make(http.Header, len(p.lines)+roomForOthers)
	for i, end := range marks {
		name, value := p.lines[i].name, p.lines[i].fixed
		if value == nil {
			value = r.value(text[start:end])
		}
		if p.lines[i].again {
			value = append(r.Header[name], value...)
		}
		r.Header[name], start = value, end
	}
}

// roomForOthers is for headers that are not the definition's: the type of the body, the agent, the codings, the
// token.
const roomForOthers = 4

// content writes the body.
func (p *Program) content(w *writer, r *Request) error {
	w.begin()
	contentType, err := w.body(p.body)
	if err != nil {
		return err
	}
	body := bytes.Clone(w.buf)
	if len(w.gaps) > 0 {
		r.Pieces = w.pieces(body)
	} else {
		r.Body = body
	}
	r.Header["Content-Type"] = r.value(contentType)
	w.end("body")
	return nil
}
