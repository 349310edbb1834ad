package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// A multipartBody is a body of parts between boundaries.
type multipartBody struct {
	contentType string
	parts       []slot // prefix is the header of the part
}

func (b *multipartBody) slots() []slot { return b.parts }

// render writes the parts one behind the other, finds a boundary that none of them holds, and
// puts it between them.
func (b *multipartBody) render(w *writer) (string, error) {
	ends := make([]int, len(b.parts))
	for i := range b.parts {
		if err := w.place(&b.parts[i]); err != nil {
			return "", err
		}
		ends[i] = len(w.buf)
	}
	boundary := boundaryFor(w.buf)
	w.assemble(boundary, ends)
	if err := w.room("body"); err != nil {
		return "", err
	}
	return b.contentType + "; boundary=" + boundary, nil
}

// assemble puts boundaries between the parts of buf that end at ends, and moves the masks along.
func (w *writer) assemble(boundary string, ends []int) {
	delimiter := "--" + boundary + "\r\n"
	out := make([]byte, 0, len(w.buf)+(len(ends)+1)*(len(delimiter)+4))
	start, next := 0, 0
	for _, end := range ends {
		out = append(out, delimiter...)
		shift := len(out) - start
		next = w.trace.shift(next, end, shift)
		out = append(append(out, w.buf[start:end]...), "\r\n"...)
		start = end
	}
	w.buf = append(append(append(out, "--"...), boundary...), "--\r\n"...)
}

// boundaryFor derives a boundary from the parts, so that the same parts get the same one, and takes
// the next if one occurs in them.
func boundaryFor(parts []byte) string {
	h := sha256.New()
	h.Write(parts)
	for {
		boundary := hex.EncodeToString(h.Sum(nil)[:16])
		if !bytes.Contains(parts, []byte(boundary)) {
			return boundary
		}
		h.Write([]byte(boundary))
	}
}
