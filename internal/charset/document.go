package charset

import (
	"bytes"

	"golang.org/x/text/encoding"
)

// ofDocument is the encoding that the declaration of an XML document names. A declaration that
// can be read as it stands is in no encoding of two bytes, whatever it says.
func ofDocument(head []byte) encoding.Encoding {
	start, end := label(head)
	if start == end {
		return nil
	}
	e := byLabel(string(head[start:end]))
	if e == littleEndian || e == bigEndian {
		return nil
	}
	return e
}

// label finds the name of the encoding in an XML declaration: <?xml version="1.0"
// encoding="ISO-8859-1"?>. Without one start and end are the same.
func label(head []byte) (start, end int) {
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return 0, 0
	}
	stop := bytes.Index(head, []byte("?>"))
	at := bytes.Index(head, []byte("encoding"))
	if stop < 0 || at < 0 || at > stop {
		return 0, 0
	}
	rest := bytes.TrimLeft(head[at+len("encoding"):stop], " \t\r\n=")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return 0, 0
	}
	size := bytes.IndexByte(rest[1:], rest[0])
	if size < 0 {
		return 0, 0
	}
	start = stop - len(rest) + 1
	return start, start + size
}

// declared makes the declaration of a document say that it is in UTF-8, which it is by now.
func declared(text []byte) []byte {
	start, end := label(text[:min(len(text), headBytes)])
	if start == end {
		return text
	}
	out := make([]byte, 0, len(text)+5)
	out = append(append(out, text[:start]...), "UTF-8"...)
	return append(out, text[end:]...)
}
