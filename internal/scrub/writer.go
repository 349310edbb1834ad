package scrub

import "io"

// Writer returns a writer that passes on to w what it is given, scrubbed. A
// secret is found however it is cut into writes; what might be the beginning
// of one is held back, at most the length of the longest form, until it is
// clear or Close is called. Close does not close w. A writer is for one
// goroutine. The first error of w is returned by every later call.
//
// Of short secrets only one that is the whole of the text is masked.
func (s *Scrubber) Writer(w io.Writer) io.WriteCloser {
	return &writer{scrubber: s, automaton: s.automaton(), dst: w}
}

type writer struct {
	scrubber  *Scrubber
	automaton *automaton
	dst       io.Writer
	err       error
	begun     bool // something was passed on, or was too long for a short secret

	buf   []byte // not passed on yet
	spans []span // found in buf
	node  int32
	out   []byte
}

func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	from := len(w.buf)
	w.buf = append(w.buf, p...)
	if !w.begun && len(w.buf) < MinLength {
		return len(p), nil
	}
	if !w.begun {
		w.begun, from = true, 0
	}
	cut := len(w.buf)
	if a := w.automaton; a != nil {
		w.spans, w.node = scan(a, w.buf, from, w.node, w.spans)
		cut -= a.depth(w.node)
	}
	if w.pass(cut); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// pass hands on what lies before cut: nothing found later begins there. Of a
// span that reaches beyond the cut, the bytes before it are dropped and the
// rest stays, for a later one may yet join it.
func (w *writer) pass(cut int) {
	done := 0
	for done < len(w.spans) && w.spans[done].end <= cut {
		done++
	}
	upto := cut
	if done < len(w.spans) {
		upto = min(cut, w.spans[done].start)
	}
	w.out = replace(w.out[:0], w.buf[:upto], w.spans[:done])
	w.buf = w.buf[:copy(w.buf, w.buf[cut:])]
	w.spans = w.spans[:copy(w.spans, w.spans[done:])]
	for i := range w.spans {
		w.spans[i].start = max(0, w.spans[i].start-cut)
		w.spans[i].end -= cut
	}
	if len(w.out) > 0 {
		_, w.err = w.dst.Write(w.out)
	}
}

// Close passes on what was held back.
func (w *writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if !w.begun {
		w.buf, _ = w.scrubber.Bytes(w.buf)
	}
	w.spans = within(w.spans, len(w.buf))
	w.pass(len(w.buf))
	w.begun = true
	return w.err
}
