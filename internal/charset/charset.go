// Package charset brings the texts of answers into UTF-8: whoever maps, judges or scrubs an
// answer sees one encoding.
//
// Which one a text has is said, in this order, by its byte order mark, by the charset of its
// media type, and by the declaration of an XML document. Labels are read as browsers read
// them (https://encoding.spec.whatwg.org): iso-8859-1 means windows-1252. A text whose label
// nobody knows stays as it is, and so does all that is not text.
package charset

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// ErrTooLarge is the error of a text that is larger in UTF-8 than it may be.
var ErrTooLarge = errors.New("charset: the text is too large in UTF-8")

// headBytes is how much of a text is looked at to find out.
const headBytes = 256

// found is what a text was found to be.
type found struct {
	encoding encoding.Encoding // nil: UTF-8, or not to be touched
	mark     int               // bytes of a byte order mark
}

// Bytes returns a body in UTF-8, without its byte order mark, and the media type that it has
// then. Without a need for a change both are returned as they came. Of an encoding other than
// UTF-8 the result has at most max bytes.
func Bytes(mediaType string, body []byte, max int64) ([]byte, string, error) {
	f := find(mediaType, body[:min(len(body), headBytes)])
	body = body[f.mark:]
	if f.encoding == nil {
		return body, mediaType, nil
	}
	decoded := transform.NewReader(bytes.NewReader(body), f.encoding.NewDecoder())
	out, err := io.ReadAll(io.LimitReader(decoded, max+1))
	if err != nil {
		return nil, "", err
	}
	if int64(len(out)) > max {
		return nil, "", ErrTooLarge
	}
	return declared(out), relabelled(mediaType), nil
}

// find tells what a text is from its media type and its first bytes.
func find(mediaType string, head []byte) found {
	label := labelOf(mediaType)
	if !textual(mediaType) && label == "" {
		return found{}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return found{mark: 3}
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return found{littleEndian, 2}
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return found{bigEndian, 2}
	case label == "":
		return found{encoding: ofDocument(head)}
	}
	e := byLabel(label)
	if e == littleEndian && len(head) > 0 && head[0] == 0 { // "utf-16" does not say which
		e = bigEndian
	}
	return found{encoding: e}
}

var (
	littleEndian = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	bigEndian    = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
)

// byLabel is nil for UTF-8 and for labels that nobody knows.
func byLabel(label string) encoding.Encoding {
	if strings.EqualFold(label, "utf-8") || strings.EqualFold(label, "utf8") {
		return nil
	}
	e, err := htmlindex.Get(label)
	if err != nil || e == encoding.Replacement || e == unicode.UTF8 {
		return nil
	}
	switch name, _ := htmlindex.Name(e); name {
	case "utf-16le":
		return littleEndian
	case "utf-16be":
		return bigEndian
	}
	return e
}

// textual reports whether a media type is a text's, by what it is and not by its charset. The
// empty one is: APIs that forget it send JSON.
func textual(mediaType string) bool {
	name, _, _ := strings.Cut(mediaType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", "application/json", "application/xml", "application/x-www-form-urlencoded", "application/javascript", "application/graphql":
		return true
	}
	return strings.HasPrefix(name, "text/") || strings.HasSuffix(name, "+json") || strings.HasSuffix(name, "+xml") ||
		strings.HasSuffix(name, "json")
}

// labelOf is the charset of a media type, empty if it has none.
func labelOf(mediaType string) string {
	_, params, _ := strings.Cut(mediaType, ";")
	switch {
	case params == "":
		return ""
	case strings.EqualFold(strings.TrimSpace(params), "charset=utf-8"): // as nearly all have
		return "utf-8"
	}
	_, parsed, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(parsed["charset"])
}

// relabelled is a media type whose text is now UTF-8.
func relabelled(mediaType string) string {
	name, params, err := mime.ParseMediaType(mediaType)
	if err != nil || params["charset"] == "" {
		return mediaType
	}
	params["charset"] = "utf-8"
	return mime.FormatMediaType(name, params)
}
