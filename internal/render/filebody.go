package render

import (
	"crypto/rand"
	"mime"
	"strconv"
	"strings"
)

// A File is what a body needs to know of a file that the caller hands over.
type File struct {
	Name      string // of the file, for whoever gets it; may be empty
	MediaType string // empty: application/octet-stream
}

// binaryType is the media type of a file that has none.
const binaryType = "application/octet-stream"

// A Piece is a stretch of a body with files: bytes, or the name of the file that stands there.
type Piece struct {
	Bytes []byte
	File  string
}

// A gap is a place in a buffer where a file stands.
type gap struct {
	at   int
	file string
}

// file puts a file at the end of the buffer, or what shows it.
func (w *writer) file(name string) {
	w.came("file", name)
	if w.v.Mask {
		w.buf = append(w.buf, "{file "+name+"}"...)
		return
	}
	w.gaps = append(w.gaps, gap{len(w.buf), name})
}

// about returns what is known of a file.
func (w *writer) about(name string) File {
	var f File
	if w.v.File != nil {
		f = w.v.File(name)
	}
	if f.MediaType == "" {
		f.MediaType = binaryType
	}
	return f
}

// pieces cuts a body at its files.
func (w *writer) pieces(body []byte) []Piece {
	var list []Piece
	start := 0
	for _, c := range w.gaps {
		if c.at > start {
			list = append(list, Piece{Bytes: body[start:c.at]})
		}
		list, start = append(list, Piece{File: c.file}), c.at
	}
	if start < len(body) {
		list = append(list, Piece{Bytes: body[start:]})
	}
	return list
}

// A fileBody is a body that is one file.
type fileBody struct {
	contentType string // empty: the file's
	file        string
}

func (b *fileBody) slots() []slot { return nil }

func (b *fileBody) render(w *writer) (string, error) {
	contentType := b.contentType
	if contentType == "" {
		contentType = w.about(b.file).MediaType
	}
	w.file(b.file)
	return contentType, nil
}

// wholeFile compiles a body that is one file.
func (c *compiler) wholeFile(d Definition) {
	switch {
	case d.Body != "" || len(d.Form) > 0:
		c.report("bodyFile", "body-and-file", "a request has either a body, form fields or a file")
	case c.program.method == "HEAD":
		c.report("bodyFile", "body-not-allowed", "a HEAD request has no body")
	}
	contentType := ""
	if d.MediaType != "" {
		contentType = c.fileType("mediaType", d.MediaType)
	}
	c.program.body = &fileBody{contentType, d.BodyFile}
}

// An uploadBody is a multipart body with files among its parts.
type uploadBody struct {
	contentType string
	parts       []slot  // prefix is the header of a part without a file
	fields      []Field // :: position in parts → its definition, a file's literal
}

func (b *uploadBody) add(s slot, f Field) {
	b.parts, b.fields = append(b.parts, s), append(b.fields, f)
}

func (b *uploadBody) slots() []slot { return b.parts }

// render writes the parts between boundaries. What is in the files is not known yet, so the
// boundary is one that nobody can guess.
func (b *uploadBody) render(w *writer) (string, error) {
	boundary := "boundary"
	if !w.v.Mask {
		boundary = rand.Text()
	}
	for i := range b.parts {
		w.buf = append(append(append(w.buf, "--"...), boundary...), "\r\n"...)
		if b.fields[i].File == "" {
			if err := w.place(&b.parts[i]); err != nil {
				return "", err
			}
		} else {
			w.filePart(&b.fields[i])
		}
		w.buf = append(w.buf, "\r\n"...)
	}
	w.buf = append(append(append(w.buf, "--"...), boundary...), "--\r\n"...)
	return b.contentType + "; boundary=" + boundary, w.room("body")
}

// filePart writes a part that is a file. What the definition says goes before what the file
// says of itself.
func (w *writer) filePart(f *Field) {
	about := w.about(f.File)
	fileName, mediaType := f.FileName, f.MediaType
	if fileName == "" {
		fileName = about.Name
	}
	if fileName == "" {
		fileName = f.File
	}
	if mediaType == "" {
		mediaType = about.MediaType
	}
	w.buf = append(w.buf, disposition(f.Name, fileName)+"\r\nContent-Type: "+mediaType+"\r\n\r\n"...)
	start := len(w.buf)
	w.file(f.File)
	w.part("form:"+f.Name, start)
}

// disposition is the header of a part (RFC 7578 section 4.2).
func disposition(name, fileName string) string {
	header := `Content-Disposition: form-data; name="` + quotedName.Replace(name) + `"`
	if fileName != "" {
		header += `; filename="` + quotedName.Replace(fileName) + `"`
	}
	return header
}

// upload compiles a multipart body with files.
func (c *compiler) upload(contentType string, fields []Field) {
	b := &uploadBody{contentType: contentType}
	for i, f := range fields {
		at := "form[" + strconv.Itoa(i) + "]"
		if f.File != "" {
			b.add(c.fileField(at, f))
			continue
		}
		header, name, ok := c.partHeader(at, f)
		segments, read := c.parse(at+".value", f.Value)
		if !ok || !read {
			continue
		}
		s := c.slot(at+".value", Place("form:"+name), segments, plain)
		s.prefix = header
		b.add(s, f)
	}
	c.program.body = b
}

// fileField checks a field that is a file.
func (c *compiler) fileField(at string, f Field) (slot, Field) {
	f.Name, _ = c.partName(at+".name", f.Name)
	if f.Value != "" {
		c.report(at+".file", "value-and-file", "a field has either a value or a file")
	}
	if f.FileName != "" {
		f.FileName, _ = c.partName(at+".fileName", f.FileName)
	}
	if f.MediaType != "" {
		f.MediaType = c.fileType(at+".mediaType", f.MediaType)
	}
	return slot{place: Place("form:" + f.Name), path: at + ".file"}, f
}

// fileType checks the media type of a file. Its charset is the file's own.
func (c *compiler) fileType(at, source string) string {
	text, ok := c.name(at, source)
	if !ok {
		return ""
	}
	name, params, err := mime.ParseMediaType(text)
	contentType := mime.FormatMediaType(name, params)
	if err != nil || contentType == "" || !strings.Contains(name, "/") || headerRefuses(contentType) || formatOf(name) == multipartFormat {
		c.report(at, "bad-media-type", "the media type of a file is written as type/subtype, with parameters after a semicolon")
	}
	return contentType
}

// hasFiles reports whether a form has files among its fields.
func hasFiles(fields []Field) bool {
	for _, f := range fields {
		if f.File != "" {
			return true
		}
	}
	return false
}
