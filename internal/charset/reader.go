package charset

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/transform"
)

// Reader is Bytes for a text that is read piece by piece. It reads the first of them, and
// returns the media type that the text has then, and whether the text is read as it came.
func Reader(mediaType string, src io.Reader) (r io.Reader, newType string, unchanged bool) {
	if !textual(mediaType) && labelOf(mediaType) == "" {
		return src, mediaType, true
	}
	in := bufio.NewReaderSize(src, headBytes)
	f := find(mediaType, peek(in))
	_, _ = in.Discard(f.mark) // it was seen
	if f.encoding == nil {
		return in, mediaType, f.mark == 0
	}
	out := bufio.NewReader(transform.NewReader(in, f.encoding.NewDecoder()))
	head, _ := out.Peek(headBytes) // an error comes again when it is read
	if start, end := label(head); start < end {
		begin := declared(bytes.Clone(head))
		_, _ = out.Discard(len(head)) // it was seen
		return io.MultiReader(bytes.NewReader(begin), out), relabelled(mediaType), false
	}
	return out, relabelled(mediaType), false
}

// peek returns the first bytes: those of a mark, and more only where a declaration may follow.
func peek(in *bufio.Reader) []byte {
	head, _ := in.Peek(3) // an error comes again when it is read
	if bytes.HasPrefix(head, []byte("<?x")) {
		head, _ = in.Peek(headBytes)
	}
	return head
}
