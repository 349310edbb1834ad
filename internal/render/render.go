package render

import (
	"net/http"
	"net/url"
	"strings"
)

// Render puts values into the program. The error is a [*Fault]; the first one ends the call.
//
// Rendering depends on v alone: the same values give the same bytes. Values.Secret runs while
// Render does, so a cancelled context shows as its error.
func (p *Program) Render(v Values) (*Request, error) {
	w := writer{v: v, max: p.max}
	w.buf = make([]byte, 0, p.size+64)
	r := newRequest()
	r.Method = p.method
	if err := p.head(&w, r); err != nil {
		return nil, err
	}
	if p.body != nil {
		if err := p.content(&w, r); err != nil {
			return nil, err
		}
	}
	r.Sinks, r.Parts = w.sinks, w.parts
	return r, nil
}

// newRequest allocates a request and its URL in one piece.
func newRequest() *Request {
	both := &struct {
		request Request
		url     url.URL
	}{}
	both.request.URL = &both.url
	return &both.request
}

// head writes path, query and header values into one buffer, of which they become parts.
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
		if err := w.place(&p.headers[i]); err != nil {
			return err
		}
		marks = append(marks, len(w.buf))
	}
	text := string(w.buf)
	r.URL.Scheme, r.URL.Host = scheme, host
	r.URL.Path, r.URL.RawPath = unescape(text[:query]), text[:query]
	r.URL.RawQuery = strings.TrimPrefix(text[query:headers], "?")
	r.Header = p.header(text, headers, marks)
	return nil
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
	if !w.v.Trace {
		return
	}
	w.came("definition", "")
	w.parts = append(w.parts, Part{"origin", scheme + "://" + host, w.now.sources})
	w.now = trail{}
}

// header cuts the values out of text, where they begin at start and end at marks. With a body it leaves
// room for its type.
func (p *Program) header(text string, start int, marks []int) http.Header {
	header := make(http.Header, len(p.names)+1)
	values := make([]string, len(marks), len(marks)+1)
	if p.body != nil {
		values = values[:len(marks)+1]
		header["Content-Type"] = values[len(marks):]
	}
	for i, end := range marks {
		values[i] = text[start:end]
		start = end
		name := p.names[i]
		if header[name] == nil {
			header[name] = values[i : i+1 : i+1]
		} else {
			header[name] = append(header[name], values[i])
		}
	}
	return header
}

func (p *Program) content(w *writer, r *Request) error {
	w.begin(make([]byte, 0, sizeOf(p.body.slots())))
	contentType, err := p.body.render(w)
	if err != nil {
		return err
	}
	if len(w.gaps) > 0 {
		r.Pieces = w.pieces()
	} else {
		r.Body = w.buf
	}
	r.Header["Content-Type"][0] = contentType
	w.end("body")
	return nil
}
